package lint

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxOctets is the length of a physical line without its end (RFC 5545,
// section 3.1).
const maxOctets = 75

// delimiterLine is what an indented BEGIN or END looks like.
var delimiterLine = regexp.MustCompile(`^[ \t]+(?:BEGIN|END):(?:VCALENDAR|VEVENT|VTIMEZONE|VALARM|STANDARD|DAYLIGHT)\s*$`)

var byteOrderMark = []byte("\ufeff")

// contentLine is an unfolded line (RFC 5545, section 3.1).
type contentLine struct {
	text   string
	number int // of its first physical line, from 1
}

// checkBytes judges the physical lines (I1 to I5).
func checkBytes(r *report, ics []byte) {
	checkLineEnds(r, "I1", "the calendar object", ics)
	if len(ics) > 0 && !bytes.HasSuffix(ics, []byte("\n")) {
		r.errorf("I1", "the last line does not end with CRLF")
	}
	if bytes.HasPrefix(ics, byteOrderMark) {
		r.errorf("I3", "the object begins with a byte order mark")
		ics = ics[len(byteOrderMark):]
	}
	var before []byte
	for n := 1; len(ics) > 0; n++ {
		var line []byte
		line, ics = cutLine(ics)
		checkLine(r, n, before, line)
		before = line
	}
}

func checkLine(r *report, n int, before, line []byte) {
	if len(line) > maxOctets {
		r.errorf("I2", "line %d has %d octets, the limit is %d", n, len(line), maxOctets)
	}
	if !utf8.Valid(line) {
		r.errorf("I3", "line %d is not UTF-8, or is folded inside of a character: %s", n, show(line))
	}
	switch {
	case len(line) == 0:
		r.errorf("I4", "line %d is empty", n)
	case len(bytes.TrimSpace(line)) == 0:
		r.warnf("I4", "line %d holds nothing but space", n)
	case n == 1 && indented(line):
		r.errorf("I3", "the first line is indented: %s", show(line))
	case indentedDelimiter(before, line):
		r.errorf("I3", "line %d is indented and so continues the line before: %s", n, show(line))
	}
	checkCharacters(r, n, line)
}

// checkCharacters finds controls (RFC 5545, section 3.1: CONTROL). A carriage
// return is I1's. The C1 controls and the characters that reorder or hide text
// are legal there, but no invitation needs them.
func checkCharacters(r *report, n int, line []byte) {
	for i := 0; i < len(line); {
		c, width := utf8.DecodeRune(line[i:])
		i += width
		switch {
		case c == '\t' || c == '\r':
		case c < ' ' || c == 0x7f:
			r.errorf("I5", "line %d holds the control character %U", n, c)
		case unfit(string(c)) != "":
			r.warnf("I5", "line %d holds %s, %U", n, unfit(string(c)), c)
		}
	}
}

func indented(line []byte) bool {
	return len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
}

// indentedDelimiter says whether an indented line was meant to be a BEGIN or
// END. Folded text may hold the same words, but then the two lines would have
// been too long together.
func indentedDelimiter(before, line []byte) bool {
	return len(before)+len(line)-1 <= maxOctets && delimiterLine.Match(line)
}

// unfold joins the physical lines. It forgives what checkBytes has reported,
// so that one fault does not hide all the others.
func unfold(r *report, ics []byte) []contentLine {
	ics = bytes.TrimPrefix(ics, byteOrderMark)
	u := unfolder{}
	for n := 1; len(ics) > 0; n++ {
		var line []byte
		line, ics = cutLine(ics)
		if len(u.lines) >= maxLines {
			r.errorf("M9", "there are more than %d lines", maxLines)
			break
		}
		u.take(n, line)
	}
	u.flush()
	return u.lines
}

// unfolder keeps the logical line that is being put together.
type unfolder struct {
	lines   []contentLine
	current bytes.Buffer
	number  int
	before  []byte
}

func (u *unfolder) take(n int, line []byte) {
	before := u.before
	u.before = line
	if indented(line) && u.number > 0 && !indentedDelimiter(before, line) {
		u.current.Write(line[1:])
		return
	}
	u.flush()
	u.number = n
	u.current.Write(bytes.TrimLeft(line, " \t"))
}

// flush ends the logical line. Empty ones are dropped.
func (u *unfolder) flush() {
	if text := strings.ReplaceAll(u.current.String(), "\r", ""); text != "" {
		u.lines = append(u.lines, contentLine{text: text, number: u.number})
	}
	u.current.Reset()
}
