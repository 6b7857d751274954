package booking

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Line is one line of cleaned text, see CleanLine.
type Line string

// Text is cleaned text of several lines, see CleanText.
type Text string

// CleanLine makes one harmless line of what somebody typed: valid UTF-8 in
// NFC, without control characters, line breaks, bidi controls and invisible
// characters, with single spaces between words and none around them. The
// joiners U+200D and U+200C stay, because emoji, Persian and Indic names need
// them. "=?" becomes "= ?", so that no mail client takes it for the start of
// an encoded word (RFC 2047, section 2). Cleaning a clean line changes nothing.
func CleanLine(s string) Line {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	s = strings.Map(cleanRune, s)
	s = norm.NFC.String(s)
	s = strings.Join(strings.Fields(s), " ")
	return Line(strings.ReplaceAll(s, "=?", "= ?"))
}

// CleanText cleans every line of s as CleanLine does. All kinds of line break
// become \n, at most one blank line follows another, and there are none
// around the text. Cleaning a clean text changes nothing.
func CleanText(s string) Text {
	var lines []string
	for raw := range strings.SplitSeq(lineBreaks.Replace(s), "\n") {
		line := string(CleanLine(raw))
		if line == "" && (len(lines) == 0 || lines[len(lines)-1] == "") {
			continue
		}
		lines = append(lines, line)
	}
	return Text(strings.TrimRight(strings.Join(lines, "\n"), "\n"))
}

// lineBreaks unifies CR LF, CR, NEL and the two Unicode separators. It is
// read-only and safe for concurrent use.
var lineBreaks = strings.NewReplacer(
	"\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n",
)

// cleanRune maps what separates words to a space, and drops (-1) what cannot
// be seen.
func cleanRune(r rune) rune {
	switch {
	case r == zwj || r == zwnj:
		return r
	case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029', r == brailleBlank:
		return ' '
	case isNonCharacter(r):
		return utf8.RuneError
	case isInvisible(r):
		return -1
	}
	return r
}

const (
	zwj          = '\u200D' // zero width joiner
	zwnj         = '\u200C' // zero width non-joiner
	brailleBlank = '\u2800' // a symbol by its category, a space by its looks
)

// isInvisible reports whether r leaves no mark of its own: format characters
// (bidi controls, byte order mark, soft hyphen, tags and the like) and the
// Hangul fillers, which pass for letters. The Arabic, Syriac and Kaithi number
// signs are format characters too, but can be seen.
func isInvisible(r rune) bool {
	switch r {
	case '\u115F', '\u1160', '\u3164', '\uFFA0':
		return true
	}
	if unicode.Is(unicode.Prepended_Concatenation_Mark, r) {
		return false
	}
	return unicode.Is(unicode.Cf, r) || r >= 0xE0000 && r <= 0xE007F
}

// isNonCharacter reports whether Unicode reserves r for internal use
// (Unicode Standard, section 23.7).
func isNonCharacter(r rune) bool {
	return r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}

// hasWord reports whether there is something to read in l: a letter or a
// digit of any script.
func hasWord(l Line) bool {
	return strings.ContainsFunc(string(l), func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r)
	})
}
