package booking

import (
	"errors"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a path, far beyond any that makes sense.
const (
	maxPath     = 200 // octets
	maxSegments = 32  // the depth to which JSON is read
)

// Path says where a value is: a form field's name, a dotted JSON path
// (a.b.0.c) or a JSON pointer (/a/b/0, RFC 6901). In a form, and at the top of
// a JSON object, its whole text is tried as a name first, so that
// "booking.email" and "user[email]" work as field names. The zero value is no
// path.
type Path struct{ text string }

// ParsePath reads a path as it stands in the configuration.
func ParsePath(s string) (Path, error) {
	switch {
	case s == "":
		return Path{}, errors.New("is empty")
	case len(s) > maxPath:
		return Path{}, errors.New("is longer than 200 characters")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return Path{}, errors.New("has a control character or is not valid UTF-8")
	}
	p := Path{text: s}
	if len(p.segments()) > maxSegments {
		return Path{}, errors.New("is deeper than 32 levels")
	}
	if rest := strings.NewReplacer("~0", "", "~1", "").Replace(s); s[0] == '/' && strings.Contains(rest, "~") {
		return Path{}, errors.New("is not a JSON pointer: ~ must be written ~0, and / inside a name ~1")
	}
	return p, nil
}

// String returns the path as it was written.
func (p Path) String() string { return p.text }

// IsZero reports whether there is no path.
func (p Path) IsZero() bool { return p == Path{} }

// segments splits the path into the names and indexes of a JSON document.
func (p Path) segments() []string {
	if !strings.HasPrefix(p.text, "/") {
		return strings.Split(p.text, ".")
	}
	parts := strings.Split(p.text[1:], "/")
	for i, part := range parts {
		// The order matters: ~01 means ~1 and not a slash (RFC 6901, section 4).
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
	}
	return parts
}

// lookup finds the path's value in a JSON object. It is nil if there is none.
func (p Path) lookup(object map[string]any) any {
	if v, ok := object[p.text]; ok {
		return v
	}
	var current any = object
	for _, segment := range p.segments() {
		current = step(current, segment)
		if current == nil {
			return nil
		}
	}
	return current
}

// step goes one level down, by name into an object or by index into a list.
func step(v any, segment string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[segment]
	case []any:
		// Only the plain spelling of an index counts, not "+1" or "01".
		i, err := strconv.Atoi(segment)
		if err == nil && i >= 0 && i < len(v) && strconv.Itoa(i) == segment {
			return v[i]
		}
	}
	return nil
}
