package booking

import "strings"

const problemNotAgreed = "must be agreed to"

// consents reads what the client agreed to. A new booking by a stranger needs
// all of it; in what somebody vouches for it is noted where it is given.
func (d *decoder) consents() []Line {
	var given []Line
	for _, consent := range d.rules.Consents {
		switch {
		case isTicked(d.layers[0].src.find(consent.Field)):
			given = append(given, consent.Label)
		case !d.partial:
			d.fail("", consent.Field.String(), problemNotAgreed)
		}
	}
	return given
}

// isTicked reports whether a checkbox was ticked. Of a field that was sent
// several times the last counts, because forms put a hidden "off" before the
// checkbox. What is not clearly a yes is none.
func isTicked(v any) bool {
	if list, ok := v.(repeated); ok && len(list) > 0 {
		v = list[len(list)-1]
	}
	if yes, ok := v.(bool); ok {
		return yes
	}
	text, _, _ := scalar(v)
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "on", "true", "yes", "1":
		return true
	}
	return false
}
