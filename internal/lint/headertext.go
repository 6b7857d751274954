package lint

import (
	"mime"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// encodedWord is the form of RFC 2047, section 2.
var encodedWord = regexp.MustCompile(`=\?[A-Za-z0-9_-]+(?:\*[A-Za-z0-9-]+)?\?[BbQq]\?[!->@-~]*\?=`)

const (
	maxEncodedWord = 75 // RFC 2047, section 2
	maxEncodedLine = 76 // RFC 2047, section 2, for a line that holds one
)

// checkFieldText judges a field that people see: its encoded words (H7) and
// what it shows when they are decoded (H8).
func checkFieldText(r *report, f field) {
	if len(f.value) > maxFieldBytes {
		return
	}
	if !checkEncodedWords(r, f) {
		return
	}
	shown, err := new(mime.WordDecoder).DecodeHeader(f.value)
	if err != nil || !utf8.ValidString(shown) {
		r.errorf("H7", "the encoded words of %s cannot be decoded", f.name)
		return
	}
	if what := unfit(shown); what != "" {
		r.errorf("H8", "%s holds %s: %s", f.name, what, show(shown))
	}
	if strings.Contains(shown, "=?") {
		r.errorf("H8", `%s shows a literal "=?", which some clients decode: %s`, f.name, show(shown))
	}
}

// checkEncodedWords judges each encoded word alone, and says whether all of
// them can be decoded.
func checkEncodedWords(r *report, f field) bool {
	fine := true
	for _, at := range encodedWord.FindAllStringIndex(f.value, -1) {
		word := f.value[at[0]:at[1]]
		if len(word) > maxEncodedWord {
			r.errorf("H7", "an encoded word of %s has %d characters, the limit is %d", f.name, len(word), maxEncodedWord)
		}
		if !apart(f.value, at[0], at[1]) {
			r.errorf("H7", "an encoded word of %s touches other text: %s", f.name, show(word))
		}
		// A character may not be split between two words (RFC 2047, section 5).
		text, err := new(mime.WordDecoder).Decode(word)
		if err != nil || !utf8.ValidString(text) {
			r.errorf("H7", "an encoded word of %s does not hold whole characters: %s", f.name, show(word))
			fine = false
		}
	}
	for _, line := range f.lines {
		if len(line) > maxEncodedLine && encodedWord.MatchString(line) {
			r.errorf("H7", "a line of %s with an encoded word has %d octets, the limit is %d", f.name, len(line), maxEncodedLine)
		}
	}
	return fine
}

// apart says whether the word stands between white space or parentheses
// (RFC 2047, section 5). Inside of a quoted string it would touch the quotes.
func apart(s string, from, to int) bool {
	before := from == 0 || strings.IndexByte(" \t(", s[from-1]) >= 0
	after := to == len(s) || strings.IndexByte(" \t)", s[to]) >= 0
	return before && after
}

// unfit names the first kind of character that must not be shown to people: it
// would break a line, reorder the text or hide something.
func unfit(s string) string {
	for _, c := range s {
		switch {
		case c == '\r' || c == '\n':
			return "a line break"
		case c != '\t' && unicode.IsControl(c):
			return "a control character"
		case bidi(c):
			return "a character that changes the direction of writing"
		case c == '\u2028' || c == '\u2029' || c == '\ufeff':
			return "a hidden separator or byte order mark"
		}
	}
	return ""
}

// bidi says whether c overrides or isolates the direction of writing, as
// U+202A to U+202E and U+2066 to U+2069 do.
func bidi(c rune) bool {
	return c >= '\u202a' && c <= '\u202e' || c >= '\u2066' && c <= '\u2069'
}
