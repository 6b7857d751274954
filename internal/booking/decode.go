package booking

import (
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
)

// Decode reads a new booking from a request's body alone, which nobody vouches
// for. It is the short form of Input.Decode.
func Decode(contentType string, body []byte, rules *Rules, now time.Time) (*Booking, error) {
	in := Input{ContentType: contentType, Body: body}
	return in.Decode(rules, now)
}

// readBody chooses the parser by the media type.
func readBody(contentType string, body []byte) (source, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if kind == "" {
		return nil, mediaType("the Content-Type is missing or not valid")
	}
	switch strings.ToLower(params["charset"]) {
	case "", "utf-8", "utf8", "us-ascii":
	default:
		return nil, mediaType("the charset must be UTF-8")
	}
	switch {
	case IsJSON(contentType):
		return parseJSON(body)
	case kind == "application/x-www-form-urlencoded":
		return parseForm(body)
	case kind == "multipart/form-data":
		if err != nil {
			return nil, malformed("the Content-Type has a parameter that is not valid")
		}
		return parseMultipart(body, params["boundary"])
	}
	return nil, mediaType("send application/json, application/x-www-form-urlencoded or multipart/form-data")
}

// mediaType makes an ErrMediaType that says in plain words what is wrong.
func mediaType(what string) error { return fmt.Errorf("%w: %s", ErrMediaType, what) }

// decoder collects a booking's errors, so that somebody can mend everything
// at once.
type decoder struct {
	layers  []layer // the first is the body; later ones win
	rules   *Rules
	now     time.Time
	partial bool // a change of a known event

	given   PropertySet
	errs    []rankedError
	warns   []FieldError
	ignored []string
}

// rankedError is an error with its property's place in the order of errors.
type rankedError struct {
	rank int
	FieldError
}

// fail reports an error about a field of a property.
func (d *decoder) fail(p Property, field, detail string) {
	rank := slices.Index(properties, p)
	if rank < 0 {
		rank = len(properties) // the extra fields come last
	}
	d.errs = append(d.errs, rankedError{rank, FieldError{field, detail}})
}

// fieldErrors returns the errors in the order of the properties, which is not
// the order of decoding: the zone must be known before the start.
func (d *decoder) fieldErrors() FieldErrors {
	slices.SortStableFunc(d.errs, func(a, b rankedError) int { return a.rank - b.rank })
	errs := make(FieldErrors, len(d.errs))
	for i, e := range d.errs {
		errs[i] = e.FieldError
	}
	return errs
}

// booking decodes every property. What it returns is of use only if no error
// was reported.
func (d *decoder) booking() *Booking {
	action := d.action()
	switch {
	case action == ActionSkip:
		return d.unread(action)
	case action == ActionCancel && d.partial:
		b := d.unread(action)
		b.ID = d.id()
		b.Given = d.given
		return b
	}
	b := &Booking{
		Client:   Person{Name: d.name(), Address: d.email()},
		HostKey:  d.host(),
		Notes:    d.notes(),
		Extra:    d.extra(),
		Consents: d.consents(),
		Locale:   d.locale(),
		ID:       d.id(),
		Action:   action,
		RRule:    d.rrule(),
		Exdates:  d.exdates(),
	}
	b.Summary = d.line(PropSummary, maxSummary)
	b.Location = d.line(PropLocation, maxLocation)
	b.Guests = d.guests(b.Client.Address)

	zones := d.zones()
	b.Zone = zones.read
	b.Start, b.End, b.Length = d.times(zones)
	b.Warnings, b.Given, b.Ignored = d.warns, d.given, d.ignored
	return b
}

// unread returns a booking of which no details are wanted, so that none of
// them can be wrong.
func (d *decoder) unread(action Action) *Booking {
	return &Booking{Action: action, Zone: d.rules.zone(), Given: d.given, Ignored: d.ignored}
}
