package caddyicalmail

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// setBaseURL checks the address that links in mails begin with. It is never
// guessed from a request, whose Host header is the client's.
func (h *Handler) setBaseURL(repl *caddy.Replacer) error {
	raw, err := repl.ReplaceOrErr(h.BaseURL, true, true)
	if err != nil {
		return fmt.Errorf("expanding base_url: %w", err)
	}
	if raw == "" {
		if h.Manage != nil || h.Confirm != nil {
			return errors.New("manage and confirm need a base_url such as https://example.com, for the links in mails: " +
				"it is never guessed from the Host header, which anybody can set")
		}
		return nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return fmt.Errorf("base_url %q is not a web address such as https://example.com", raw)
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(raw, "#"):
		return fmt.Errorf("base_url %q must have neither user, query nor fragment", u.Redacted())
	}
	h.baseHost = u.Host
	h.baseURL = strings.TrimRight(u.String(), "/")
	return nil
}

// checkPath refuses what cannot be the path of a page. What names the option.
func checkPath(path, what string) error {
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || u.Path != path ||
		u.Host != "" || strings.ContainsAny(path, "*{}\\ ") || strings.Contains(path, "/../") || strings.Contains(path, "//") {
		return fmt.Errorf("the path of %s must be plain and begin with a slash, such as /appointments, not %q", what, path)
	}
	if strings.HasSuffix(path, "/") {
		return fmt.Errorf("the path of %s must not end in a slash: %q", what, path)
	}
	return nil
}

// below returns what follows a path and one slash, as Caddy's path matcher
// compares: without case.
func below(path, base string) (rest string, ok bool) {
	if len(path) <= len(base)+1 || !strings.EqualFold(path[:len(base)], base) || path[len(base)] != '/' {
		return "", false
	}
	return path[len(base)+1:], true
}
