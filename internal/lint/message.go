package lint

import (
	"bytes"
	"strings"
)

// field is one header field (RFC 5322, section 2.2). Its name is empty when
// the line is no field at all.
type field struct {
	name  string
	value string   // unfolded and trimmed
	lines []string // as on the wire, without the line ends
	size  int      // of all lines together
}

// header is a header section, of the message or of a part.
type header []field

// message is a mail, cut at the first empty line.
type message struct {
	header header
	head   []byte
	body   []byte
}

// all returns the fields of that name, which is compared without case.
func (h header) all(name string) []field {
	var found []field
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			found = append(found, f)
		}
	}
	return found
}

// get returns the value of the first field of that name, or "".
func (h header) get(name string) string {
	for _, f := range h {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// parseMessage cuts a message or a MIME part into header and body. It forgives
// bare line feeds, which checkWire reports, so that one fault does not hide
// all the others.
func parseMessage(raw []byte) message {
	var h header
	rest := raw
	for len(rest) > 0 {
		line, next := cutLine(rest)
		if len(line) == 0 {
			return message{header: h, head: raw[:len(raw)-len(rest)], body: next}
		}
		h = h.extend(string(line))
		rest = next
	}
	return message{header: h, head: raw}
}

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// extend adds a line, which either continues the last field or begins a new
// one. What is beyond the limits is dropped, which checkFieldNames reports.
func (h header) extend(line string) header {
	if strings.ContainsAny(line[:1], " \t") && len(h) > 0 {
		last := &h[len(h)-1]
		if !last.tooLong() {
			last.lines = append(last.lines, line)
			last.value = strings.TrimSpace(last.value + line)
			last.size += len(line)
		}
		return h
	}
	if len(h) > maxFields {
		return h
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok || !fieldName(name) {
		name = ""
	}
	return append(h, field{name: name, value: strings.TrimSpace(value), lines: []string{line}, size: len(line)})
}

// tooLong says whether the field is at the limit, beyond which its lines are
// dropped.
func (f *field) tooLong() bool {
	return f.size >= maxFieldBytes || len(f.lines) >= maxFieldLines
}

// fieldName says whether the name is legal: printable ASCII without a colon
// (RFC 5322, section 3.6.8).
func fieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
