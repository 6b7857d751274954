package booking

import (
	"encoding/json"
	"slices"
	"strings"
)

// source is a decoded body. The values it finds are nil (absent), string,
// json.Number, bool, []any, map[string]any or repeated.
type source interface{ find(p Path) any }

// What can be wrong with the kind of a value.
const (
	problemRepeated = "was sent more than once"
	problemList     = "must be text, not a list"
	problemObject   = "must be text, not an object"
	problemBool     = "must be text, not true or false"
)

// scalar returns the text of a value, empty if it is absent or blank, or what
// is wrong with its kind. isNumber tells a JSON number from text.
func scalar(v any) (text string, isNumber bool, problem string) {
	switch v := v.(type) {
	case string:
		if strings.TrimSpace(v) == "" {
			return "", false, ""
		}
		return v, false, ""
	case json.Number:
		return v.String(), true, ""
	case repeated:
		return "", false, problemRepeated
	case []any:
		return "", false, problemList
	case map[string]any:
		return "", false, problemObject
	case bool:
		return "", false, problemBool
	}
	return "", false, ""
}

// read reads a property, reports what is wrong with its kind, and notes that
// it was sent.
func (d *decoder) read(p Property) input {
	in := d.find(p)
	d.take(in)
	return in
}

// find returns the input of the last layer that says something about a
// property, else that of the first, so that errors name the body's field.
func (d *decoder) find(p Property) input {
	var in input
	sent := false
	for i := len(d.layers) - 1; i >= 0; i-- {
		in = d.layers[i].read(p)
		in.layer = i
		sent = sent || in.sent
		if in.says() {
			break
		}
	}
	in.sent = sent
	return in
}

// take reports what is wrong with the kind of an input, and notes that it was
// sent.
func (d *decoder) take(in input) {
	for _, problem := range in.problems {
		d.fail(in.prop, problem.Field, problem.Detail)
	}
	if in.text != "" || in.sent && slices.Contains(clearable, in.prop) {
		d.given.add(in.prop)
	}
}

// value finds the value of a property that may be a list, in the first field
// that says something of the last layer that does, and notes that it was sent.
func (d *decoder) value(p Property) (v any, field string) {
	for i := len(d.layers) - 1; i >= 0; i-- {
		for _, path := range d.layers[i].paths(p) {
			v := d.layers[i].src.find(path)
			if v != nil {
				d.given.add(p)
			}
			if !isBlank(v) {
				return v, path.String()
			}
		}
	}
	return nil, string(p)
}

// failInput reports what is wrong with an input.
func (d *decoder) failInput(in input, detail string) { d.fail(in.prop, in.field, detail) }
