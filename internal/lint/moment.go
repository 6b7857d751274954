package lint

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// form says how a date-time is written (RFC 5545, section 3.3.5).
type form int

const (
	floating form = iota
	utc
	zoned
	day
)

// moment is a DATE-TIME or DATE. Its time is the written digits read as UTC,
// which is enough to compare two moments of the same form and zone.
type moment struct {
	time time.Time
	form form
	zone string
}

// errMoment says that a value is no date-time.
var errMoment = errors.New("not a date-time")

// duration is the form of RFC 5545, section 3.3.6.
var duration = regexp.MustCompile(`^\+?P(?:[0-9]+W|[0-9]+D(?:T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?|T(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)$`)

// parseMoment reads a property's value strictly: digits only, and a date that
// exists.
func parseMoment(p property) (moment, error) {
	m := moment{zone: p.text("TZID")}
	layout := "20060102T150405"
	valueType := strings.ToUpper(p.text("VALUE"))
	switch {
	case valueType == "DATE":
		m.form, layout = day, "20060102"
	case valueType != "" && valueType != "DATE-TIME":
		return m, errMoment
	case strings.HasSuffix(p.value, "Z"):
		m.form, layout = utc, layout+"Z"
	case m.zone != "":
		m.form = zoned
	}
	if len(p.value) != len(layout) {
		return m, errMoment
	}
	var err error
	m.time, err = time.Parse(layout, p.value)
	return m, err
}

// checkTimes judges when the event is (C6, C7; RFC 5545, sections 3.3.5,
// 3.8.2.2 and 3.8.2.4).
func checkTimes(r *report, inv invitation, e *component) {
	start, ok := e.first("DTSTART")
	if !ok {
		missingStart(r, inv)
		return
	}
	end, hasEnd := e.first("DTEND")
	from, fine := checkMoment(r, inv, start)
	length, hasLength := e.first("DURATION")
	switch {
	case hasEnd && hasLength:
		r.errorf("C7", "DTEND and DURATION exclude each other")
	case hasLength:
		if !duration.MatchString(length.value) || !strings.ContainsAny(length.value, "123456789") {
			r.errorf("C7", "DURATION is not a positive duration: %s", show(length.value))
		}
	case !hasEnd:
		r.warnf("C7", "the event has no DTEND")
	}
	if !hasEnd {
		return
	}
	to, endFine := checkMoment(r, inv, end)
	if !fine || !endFine {
		return
	}
	checkOrder(r, from, to)
}

// missingStart: a cancellation can do without the times, but some clients then
// do not find the event (U2; RFC 5546, section 3.2.5).
func missingStart(r *report, inv invitation) {
	if inv.method == "CANCEL" {
		r.warnf("U2", "the cancellation does not repeat DTSTART")
		return
	}
	r.errorf("C7", "the event has no DTSTART")
}

func checkOrder(r *report, from, to moment) {
	switch {
	case (from.form == day) != (to.form == day):
		r.errorf("C7", "one of DTSTART and DTEND is a date, the other is not")
	case from.form != to.form || from.zone != to.zone:
		// Without rules for both zones the two cannot be compared.
	case !to.time.After(from.time):
		r.errorf("C7", "DTEND is not after DTSTART")
	}
}

// checkMoment judges one date-time and says whether it could be read.
func checkMoment(r *report, inv invitation, p property) (moment, bool) {
	m, err := parseMoment(p)
	if err != nil {
		r.errorf("C7", "%s is not an existing date and time: %s", p.name, show(p.value))
		return m, false
	}
	switch {
	case m.form == utc && m.zone != "":
		r.errorf("C6", "%s has both a TZID and a Z", p.name)
	case m.form == floating:
		r.errorf("C6", "%s is floating, it has neither a Z nor a TZID: %s", p.name, show(p.value))
	case m.form == day:
		r.warnf("C6", "%s is a whole day, without a time", p.name)
	case m.form == zoned && inv.zone(m.zone) == nil:
		r.errorf("C6", "%s has the TZID %s, for which there is no VTIMEZONE", p.name, show(m.zone))
	}
	return m, true
}

// checkRecurrence judges RRULE (C6; RFC 5545, section 3.8.5.3). In UTC a
// series would move by an hour when the clocks change.
func checkRecurrence(r *report, _ invitation, e *component) {
	rule, ok := e.first("RRULE")
	if !ok {
		return
	}
	if !strings.Contains(";"+strings.ToUpper(rule.value), ";FREQ=") {
		r.errorf("C6", "RRULE has no FREQ: %s", show(rule.value))
	}
	start, _ := e.first("DTSTART")
	if m, err := parseMoment(start); err == nil && m.form == utc {
		r.warnf("C6", "the event repeats in UTC, it moves when the clocks change")
	}
}
