package booking

import (
	"slices"
	"strings"
)

// layer is one of the sources that a booking is read from. A decoder has
// several of them, the later of which win.
type layer struct {
	src source

	// fields tells where the source holds a property, nothing if it does not.
	fields func(Property) []Path

	// trusted means that the source may identify a booking and write links.
	trusted bool

	// saysZone means that the source's time zone is the one in which times
	// were written, and not only the browser's.
	saysZone bool
}

// input is what the fields of one property hold in one layer, joined by spaces.
type input struct {
	prop     Property
	field    string // the first of its fields, for errors
	text     string // empty if absent or bad
	number   bool   // a JSON number
	bad      bool   // one of the fields is of the wrong kind
	sent     bool   // one of the fields is there, be it empty
	missing  string // the first field that is absent
	layer    int    // the place of its layer
	problems []FieldError
}

// says reports whether there is something in the input, be it right or wrong.
func (in *input) says() bool { return in.text != "" || in.bad }

// paths returns the fields of a property that may be read.
func (l *layer) paths(p Property) []Path {
	if p == PropID && !l.trusted {
		return nil
	}
	return l.fields(p)
}

// read joins the fields of a property.
func (l *layer) read(p Property) input {
	paths := l.paths(p)
	in := input{prop: p, field: string(p)}
	var texts []string
	for i, path := range paths {
		if i == 0 {
			in.field = path.String()
		}
		v := l.src.find(path)
		in.sent = in.sent || v != nil
		text, number, problem := scalar(v)
		switch {
		case problem != "":
			in.problems = append(in.problems, FieldError{path.String(), problem})
			in.bad = true
		case text != "":
			texts = append(texts, text)
			in.number = number && len(paths) == 1
		case in.missing == "":
			in.missing = path.String()
		}
	}
	if !in.bad && (p != PropEnd || in.missing == "" || !l.sharesStart()) {
		in.text = strings.Join(texts, " ")
	}
	return in
}

// sharesStart reports whether all that the source has of the end belongs to
// the start as well, as the date does in "start date from" and "end date to".
func (l *layer) sharesStart() bool {
	for _, path := range l.fields(PropEnd) {
		text, _, _ := scalar(l.src.find(path))
		if text != "" && !slices.Contains(l.fields(PropStart), path) {
			return false
		}
	}
	return true
}

// noSource is a body that has no fields.
type noSource struct{}

func (noSource) find(Path) any { return nil }

// steerSource holds what the back end set by header, by property.
type steerSource map[Property]string

func (s steerSource) find(p Path) any {
	if v, ok := s[Property(p.text)]; ok {
		return v
	}
	return nil
}

// fields names a property by itself.
func (s steerSource) fields(p Property) []Path {
	if _, ok := s[p]; ok {
		return []Path{{text: string(p)}}
	}
	return nil
}

// isBlank reports whether a value says nothing: it is absent, empty text or
// an empty list.
func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	case repeated:
		return len(v) == 0
	}
	return false
}
