package caddyicalmail

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// changedEvent is the event as an order wants it. An order that says
// everything that a booking needs replaces all of it; one that does not, and
// every PATCH, changes only what it says. Identity and sender stay, so that
// calendars recognize it.
func (h *Handler) changedEvent(o *order, before *booking.Event) (*booking.Event, error) {
	b := *o.booking
	if o.partial(h.rules) {
		h.fillIn(&b, before)
	}
	fillInTimes(&b, before)
	if !b.End.After(b.Start) {
		return nil, booking.FieldErrors{{Field: string(booking.PropEnd), Detail: "is not after the start"}}
	}
	if b.End.Sub(b.Start) > booking.MaxLength {
		return nil, booking.FieldErrors{{Field: string(booking.PropEnd), Detail: "is more than 31 days after the start"}}
	}
	same := sameTimes(&b, before)
	if same {
		// What was accepted once needs no second check, which it might not
		// pass: an exception may name a time that does not exist.
		b.RRule, b.Exdates = "", nil
	}
	whole := *o
	whole.booking = &b
	if o.partial(h.rules) && !o.booking.Has(booking.PropHost) {
		whole.host = &before.Host // who may no longer be configured
	}
	e, err := h.newEvent(&whole)
	if err != nil {
		return nil, err
	}
	if same {
		e.RRule, e.Exdates, e.Zone = before.RRule, before.Exdates, before.Zone
		e.Occurrences, e.Until = before.Occurrences, before.Until
	}
	e.UID, e.ID, e.Sequence, e.Created, e.Modified = before.UID, before.ID, before.Sequence, before.Created, before.Modified
	e.Organizer, e.Scope, e.Consents = before.Organizer, before.Scope, before.Consents
	e.ClientSince = since(before.ClientSince, e.Client, before.Client, before)
	e.HostSince = since(before.HostSince, e.Host, before.Host, before)
	e.Mailer = before.Mailer
	h.adopt(e)
	return e, nil
}

// since is the SEQUENCE since which somebody has a part in an event, which is
// the next one if it was somebody else's before.
func since(until int, now, then booking.Person, before *booking.Event) int {
	if now.Address.Fold() == then.Address.Fold() {
		return until
	}
	return before.Sequence + 1
}

// sameTimes reports whether a booking keeps the times and recurrence of an
// event.
func sameTimes(b *booking.Booking, e *booking.Event) bool {
	return b.Start.Equal(e.Start) && b.End.Equal(e.End) &&
		b.RRule == e.RRule && slices.Equal(b.Exdates, e.Exdates)
}

// partial reports whether the order leaves open what it does not mention.
func (o *order) partial(rules *booking.Rules) bool {
	return o.request.Method == http.MethodPatch || len(o.booking.Missing(rules)) > 0
}

// fillIn takes from the event what the order does not mention.
func (h *Handler) fillIn(b *booking.Booking, before *booking.Event) {
	b.Client.Name = cmp.Or(b.Client.Name, before.Client.Name)
	if b.Client.Address.IsZero() {
		b.Client.Address = before.Client.Address
	}
	if !b.Has(booking.PropTimezone) {
		if zone, err := booking.LoadZone(before.ClientZone); err == nil {
			b.Zone = zone
		}
	}
	if !b.Has(booking.PropGuests) {
		b.Guests = before.Guests
	}
	if !b.Has(booking.PropDescription) {
		b.Notes = before.Notes
	}
	if len(b.Extra) == 0 {
		b.Extra = before.Extra
	}
	if !b.Has(booking.PropLocation) {
		b.Location = before.Location
	}
	if !b.Has(booking.PropSummary) && !h.isDefaultSummary(before) {
		b.Summary = before.Summary
	}
	if !b.Has(booking.PropRRule) && !b.Has(booking.PropExdate) {
		b.RRule, b.Exdates = before.RRule, shiftExdates(b, before)
	}
}

// shiftExdates moves the exceptions of a series by as much as its start, by
// the clock on the wall, so that they go on to name the same occurrences.
func shiftExdates(b *booking.Booking, before *booking.Event) []string {
	zone, err := booking.LoadZone(before.Zone)
	if err != nil || b.Start.IsZero() {
		return before.Exdates
	}
	moved := wallClock(b.Start.In(zone)).Sub(wallClock(before.Start.In(zone)))
	shifted := make([]string, 0, len(before.Exdates))
	for _, date := range before.Exdates {
		if t, err := time.Parse(icsLocal, date); err == nil {
			shifted = append(shifted, t.Add(moved).Format(icsLocal))
		}
	}
	return shifted
}

// wallClock is what clocks show at t, as a time that can be computed with.
func wallClock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// fillInTimes keeps the length of an event of which only the start is moved.
func fillInTimes(b *booking.Booking, before *booking.Event) {
	length := before.End.Sub(before.Start)
	if b.Length > 0 {
		length = b.Length
	}
	if b.Start.IsZero() {
		b.Start = before.Start
		if b.End.IsZero() && b.Length == 0 {
			b.End = before.End
		}
	}
	if b.End.IsZero() {
		b.End = b.Start.Add(length)
	}
}

// isDefaultSummary reports whether the event's title is made of the names, so
// that it changes when they do.
func (h *Handler) isDefaultSummary(e *booking.Event) bool {
	return e.Summary == truncate(e.Client.Name+" and "+e.Host.Name, maxSummary) ||
		e.Summary == truncate("Appointment with "+e.Client.Name, maxSummary)
}
