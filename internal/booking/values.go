package booking

import (
	"encoding/json"
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

// input is what the fields of one property hold, joined by spaces.
type input struct {
	prop    Property
	field   string // the first of its fields, for errors
	text    string // empty if absent or bad
	number  bool   // a JSON number
	bad     bool   // an error has been reported
	missing string // the first field that is absent
}

// read reads the fields of a property and reports those of the wrong kind.
func (d *decoder) read(p Property) input {
	paths := d.rules.paths(p)
	in := input{prop: p}
	var texts []string
	for i, path := range paths {
		if i == 0 {
			in.field = path.String()
		}
		text, number, problem := scalar(d.src.find(path))
		switch {
		case problem != "":
			d.fail(p, path.String(), problem)
			in.bad = true
		case text != "":
			texts = append(texts, text)
			in.number = number && len(paths) == 1
		case in.missing == "":
			in.missing = path.String()
		}
	}
	if !in.bad {
		in.text = strings.Join(texts, " ")
	}
	return in
}

// failInput reports what is wrong with an input.
func (d *decoder) failInput(in input, detail string) { d.fail(in.prop, in.field, detail) }
