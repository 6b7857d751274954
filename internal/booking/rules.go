package booking

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Property is something that a booking has, and that a form field may hold.
type Property string

// The properties in the order in which errors are reported. Those up to
// PropHost are read from the field of the same name unless they are mapped,
// the others only when they are mapped, because a public form must not write
// the operator's words. PropID is read from trusted sources only.
const (
	PropName        Property = "name"
	PropEmail       Property = "email"
	PropStart       Property = "start"
	PropEnd         Property = "end"
	PropDuration    Property = "duration"
	PropTimezone    Property = "timezone"
	PropDescription Property = "description"
	PropLocale      Property = "locale"
	PropHost        Property = "host"
	PropSummary     Property = "summary"
	PropLocation    Property = "location"
	PropGuests      Property = "guests"
	PropID          Property = "id"
	PropAction      Property = "action"
	PropRRule       Property = "rrule"
	PropExdate      Property = "exdate"
)

// properties lists all properties in the order in which errors are reported.
var properties = []Property{
	PropName, PropEmail, PropStart, PropEnd, PropDuration, PropTimezone, PropDescription,
	PropLocale, PropHost, PropSummary, PropLocation, PropGuests,
	PropID, PropAction, PropRRule, PropExdate,
}

// onlyMapped lists the properties that have no field unless they are mapped.
var onlyMapped = []Property{
	PropSummary, PropLocation, PropGuests, PropID, PropAction, PropRRule, PropExdate,
}

// clearable lists the properties that a change may empty.
var clearable = []Property{
	PropDescription, PropSummary, PropLocation, PropGuests, PropRRule, PropExdate,
}

// ParseProperty reads a property's name. The error lists the names there are.
func ParseProperty(s string) (Property, error) {
	if p := Property(s); slices.Contains(properties, p) {
		return p, nil
	}
	names := make([]string, len(properties))
	for i, p := range properties {
		names[i] = string(p)
	}
	return "", fmt.Errorf("unknown property %q, want one of %s", s, strings.Join(names, ", "))
}

// ExtraField is a further field of the form, and the label under which the
// host sees its answer.
type ExtraField struct {
	Field Path
	Label Line
}

// DefaultDuration is how long a booking is when neither the form nor
// Rules.Duration says it.
const DefaultDuration = time.Hour

// Rules say how a handler reads bookings. Nothing is computed in advance:
// filled as a struct literal they are ready, and as long as nobody changes
// them they are safe for concurrent use.
type Rules struct {
	// Fields maps properties to fields; several fields are joined by a space.
	// A property that is not in the map is read from the field of its own
	// name, except those that must be mapped. Nil is fine.
	Fields map[Property][]Path

	// Extra are further fields, for the host only.
	Extra []ExtraField

	// Consents are fields that must be ticked in a new booking by a stranger.
	Consents []ExtraField

	// Zone is the zone in which a time without an offset is meant. If it is
	// nil, such a time is an error.
	Zone *time.Location

	// Duration is how long a booking is when the form sends neither end nor
	// duration. Zero means DefaultDuration.
	Duration time.Duration

	// HostKeys are the hosts on offer. If there are none, the form's host
	// field is ignored.
	HostKeys []string

	// Organizer sends the invitations. A client or guest with this mailbox is
	// refused, because mail clients ignore an invitation from oneself.
	Organizer Address

	// MaxGuests is how many guests a booking may have besides the client.
	MaxGuests int
}

// paths returns the fields that hold a property, none if it is not read.
func (r *Rules) paths(p Property) []Path {
	if mapped, ok := r.Fields[p]; ok {
		return mapped
	}
	if slices.Contains(onlyMapped, p) {
		return nil
	}
	return []Path{{text: string(p)}}
}

// zone returns the zone in which a client reads times who does not say it.
func (r *Rules) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// length returns how long a booking is that does not say it.
func (r *Rules) length() time.Duration {
	if r.Duration > 0 {
		return r.Duration
	}
	return DefaultDuration
}

// writesInZone reports whether times without an offset are meant in the
// form's own time zone: only if the operator mapped it explicitly.
func (r *Rules) writesInZone() bool { return len(r.Fields[PropTimezone]) > 0 }
