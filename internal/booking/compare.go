package booking

import (
	"slices"
	"time"
)

// LastEnd is when the event is over: its end or, if it recurs, that of its
// last occurrence.
func (e *Event) LastEnd() time.Time {
	if e.Until.After(e.End) {
		return e.Until
	}
	return e.End
}

// SameContent reports whether two states of an event say the same to everybody
// who is invited, so that there is nothing to send.
func (e *Event) SameContent(other *Event) bool {
	return e.Status == other.Status &&
		e.Start.Equal(other.Start) && e.End.Equal(other.End) &&
		e.RRule == other.RRule && e.Zone == other.Zone && slices.Equal(e.Exdates, other.Exdates) &&
		e.ClientZone == other.ClientZone && e.HostZone == other.HostZone &&
		e.Summary == other.Summary && e.Location == other.Location && e.Description == other.Description &&
		e.Organizer == other.Organizer && e.Host == other.Host && e.Client == other.Client &&
		slices.Equal(e.Guests, other.Guests) &&
		e.Notes == other.Notes && slices.Equal(e.Extra, other.Extra)
}

// Missing lists what a change lacks to be a booking of its own.
func (b *Booking) Missing(rules *Rules) FieldErrors {
	var missing FieldErrors
	lacks := func(p Property, is bool) {
		if is {
			missing = append(missing, FieldError{Field: rules.Field(p), Detail: problemMissing})
		}
	}
	lacks(PropName, b.Client.Name == "")
	lacks(PropEmail, b.Client.Address.IsZero())
	lacks(PropStart, b.Start.IsZero())
	lacks(PropHost, len(rules.HostKeys) > 0 && b.HostKey == "")
	return missing
}

// Field names the field of the form from which a property is read, for errors.
func (r *Rules) Field(p Property) string {
	if paths := r.paths(p); len(paths) > 0 {
		return paths[0].String()
	}
	return string(p)
}
