package caddyicalmail

import (
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// This file is the one place that works around golang-ical v0.3.4:
//
//   - Parameter values are escaped with backslashes, which RFC 5545 does not
//     know in parameters (section 3.2), instead of being quoted. A name such as
//     `a;PARTSTAT=ACCEPTED` then ends the CN parameter and adds another, and
//     `Doe, John` becomes two values. Line breaks are written as they are, and
//     begin a new property.
//   - Of TEXT values (section 3.3.11) only LF is escaped: a CR goes out bare.
//   - Values of other types are not looked at, so that a line break in an
//     address begins a new property.
//
// The tests of this file show each of them with the library alone.

// addAddress adds a property with a calendar address and a common name. The
// library writes the name of a property as it is, so that the parameters can
// be put there, properly quoted.
func addAddress(e *ics.VEvent, property string, p booking.Person, parameters ...string) {
	name := p.Name
	if name == "" {
		name = booking.Line(p.Address.Display())
	}
	token := strings.Join(append([]string{property}, parameters...), ";") + ";CN=" + icsQuote(name)
	e.AddProperty(ics.ComponentProperty(token), p.Address.URI())
}

// icsQuote is a parameter value in double quotes. What cannot stand there is
// replaced: double quotes, which RFC 5545 cannot express (few programs
// understand RFC 6868), and control characters, which a Line has none of but
// which would be fatal here. So are two characters that mean themselves to
// most programs and an escape to some: the backslash, and the circumflex, with
// which RFC 6868 writes line breaks (^n).
func icsQuote(l booking.Line) string {
	return `"` + strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r == '\\':
			return '/'
		case r == '^':
			return '\u02c6'
		case isControl(r):
			return ' '
		}
		return r
	}, string(l)) + `"`
}

// icsText prepares a TEXT value for the library, which escapes backslash,
// semicolon, comma and LF but lets other control characters through.
func icsText[T ~string](s T) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && isControl(r) {
			return ' '
		}
		return r
	}, string(s))
}

func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029'
}
