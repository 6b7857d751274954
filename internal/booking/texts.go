package booking

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Limits of texts in characters (Unicode code points), counted after cleaning.
const (
	maxName     = 80
	maxNotes    = 2000
	maxAnswer   = 500
	maxSummary  = 100
	maxLocation = 200
	maxLocale   = 35 // the longest that RFC 5646, section 4.4.1, asks for
	maxID       = 255

	// maxTrustedLine holds the URL of any meeting service. Those of Microsoft
	// Teams have some 300 characters.
	maxTrustedLine = 1000
)

const problemMissing = "is missing"

// longer returns what is wrong with a text of more than limit characters.
func longer(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return ""
	}
	return fmt.Sprintf("is longer than %d characters", limit)
}

// cleanName returns a person's name, or what is wrong with it.
func cleanName(s string) (Line, string) {
	name := Defang(CleanLine(s))
	if !hasWord(name) {
		return "", "has no letters or digits"
	}
	return name, longer(string(name), maxName)
}

// name reads the client's name, which is required in a new booking.
func (d *decoder) name() Line {
	in := d.read(PropName)
	if in.text == "" {
		return d.absent(in)
	}
	name, problem := cleanName(in.text)
	if problem != "" {
		d.failInput(in, problem)
	}
	return name
}

// absent reports that a required property is missing, unless something else
// is wrong with it, or this is a change, which may leave anything out.
func (d *decoder) absent(in input) Line {
	if !in.bad && !d.partial {
		d.failInput(in, problemMissing)
	}
	return ""
}

// email reads the client's address, which is required in a new booking.
func (d *decoder) email() Address {
	in := d.read(PropEmail)
	if in.text == "" {
		d.absent(in)
		return Address{}
	}
	a, err := ParseAddress(in.text)
	if err != nil {
		d.failInput(in, err.Error())
		return Address{}
	}
	if d.isOrganizer(a) {
		d.failInput(in, problemOrganizer)
	}
	return a
}

const problemOrganizer = "is the address that sends the invitations"

// isOrganizer reports whether a is read in the organizer's mailbox.
func (d *decoder) isOrganizer(a Address) bool {
	return !d.rules.Organizer.IsZero() && a.Mailbox() == d.rules.Organizer.Mailbox()
}

// line reads an optional line that everybody who is invited sees. Only a
// trusted source may put a link there.
func (d *decoder) line(p Property, limit int) Line {
	in := d.read(p)
	l := CleanLine(in.text)
	if d.layers[in.layer].trusted {
		limit = maxTrustedLine
	} else {
		l = Defang(l)
	}
	if problem := longer(string(l), limit); problem != "" {
		d.failInput(in, problem)
	}
	return l
}

// notes reads the description, which only the host sees.
func (d *decoder) notes() Text {
	in := d.read(PropDescription)
	t := CleanText(in.text)
	if problem := longer(string(t), maxNotes); problem != "" {
		d.failInput(in, problem)
	}
	return t
}

// extra reads the answers to the operator's further fields.
func (d *decoder) extra() []Answer {
	var answers []Answer
	for _, field := range d.rules.Extra {
		text, problem := answer(d.layers[0].src.find(field.Field))
		value := CleanText(text)
		if problem == "" {
			problem = longer(string(value), maxAnswer)
		}
		if problem != "" {
			d.fail("", field.Field.String(), problem)
			continue
		}
		if value != "" {
			answers = append(answers, Answer{Label: field.Label, Value: value})
		}
	}
	return answers
}

// answer returns the text of a further field. A group of checkboxes sends its
// field once for each that is ticked, so here a list of texts is an answer.
func answer(v any) (text, problem string) {
	switch v := v.(type) {
	case repeated:
		return answers(v)
	case []any:
		return answers(v)
	case bool:
		if v {
			return "yes", ""
		}
		return "no", ""
	}
	text, _, problem = scalar(v)
	return text, problem
}

// answers joins the texts of a list.
func answers(list []any) (text, problem string) {
	texts := make([]string, 0, len(list))
	for _, item := range list {
		switch item.(type) {
		case []any, map[string]any:
			return "", "must be text or a list of texts"
		}
		if text, _ := answer(item); text != "" {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, ", "), ""
}

// locale reads the client's language (BCP 47). It is a courtesy of browsers,
// so whatever is not understood is ignored.
func (d *decoder) locale() string {
	for _, l := range slices.Backward(d.layers) {
		for _, path := range l.fields(PropLocale) {
			text, _, _ := scalar(l.src.find(path))
			if tag := parseLocale(strings.TrimSpace(text)); tag != "" {
				d.given.add(PropLocale)
				return tag
			}
		}
	}
	return ""
}

// parseLocale returns a language tag in its usual spelling, or nothing.
func parseLocale(s string) string {
	if s == "" || len(s) > maxLocale {
		return ""
	}
	tag, err := language.Parse(s)
	if s = tag.String(); err != nil || tag == language.Und || len(s) > maxLocale {
		return ""
	}
	return s
}

// host reads the choice among the hosts on offer.
func (d *decoder) host() string {
	if len(d.rules.HostKeys) == 0 {
		return ""
	}
	in := d.read(PropHost)
	if in.text == "" {
		d.absent(in)
		return ""
	}
	if !slices.Contains(d.rules.HostKeys, in.text) {
		d.failInput(in, "is not one of the hosts on offer")
		return ""
	}
	return in.text
}

// id reads the booking's own identity. Whoever knows one can change that
// booking, so an untrusted body's is not even looked at. All of its parts must
// be there, because what is left may be somebody else's.
func (d *decoder) id() Line {
	in := d.read(PropID)
	if in.text == "" || d.lacksPart(in) {
		return ""
	}
	id := CleanLine(in.text)
	if id == "" {
		d.failInput(in, "has nothing that can be seen")
	}
	if problem := longer(string(id), maxID); problem != "" {
		d.failInput(in, problem)
	}
	return id
}
