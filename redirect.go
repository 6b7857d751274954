package caddyicalmail

import (
	"errors"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// errRedirectHost is a redirect whose target a stranger could choose.
var errRedirectHost = errors.New("redirect: a placeholder of the booking or the request must not be part of the scheme or host, " +
	"because whoever fills it would choose where clients are sent")

// checkRedirect refuses a redirect in which a stranger could fill in scheme or
// host. What stands after them is escaped and does no harm. The site's own
// name, as the request has it, may be used: nobody can make somebody else's
// browser send another.
func checkRedirect(repl *caddy.Replacer, redirect string) error {
	open := false
	_, err := repl.ReplaceFunc(origin(redirect), func(key string, value any) (any, error) {
		switch key {
		case "http.request.scheme", "http.request.host", "http.request.hostport", "http.request.port":
		default:
			open = open || !isGlobalPlaceholder(key)
		}
		return value, nil
	})
	if err != nil {
		return err
	}
	if open {
		return errRedirectHost
	}
	return nil
}

// origin returns the part of a URL before its path, with scheme and host, as
// browsers read it (WHATWG URL, section 4.4): they take a backslash for a
// slash, and any number of slashes before the host for two.
func origin(url string) string {
	plain := strings.ReplaceAll(withoutPlaceholders(url), `\`, "/")
	start := 0
	if colon := strings.IndexAny(plain, ":/?#"); colon >= 0 && plain[colon] == ':' {
		start = colon + 1
	}
	host := len(plain) - len(strings.TrimLeft(plain[start:], "/"))
	if start == 0 && host < len("//") {
		return "" // a path of the site's own
	}
	if end := strings.IndexAny(plain[host:], "/?#"); end >= 0 {
		return url[:host+end]
	}
	return url
}

// withoutPlaceholders replaces each placeholder by as many letters, so that
// what is in its braces is not taken for a part of the URL.
func withoutPlaceholders(s string) string {
	plain := []byte(s)
	inside := false
	for i, c := range plain {
		inside = inside && c != '}' || c == '{'
		if inside || c == '}' {
			plain[i] = 'x'
		}
	}
	return string(plain)
}
