package booking

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Input is where a booking is read from: the body of a request, the answer of
// a back end, and what the back end set by header. For each property the last
// of them that says something wins, with all of its fields; what it does not
// say is taken from the ones before. An end and a duration are two ways to
// say one thing, so the later of them wins too.
type Input struct {
	// ContentType and Body are the request's. The caller has bounded the size.
	ContentType string
	Body        []byte

	// Lenient means that a body that is empty, malformed or of another type
	// has no fields, because a back end took it and our reading must not
	// matter. Booking.Ignored tells of one that is not empty.
	Lenient bool

	// Partial means that it may be a change of a known event: name, email,
	// start and the choice of a host may be absent, no length is made up, and
	// the start is not compared with now (see Booking.CheckStart). Of a
	// cancel nothing is read but the id.
	Partial bool

	// Trusted means that the body comes from an authenticated sender, such as
	// a signed webhook. Its id counts, and its summary and location are the
	// operator's own side's words: they are cleaned, but may be longer and
	// keep their links, such as a meeting's URL. Names of people never do.
	Trusted bool

	// Answer is the back end's answer, a JSON object, of which AnswerFields
	// says what is taken. It is trusted. One that cannot be read counts as
	// absent, and Booking.Ignored says so. Nil is no answer.
	Answer       []byte
	AnswerFields map[Property][]Path

	// Steer holds what the back end set by header. It is trusted. An action
	// that the request's method implies belongs here as well.
	Steer map[Property]string
}

// ErrIgnored means that a source of an Input could not be read and counted as
// absent. Decode returns it only together with FieldErrors.
var ErrIgnored = errors.New("ignored")

// Decode reads a booking. It returns an error that is ErrMediaType or
// ErrMalformed, both about the body and never if Lenient is set, or
// FieldErrors with everything that has to be mended. Those match ErrIgnored as
// well if a source was left out, since that may be why something is missing.
// Texts of errors name fields, never values. Start and End are in UTC and
// whole seconds.
//
// It is safe for concurrent use, as long as nobody changes the input and the
// rules.
func (in *Input) Decode(rules *Rules, now time.Time) (*Booking, error) {
	d := &decoder{rules: rules, now: now, partial: in.Partial}
	if err := in.addBody(d); err != nil {
		return nil, err
	}
	in.addAnswer(d)
	if len(in.Steer) > 0 {
		steer := steerSource(in.Steer)
		d.layers = append(d.layers, layer{src: steer, fields: steer.fields, trusted: true, saysZone: true})
	}
	b := d.booking()
	if len(d.errs) == 0 {
		return b, nil
	}
	if len(d.ignored) > 0 {
		return nil, fmt.Errorf("%w (%w: %s)", d.fieldErrors(), ErrIgnored, strings.Join(d.ignored, "; "))
	}
	return nil, d.fieldErrors()
}

// addBody adds the request's body to the decoder's layers.
func (in *Input) addBody(d *decoder) error {
	body := layer{src: noSource{}, fields: d.rules.paths, trusted: in.Trusted, saysZone: d.rules.writesInZone()}
	if !in.Lenient || len(in.Body) > 0 {
		src, err := readBody(in.ContentType, in.Body)
		switch {
		case err == nil:
			body.src = src
		case !in.Lenient:
			return err
		default:
			d.ignored = append(d.ignored, "the request's body: "+err.Error())
		}
	}
	d.layers = append(d.layers, body)
	return nil
}

// addAnswer adds what is wanted of the back end's answer, if it can be read.
func (in *Input) addAnswer(d *decoder) {
	if in.Answer == nil || len(in.AnswerFields) == 0 {
		return
	}
	src, err := parseJSON(in.Answer)
	if err != nil {
		d.ignored = append(d.ignored, "the back end's answer: "+err.Error())
		return
	}
	fields := func(p Property) []Path { return in.AnswerFields[p] }
	d.layers = append(d.layers, layer{src: src, fields: fields, trusted: true, saysZone: true})
}
