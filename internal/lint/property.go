package lint

import (
	"regexp"
	"strings"
)

// property is one parsed content line (RFC 5545, section 3.1).
type property struct {
	name   string // in upper case
	params []param
	value  string
	line   int
}

// param is one property parameter (RFC 5545, section 3.2).
type param struct {
	name   string // in upper case
	values []paramValue
}

type paramValue struct {
	text   string
	quoted bool
}

// listParams are the parameters that may have several values (RFC 5545,
// section 3.2.4, 3.2.5, 3.2.11; RFC 7986, section 6.3).
var listParams = map[string]bool{"DELEGATED-FROM": true, "DELEGATED-TO": true, "MEMBER": true, "FEATURE": true, "DISPLAY": true}

var (
	// textEscape is an escape of TEXT values, which parameters do not have.
	textEscape = regexp.MustCompile(`\\[\\;,:'"nN]`)
	// caretEscape is an escape of RFC 6868.
	caretEscape = regexp.MustCompile(`\^['n^]`)
)

// param returns the first value of a parameter in upper case of its name, and
// whether it is there.
func (p property) param(name string) (paramValue, bool) {
	for _, q := range p.params {
		if q.name == name && len(q.values) > 0 {
			return q.values[0], true
		}
	}
	return paramValue{}, false
}

// text returns the first value of a parameter, or "".
func (p property) text(name string) string {
	v, _ := p.param(name)
	return v.text
}

// lineParser reads one content line from left to right.
type lineParser struct {
	r    *report
	rest string
	prop property
}

// parseLine reads a content line, and says whether it is one.
func parseLine(r *report, l contentLine) (property, bool) {
	end := nameLength(l.text)
	if end == 0 || end == len(l.text) || l.text[end] != ':' && l.text[end] != ';' {
		r.errorf("C17", "line %d is not a property: %s", l.number, show(l.text))
		return property{}, false
	}
	p := &lineParser{r: r, rest: l.text[end:]}
	p.prop = property{name: strings.ToUpper(l.text[:end]), line: l.number}
	for strings.HasPrefix(p.rest, ";") {
		p.rest = p.rest[1:]
		p.param()
	}
	if !strings.HasPrefix(p.rest, ":") {
		r.errorf("C17", "line %d has no value: %s", l.number, show(l.text))
		return property{}, false
	}
	p.prop.value = p.rest[1:]
	p.checkDuplicates()
	return p.prop, true
}

// nameLength returns the length of the name at the beginning of s.
func nameLength(s string) int {
	i := 0
	for i < len(s) && (s[i] == '-' || alphanumeric(s[i])) {
		i++
	}
	return i
}

// errorf reports a fault of a parameter, with the property that has it.
func (p *lineParser) errorf(rule, text, piece string) {
	p.r.errorf(rule, "line %d, %s: %s: %s", p.prop.line, nameOf(p.prop.name), text, show(piece))
}

// param reads a name, an equals sign and one or more values.
func (p *lineParser) param() {
	end := nameLength(p.rest)
	if end == 0 || end == len(p.rest) || p.rest[end] != '=' {
		p.errorf("I7", "this is not a parameter, a value with ; is not quoted", p.rest)
		p.skip(";:")
		return
	}
	q := param{name: strings.ToUpper(p.rest[:end])}
	p.rest = p.rest[end:]
	for first := true; first || strings.HasPrefix(p.rest, ","); first = false {
		p.rest = p.rest[1:]
		q.values = append(q.values, p.value())
	}
	if len(q.values) > 1 && !listParams[q.name] {
		p.errorf("I8", "a comma in "+q.name+" is not quoted and makes several values of one", q.values[0].text)
	}
	p.prop.params = append(p.prop.params, q)
}

// value reads one value, quoted or not, up to the delimiter.
func (p *lineParser) value() paramValue {
	if !strings.HasPrefix(p.rest, `"`) {
		v := paramValue{text: p.skip(",;:")}
		if strings.Contains(v.text, `"`) {
			p.errorf("I7", "a parameter value holds a double quote", v.text)
		}
		p.checkEscapes(v.text)
		return v
	}
	text, rest, ok := strings.Cut(p.rest[1:], `"`)
	if !ok {
		p.errorf("I7", "a quoted parameter value is not closed", text)
		p.skip(":")
		return paramValue{quoted: true}
	}
	p.rest = rest
	if junk := p.skip(",;:"); junk != "" {
		p.errorf("I7", "there is text after a quoted parameter value", junk)
	}
	p.checkEscapes(text)
	return paramValue{text: text, quoted: true}
}

// checkEscapes: parameters have no backslash escapes (RFC 5545, section 3.2),
// and few programs know those of RFC 6868.
func (p *lineParser) checkEscapes(text string) {
	if textEscape.MatchString(text) || strings.HasSuffix(text, `\`) {
		p.errorf("I7", "a parameter value has a backslash escape", text)
	}
	if caretEscape.MatchString(text) {
		p.r.warnf("I7", "line %d, %s: a parameter value has an escape that few programs know: %s", p.prop.line, nameOf(p.prop.name), show(text))
	}
}

// skip moves to the next of the delimiters and returns what it passed.
func (p *lineParser) skip(delimiters string) string {
	i := strings.IndexAny(p.rest, delimiters)
	if i < 0 {
		i = len(p.rest)
	}
	passed := p.rest[:i]
	p.rest = p.rest[i:]
	return passed
}

// checkDuplicates: no parameter may be there twice. A second PARTSTAT is what
// an injected one looks like.
func (p *lineParser) checkDuplicates() {
	seen := map[string]bool{}
	for _, q := range p.prop.params {
		if seen[q.name] {
			p.errorf("I7", "a parameter is repeated", q.name)
		}
		seen[q.name] = true
	}
}
