package lint

import (
	"slices"
	"strings"
)

// component is a calendar component with its properties (RFC 5545, section
// 3.6). The root is a component without a name that holds the whole input.
type component struct {
	name     string // in upper case
	props    []property
	children []*component
	line     int
}

// children of each component, by the name of their parent.
var nesting = map[string][]string{
	"":          {"VCALENDAR"},
	"VCALENDAR": {"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"},
	"VEVENT":    {"VALARM"},
	"VTODO":     {"VALARM"},
	"VTIMEZONE": {"STANDARD", "DAYLIGHT"},
}

// all returns the properties of that name.
func (c *component) all(name string) []property {
	var found []property
	for _, p := range c.props {
		if p.name == name {
			found = append(found, p)
		}
	}
	return found
}

// first returns the first property of that name, and whether there is one.
func (c *component) first(name string) (property, bool) {
	for _, p := range c.props {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

// value returns the value of the first property of that name, or "".
func (c *component) value(name string) string {
	p, _ := c.first(name)
	return p.value
}

// named returns the children of that name.
func (c *component) named(name string) []*component {
	var found []*component
	for _, child := range c.children {
		if child.name == name {
			found = append(found, child)
		}
	}
	return found
}

// treeBuilder puts components into each other. It works on a stack instead of
// recursion, so that no depth of nesting can exhaust the goroutine's stack.
type treeBuilder struct {
	r     *report
	stack []*component
	count int
}

// parseTree reads all content lines, and reports where components are not
// properly nested (C1; RFC 5545, section 3.4).
func parseTree(r *report, lines []contentLine) *component {
	root := &component{}
	b := &treeBuilder{r: r, stack: []*component{root}}
	for _, l := range lines {
		p, ok := parseLine(r, l)
		if !ok {
			continue
		}
		if !b.take(p) {
			// Half of an object is not worth judging.
			return &component{}
		}
	}
	if top := b.top(); top != root {
		r.errorf("C1", "%s of line %d is not closed", show(top.name), top.line)
	}
	return root
}

func (b *treeBuilder) top() *component {
	return b.stack[len(b.stack)-1]
}

// take puts a property in its place, and says whether to go on.
func (b *treeBuilder) take(p property) bool {
	switch {
	case p.name == "BEGIN":
		return b.begin(p)
	case p.name == "END":
		b.end(p)
	case len(b.stack) == 1:
		b.r.errorf("C1", "%s in line %d is outside of VCALENDAR", show(p.name), p.line)
	default:
		b.top().props = append(b.top().props, p)
	}
	return true
}

func (b *treeBuilder) begin(p property) bool {
	b.count++
	if b.count > maxComponents || len(b.stack) > maxNesting {
		b.r.errorf("C1", "line %d: there are too many components, or they are nested too deep", p.line)
		return false
	}
	child := &component{name: strings.ToUpper(p.value), line: p.line}
	parent := b.top()
	if !mayHold(parent.name, child.name) {
		b.r.errorf("C1", "%s in line %d may not stand in %s", show(child.name), p.line, show(parent.name))
	}
	parent.children = append(parent.children, child)
	b.stack = append(b.stack, child)
	return true
}

func mayHold(parent, child string) bool {
	return slices.Contains(nesting[parent], child)
}

// end closes the innermost component of that name. What is still open inside
// of it is closed as well.
func (b *treeBuilder) end(p property) {
	name := strings.ToUpper(p.value)
	if b.top().name != name || len(b.stack) == 1 {
		b.r.errorf("C1", "END:%s in line %d closes what is not open there", show(name), p.line)
	}
	for i := len(b.stack) - 1; i > 0; i-- {
		if b.stack[i].name == name {
			b.stack = b.stack[:i]
			return
		}
	}
}
