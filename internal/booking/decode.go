package booking

import (
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
)

// Decode reads a booking from a request's body, which the caller has bounded
// in size. It returns an error that is ErrMediaType or ErrMalformed, or
// FieldErrors with everything that has to be mended. Texts of errors name
// fields, never values. Start and End are in UTC and whole seconds.
//
// It is safe for concurrent use, as long as nobody changes the rules.
func Decode(contentType string, body []byte, rules *Rules, now time.Time) (*Booking, error) {
	src, err := readBody(contentType, body)
	if err != nil {
		return nil, err
	}
	d := &decoder{src: src, rules: rules, now: now}
	b := d.booking()
	if len(d.errs) > 0 {
		return nil, d.fieldErrors()
	}
	return b, nil
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
	src   source
	rules *Rules
	now   time.Time
	errs  []rankedError
	warns []FieldError
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
	b := &Booking{
		Client:  Person{Name: d.name(), Address: d.email()},
		HostKey: d.host(),
		Notes:   d.notes(),
		Extra:   d.extra(),
		Locale:  d.locale(),
	}
	b.Summary = d.line(PropSummary, maxSummary)
	b.Location = d.line(PropLocation, maxLocation)
	b.Guests = d.guests(b.Client.Address)

	zones := d.zones()
	b.Zone = zones.read
	b.Start, b.End = d.times(zones)
	b.Warnings = d.warns
	return b
}
