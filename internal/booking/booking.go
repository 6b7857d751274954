// Package booking turns the body of a booking request into a validated
// Booking, and a Booking into an Event.
//
// Everything that a user typed passes through this package exactly once and
// leaves it in a type that says what was done to it: Line and Text are clean,
// an Address is an addr-spec that can be put into an SMTP envelope as it is.
// The rest of the plugin never sees the raw input.
package booking

import "time"

// Person is somebody who is invited: an address and, if known, a name.
type Person struct {
	Address Address `json:"address"`
	Name    Line    `json:"name,omitempty"`
}

// Answer is a further answer of the form (a telephone number, a topic) under
// the operator's label. It is shown to the host only.
type Answer struct {
	Label Line `json:"label"`
	Value Text `json:"value"`
}

// Booking is what was asked for, decoded and validated.
type Booking struct {
	Client Person
	Guests []Person

	// HostKey is the form's choice among the configured hosts. It is empty
	// when the handler has a single host.
	HostKey string

	// Start and End are instants; End is after Start.
	Start, End time.Time

	// Zone is the zone in which the client reads times: the form's timezone,
	// else the handler's, else UTC. It is never nil.
	Zone *time.Location

	// Summary and Location are set only when the operator mapped them to
	// form fields.
	Summary, Location Line

	// Notes is the form's description. It is shown to the host only.
	Notes Text

	Extra  []Answer
	Locale string

	// Warnings tell the client what was decided on its behalf, for example
	// that an ambiguous local time was taken as the first of the two.
	Warnings []FieldError
}
