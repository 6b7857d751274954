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

// Booking is what was asked for, decoded and validated. One that was decoded
// with Input.Partial describes a change: what was not sent is zero in it, and
// Has tells that from what was sent empty.
type Booking struct {
	Client Person
	Guests []Person

	// HostKey is the form's choice among the configured hosts. It is empty
	// when the handler has a single host.
	HostKey string

	// Start and End are instants; End is after Start. In a change either may
	// be zero: it was not sent, and whoever knows the event has to compare the
	// other one with it.
	Start, End time.Time

	// Length is the duration that was sent, zero if there was none or if a
	// later source has an end instead. In a change that has a Start and
	// neither End nor Length, the event keeps its length.
	Length time.Duration

	// Zone is the zone in which the client reads times: the form's timezone,
	// else the handler's, else UTC. It is never nil.
	Zone *time.Location

	// Summary and Location are set only when the operator mapped them to
	// fields, or the back end said them.
	Summary, Location Line

	// Notes is the form's description. It is shown to the host only.
	Notes Text

	Extra  []Answer
	Locale string

	// Consents are the labels of what the client agreed to, in the order of
	// Rules.Consents.
	Consents []Line `json:",omitempty"`

	// ID is the booking's own identity at the sender. It comes from sources
	// that are trusted, and is never a public body's.
	ID Line

	// Action is what is to be done. With ActionSkip, and ActionCancel in a
	// change, nothing else is set but ID, Zone, Given and Ignored.
	Action Action

	// RRule and Exdates are a recurrence rule and its exceptions as they were
	// sent: clean and bounded, but not yet understood
	// (RFC 5545, sections 3.8.5.3 and 3.8.5.1).
	RRule   string   `json:",omitempty"`
	Exdates []string `json:",omitempty"`

	// Given tells which properties were sent, see Has.
	Given PropertySet

	// Warnings tell the client what was decided on its behalf, for example
	// that an ambiguous local time was taken as the first of the two.
	Warnings []FieldError

	// Ignored names the sources that could not be read and counted as absent,
	// and why, for the operator's log. It holds no values.
	Ignored []string
}

// Has reports whether p was sent. A description, summary, location,
// recurrence or list of guests counts also if it was sent empty, because a
// change may clear it; everything else counts only if there is something in it.
func (b *Booking) Has(p Property) bool { return b.Given.Has(p) }
