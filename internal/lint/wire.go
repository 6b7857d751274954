package lint

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	maxLine       = 998 // RFC 5322, section 2.1.1: MUST
	preferredLine = 78  // RFC 5322, section 2.1.1: SHOULD
)

// checkWire judges what the transport sees: line ends, line lengths, NUL, and
// raw UTF-8 in the header (H7; RFC 5321, section 2.3.8; RFC 5322, section 2.1).
func checkWire(r *report, raw []byte, m message) {
	checkLineEnds(r, "H7", "the mail", raw)
	if bytes.IndexByte(raw, 0) >= 0 {
		r.errorf("H7", "the mail contains a NUL octet")
	}
	checkBodyLines(r, m.body)
	checkFields(r, m.header, needsUTF8(m.header))
}

// checkLineEnds reports line feeds and carriage returns that are not a CRLF.
func checkLineEnds(r *report, rule, what string, b []byte) {
	pairs := bytes.Count(b, []byte("\r\n"))
	if n := bytes.Count(b, []byte("\n")) - pairs; n > 0 {
		r.errorf(rule, "%s has %d bare line feeds, every line ends with CRLF", what, n)
	}
	if n := bytes.Count(b, []byte("\r")) - pairs; n > 0 {
		r.errorf(rule, "%s has %d bare carriage returns", what, n)
	}
}

func checkBodyLines(r *report, body []byte) {
	for n := 1; len(body) > 0; n++ {
		var line []byte
		line, body = cutLine(body)
		if len(line) > maxLine {
			r.errorf("H7", "body line %d has %d octets, the limit is %d", n, len(line), maxLine)
		}
	}
}

// checkFields judges the lines of a header section, the mail's or a part's.
func checkFields(r *report, h header, utf8Allowed bool) {
	for _, f := range h {
		for _, line := range f.lines {
			checkFieldLine(r, f, line, utf8Allowed)
		}
	}
}

func checkFieldLine(r *report, f field, line string, utf8Allowed bool) {
	switch {
	case strings.TrimSpace(line) == "":
		r.errorf("H7", "a folded line of %s holds nothing but space", show(f.name))
	case len(line) > maxLine:
		r.errorf("H7", "a line of %s has %d octets, the limit is %d", show(f.name), len(line), maxLine)
	case len(line) > preferredLine && foldable(line) && !traceField(f.name):
		r.warnf("H7", "a line of %s has %d octets, more than %d", show(f.name), len(line), preferredLine)
	}
	if ascii(line) {
		return
	}
	if !utf8Allowed || !utf8.ValidString(line) {
		r.errorf("H7", "the field %s is not ASCII: %s", show(f.name), show(line))
	}
}

// foldable says whether there is white space at which the line could have been
// folded. A long token on a line of its own cannot be helped.
func foldable(line string) bool {
	return strings.ContainsAny(strings.TrimSpace(line), " \t")
}

// traceField says whether relays and receivers write this field, so that the
// sender cannot be blamed for its form.
func traceField(name string) bool {
	lower := strings.ToLower(name)
	switch lower {
	case "received", "dkim-signature", "authentication-results", "received-spf", "return-path", "delivered-to":
		return true
	}
	return strings.HasPrefix(lower, "arc-") || strings.HasPrefix(lower, "x-")
}

// needsUTF8 says whether an address needs SMTPUTF8 (RFC 6531): only then may
// the header hold raw UTF-8 (RFC 6532, section 3).
func needsUTF8(h header) bool {
	for _, name := range []string{"From", "To", "Reply-To"} {
		boxes, err := parseMailboxes(h.get(name))
		if err != nil {
			continue
		}
		for _, b := range boxes {
			if local, _ := splitAddress(b.Address); !ascii(local) {
				return true
			}
		}
	}
	return false
}

// ascii says whether all octets are below 128.
func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
