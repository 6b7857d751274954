package caddyicalmail

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// placeholderPrefix is what this handler's own placeholders begin with.
const placeholderPrefix = "http.ical_invite."

// bookingPlaceholders may be used in the operator's texts.
var bookingPlaceholders = []string{"name", "start", "end", "host", "host_key", "timezone", "uid", "id"}

// checkPlaceholders refuses a config that misspells one of our placeholders
// or uses one that cannot be resolved, rather than leaving a hole in every
// invitation. Placeholders that belong to a request are not known yet.
func checkPlaceholders(repl *caddy.Replacer, texts ...string) error {
	for _, text := range texts {
		_, err := repl.ReplaceFunc(text, func(key string, value any) (any, error) {
			name, ours := strings.CutPrefix(key, placeholderPrefix)
			if ours && !slices.Contains(bookingPlaceholders, name) {
				return nil, fmt.Errorf("unknown placeholder {%s}: there are %s", key,
					placeholderPrefix+strings.Join(bookingPlaceholders, ", ."))
			}
			if !ours && isGlobalPlaceholder(key) && caddy.ToString(value) == "" {
				return nil, fmt.Errorf("placeholder {%s} is empty", key)
			}
			return value, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// isGlobalPlaceholder reports whether a placeholder means the same for every
// request, so that its value is the operator's.
func isGlobalPlaceholder(key string) bool {
	return strings.HasPrefix(key, "env.") || strings.HasPrefix(key, "file.") ||
		strings.HasPrefix(key, "system.") || strings.HasPrefix(key, "time.")
}

// expansion expands the operator's texts for one booking.
type expansion struct {
	own     map[string]string // by placeholder, without the prefix
	request *caddy.Replacer
}

func newExpansion(r *http.Request, own map[string]string) *expansion {
	e := &expansion{own: own}
	e.request, _ = r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if e.request == nil {
		e.request = caddy.NewReplacer()
	}
	return e
}

// text expands s in a single pass: what is put in is not looked at again, so
// that a placeholder that a user typed stays what it is. Values that come from
// the request are a user's, and are made harmless; the operator's own words
// and the values of env and file placeholders are only cleaned.
func (e *expansion) text(s string) booking.Text {
	return booking.CleanText(e.replace(s, func(user string) string {
		return string(booking.Defang(booking.CleanLine(user)))
	}))
}

// line is text for a single line.
func (e *expansion) line(s string) booking.Line {
	return booking.CleanLine(string(e.text(s)))
}

// raw expands s to a line that is not shown to anybody, such as an id.
func (e *expansion) raw(s string) booking.Line {
	return booking.CleanLine(e.replace(s, func(user string) string { return user }))
}

// url expands s with the request's values escaped, so that they cannot change
// where the URL leads.
func (e *expansion) url(s string) string {
	return e.replace(s, url.QueryEscape)
}

func (e *expansion) replace(s string, user func(string) string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	repl := caddy.NewEmptyReplacer()
	repl.Map(func(key string) (any, bool) {
		if name, ours := strings.CutPrefix(key, placeholderPrefix); ours {
			return user(e.own[name]), true
		}
		value, ok := e.request.Get(key)
		if ok && !isGlobalPlaceholder(key) {
			return user(caddy.ToString(value)), true
		}
		return value, ok
	})
	return repl.ReplaceAll(s, "")
}
