package caddyicalmail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/recurrence"
)

// icsLocal is the form of a DATE-TIME that a TZID goes with (RFC 5545,
// section 3.3.5).
const icsLocal = "20060102T150405"

// setRecurrence checks the rule of a recurring booking and puts it into the
// event, in the zone in which it keeps its time of day.
func (h *Handler) setRecurrence(e *booking.Event, o *order) error {
	b := o.booking
	if b.RRule == "" {
		if len(b.Exdates) > 0 {
			return h.fieldError(booking.PropExdate, "needs an rrule")
		}
		return nil
	}
	zone := h.recurrenceZone(o)
	length := e.End.Sub(e.Start)
	rule, err := recurrence.Parse(b.RRule, b.Exdates, e.Start, zone, length)
	switch {
	case errors.Is(err, recurrence.ErrExdate):
		return h.fieldError(booking.PropExdate, err.Error())
	case err != nil:
		return h.fieldError(booking.PropRRule, err.Error())
	}
	e.RRule, e.Exdates, e.Zone = rule.RRule(), rule.Exdates(), zone.String()
	e.Occurrences = len(rule.Occurrences())
	e.Until = rule.Last().Add(length).UTC()
	return nil
}

// fieldError names the field as the form does.
func (h *Handler) fieldError(p booking.Property, detail string) error {
	return booking.FieldErrors{{Field: h.rules.Field(p), Detail: detail}}
}

// recurrenceZone is where a recurring event keeps its time of day: where its
// times were written, else where the host is, else where the client is. The
// timezone that a public form sends by itself is the browser's, and only says
// where the client reads.
func (h *Handler) recurrenceZone(o *order) *time.Location {
	_, mapped := h.rules.Fields[booking.PropTimezone]
	written := o.booking.Has(booking.PropTimezone) && (mapped || o.vouched)
	if h.zone == nil || written {
		return o.booking.Zone
	}
	return h.zone
}

// addTimes adds DTSTART, DTEND and, if the event recurs, its rule and the
// description of its zone, which goes before the event.
func (inv *invitation) addTimes(c *ics.Calendar, e *ics.VEvent) error {
	if inv.RRule == "" {
		e.SetProperty(ics.ComponentPropertyDtStart, inv.Start.UTC().Format(icsTime))
		e.SetProperty(ics.ComponentPropertyDtEnd, inv.End.UTC().Format(icsTime))
		return nil
	}
	zone, err := booking.LoadZone(inv.Zone)
	if err != nil {
		return fmt.Errorf("loading the zone of a recurring event: %w", err)
	}
	lines, err := recurrence.VTimezone(zone, inv.Start, inv.LastEnd())
	if err != nil {
		return fmt.Errorf("describing the zone of a recurring event: %w", err)
	}
	described, err := timezoneComponent(lines)
	if err != nil {
		return err
	}
	c.Components = append([]ics.Component{described}, c.Components...)
	// The library has no setter for local times. It writes the name of a
	// property as it is, so that the TZID can be put there: zone names hold
	// nothing that would need quoting.
	local := func(property string) ics.ComponentProperty {
		return ics.ComponentProperty(property + ";TZID=" + inv.Zone)
	}
	e.AddProperty(local("DTSTART"), inv.Start.In(zone).Format(icsLocal))
	e.AddProperty(local("DTEND"), inv.End.In(zone).Format(icsLocal))
	e.AddProperty(ics.ComponentPropertyRrule, inv.RRule)
	for _, date := range inv.Exdates {
		e.AddProperty(local("EXDATE"), date)
	}
	return nil
}

// timezoneComponent makes a component of the library's from content lines,
// because the library cannot write daylight saving time.
func timezoneComponent(lines []string) (ics.Component, error) {
	var open []*ics.GeneralComponent
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		switch {
		case !ok || name != "BEGIN" && len(open) == 0:
			return nil, errors.New("the description of the zone is not well formed")
		case name == "BEGIN":
			open = append(open, &ics.GeneralComponent{Token: value})
		case name == "END" && len(open) == 1:
			return open[0], nil
		case name == "END":
			last := len(open) - 1
			open[last-1].Components = append(open[last-1].Components, open[last])
			open = open[:last]
		default:
			open[len(open)-1].AddProperty(ics.ComponentProperty(name), value)
		}
	}
	return nil, errors.New("the description of the zone does not end")
}

// repeats says in words how the event recurs.
func (inv *invitation) repeats() string {
	if inv.RRule == "" {
		return ""
	}
	zone, err := inv.zone()
	if err != nil {
		return ""
	}
	last := inv.Until.Add(inv.Start.Sub(inv.End)).In(zone)
	words := fmt.Sprintf("Repeats %s, %d times in all, the last on %s", rhythm(inv.RRule), inv.Occurrences, dateInWords(last))
	if zone.String() != inv.Zone {
		words += ", always at the same time of day in " + inv.Zone
	}
	return words
}

// rhythm puts FREQ and INTERVAL of a canonical rule into words.
func rhythm(rule string) string {
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rule, ";") {
		name, value, _ := strings.Cut(part, "=")
		parts[name] = value
	}
	unit := map[string]string{"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}[parts["FREQ"]]
	if interval := parts["INTERVAL"]; interval != "" && interval != "1" {
		return "every " + interval + " " + unit + "s"
	}
	return "every " + unit
}
