package booking

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Defang makes a line that somebody typed unlinkable, because mail clients and
// calendars turn whatever looks like an address into a link, and a name or
// place is shown in somebody else's mail. It stays readable: "@", "://" and the
// dot of "www." become a space, and a space follows a dot before a top-level
// domain or a colon that could end a scheme ("evil. example", "tel: 1"), while
// "Dr.Müller", "J.R.R. Tolkien", "3.5", "10:30" and "{env.HOME}" stay as they
// are. Defanging twice changes nothing.
func Defang(l Line) Line {
	runes := []rune(string(l))
	var b strings.Builder
	b.Grow(len(l) + 8)
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		switch {
		case isAt(r), r == ':' && endsWord(runes[:i], "mailto"), isDot(r) && endsWord(runes[:i], "www"):
			b.WriteByte(' ')
		case r == ':' && follows(runes, i, "//"):
			b.WriteByte(' ')
			i += 2
		case isDot(r) && endsLabel(runes[:i]) && startsTopLevel(runes[i+1:]),
			r == ':' && endsScheme(runes, i):
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	return Line(strings.Join(strings.Fields(b.String()), " "))
}

// endsWord reports whether the last letters are the given ASCII word, in any
// case.
func endsWord(runes []rune, word string) bool {
	return len(runes) >= len(word) && strings.EqualFold(string(runes[len(runes)-len(word):]), word)
}

// isAt reports whether r is an at sign in one of its widths.
func isAt(r rune) bool { return r == '@' || r == '\uFF20' || r == '\uFE6B' }

// isDot reports whether r separates the labels of a domain name, in the eyes
// of browsers too (UTS #46, section 2.3).
func isDot(r rune) bool {
	switch r {
	case '.', '\u3002', '\uFF0E', '\uFF61', '\u2024', '\uFE52':
		return true
	}
	return false
}

// follows reports whether the ASCII text s comes after position i.
func follows(runes []rune, i int, s string) bool {
	for k := range len(s) {
		if i+1+k >= len(runes) || runes[i+1+k] != rune(s[k]) {
			return false
		}
	}
	return true
}

// endsLabel reports whether the last rune could be the end of a label.
func endsLabel(runes []rune) bool {
	if len(runes) == 0 {
		return false
	}
	r := runes[len(runes)-1]
	return isWordRune(r) || r == '-' || r == '_'
}

// startsTopLevel reports whether the label that comes next is a top-level
// domain, which is what mail clients look for: one of the public suffix list,
// or one of the names that are reserved for private use and examples. Marks
// and joiners between the letters do not count.
func startsTopLevel(runes []rune) bool {
	var label []rune
	for _, r := range runes {
		if r == zwj || r == zwnj {
			continue
		}
		if !isWordRune(r) && r != '-' && r != '_' {
			break
		}
		if label = append(label, r); len(label) > maxLabel {
			return false
		}
	}
	if len(label) < 2 {
		return false
	}
	ascii, err := idna.ToASCII(strings.ToLower(string(label)))
	if err != nil {
		return true // nobody knows what a client makes of it
	}
	if slices.Contains(reservedTopLevel, ascii) {
		return true
	}
	_, listed := publicsuffix.PublicSuffix("x." + ascii)
	return listed
}

// reservedTopLevel are names that are in no list of public suffixes and look
// like domains all the same (RFC 6761, RFC 6762, RFC 7686).
var reservedTopLevel = []string{"example", "test", "invalid", "localhost", "local", "onion", "internal"}

// endsScheme reports whether the colon at i could end the scheme of a URI: a
// word before it and no space after it, unless it stands between digits, as
// in a time or a ratio.
func endsScheme(runes []rune, i int) bool {
	if i == 0 || i+1 == len(runes) || !isWordRune(runes[i-1]) || runes[i+1] == ' ' {
		return false
	}
	return !unicode.IsDigit(runes[i-1]) || !unicode.IsDigit(runes[i+1])
}

// isWordRune reports whether r can be part of a word, joiners and accents
// included.
func isWordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r) || r == zwj || r == zwnj
}
