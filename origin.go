package caddyicalmail

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/idna"
)

// OriginGuard refuses what browsers send from other sites.
type OriginGuard struct {
	// The other sites that may book, as `https://www.example.com`, with a port
	// if it is not the usual one. The site itself always may.
	Allow []string `json:"allow,omitempty"`

	allowed map[string]bool // normalized
}

var errOrigin = &guardError{
	reason: reasonOrigin, status: http.StatusForbidden, detail: "This form cannot be sent from another site.",
}

// provision normalizes the origins.
func (g *OriginGuard) provision(repl *caddy.Replacer) error {
	if g == nil {
		return nil
	}
	g.allowed = make(map[string]bool, len(g.Allow))
	for _, text := range g.Allow {
		expanded, err := repl.ReplaceOrErr(text, true, true)
		if err != nil {
			return fmt.Errorf("expanding origin: %w", err)
		}
		origin, err := normalOrigin(expanded)
		if err != nil {
			return fmt.Errorf("origin %q %w", text, err)
		}
		g.allowed[origin] = true
	}
	return nil
}

// normalOrigin checks an origin and writes it as browsers do (RFC 6454,
// section 6.2).
func normalOrigin(s string) (string, error) {
	if strings.Contains(s, "*") {
		return "", errors.New("has an asterisk: name each site that may book, " +
			"because one that any site may book from needs no origin guard")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", errors.New("must be like https://www.example.com")
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("must have nothing behind the host and port")
	}
	host := u.Hostname()
	if !strings.Contains(host, ":") { // an IPv6 address
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", errors.New("has no valid host name")
		}
	}
	return u.Scheme + "://" + joinPort(host, u.Port(), u.Scheme), nil
}

// joinPort joins a host and a port, which is left out if it is the scheme's.
// Without a scheme both usual ports are left out.
func joinPort(host, port, scheme string) string {
	host = strings.ToLower(host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	switch {
	case port == "", port == "443" && scheme != "http", port == "80" && scheme != "https":
		return host
	}
	return host + ":" + port
}

// checkOrigin refuses a request that a browser sends from another site. It
// needs nothing but the header.
func (h *Handler) checkOrigin(r *http.Request) error {
	if h.Origin == nil {
		return nil
	}
	origins := r.Header.Values("Origin")
	site := r.Header.Get("Sec-Fetch-Site")
	switch {
	case len(origins) > 1:
		return errOrigin
	case len(origins) == 1 && origins[0] == "null":
		// A sandboxed frame or a redirect; only the browser knows better.
		if site == "same-origin" {
			return nil
		}
		return errOrigin
	case len(origins) == 1:
		if h.Origin.allowed[origins[0]] || isSameOrigin(origins[0], r.Host) {
			return nil
		}
		return errOrigin
	case site == "", site == "same-origin", site == "none":
		return nil // no browser, or nobody else's page
	}
	return errOrigin
}

// isSameOrigin compares an origin with the request's host and port. The scheme
// may differ, because something in front of this server may speak TLS.
func isSameOrigin(origin, host string) bool {
	theirs, err := url.Parse(origin)
	if err != nil || theirs.Scheme != "http" && theirs.Scheme != "https" || theirs.Hostname() == "" {
		return false
	}
	ours, err := url.Parse("//" + host)
	if err != nil {
		return false
	}
	return joinPort(theirs.Hostname(), theirs.Port(), theirs.Scheme) == joinPort(ours.Hostname(), ours.Port(), "")
}
