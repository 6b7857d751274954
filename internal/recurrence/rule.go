// Package recurrence judges the rules of recurring bookings (RFC 5545, section
// 3.3.10) and describes time zones to calendars (section 3.6.5).
//
// A recurring booking is written with a local start, a rule, exceptions and a
// VTIMEZONE, so that a weekly 10:00 stays at 10:00 when clocks change. Calendar
// programs disagree about the corners of the standard: what happens to 02:30 on
// the night when it is skipped, which days BYSETPOS counts, whether a start
// that the rule does not generate is an occurrence. This package either writes
// a rule in such a way that all readings agree, or refuses it.
//
// The rules come from strangers. All work is bounded: at most MaxYears of days
// are looked at, whatever the rule says.
package recurrence

import (
	"slices"
	"time"
)

const (
	// MaxCount is the most occurrences that a rule may have, exceptions
	// included: a day's worth for every day of a year.
	MaxCount = 366

	// MaxYears is the most that the last occurrence may be after the first.
	MaxYears = 10
)

// basicLocal and basicUTC are the forms of RFC 5545, section 3.3.5.
const (
	basicLocal = "20060102T150405"
	basicUTC   = "20060102T150405Z"
)

// Rule is a validated recurrence rule (RFC 5545, section 3.3.10) in canonical
// text, with its exceptions. It does not change.
type Rule struct {
	text        string
	exdates     []string
	occurrences []time.Time
	last        time.Time
}

// Parse reads a rule such as "FREQ=WEEKLY;COUNT=10", in any case and with or
// without a leading "RRULE:", for an event that first starts at the given
// instant, lasts the given length, and keeps its local time in the given zone
// (nil is UTC). Fractions of a second of the start are dropped.
//
// COUNT or UNTIL is required; see MaxCount and MaxYears. UNTIL may be a date,
// which is the end of that day in the zone, a local time, or UTC. The start
// must be the rule's first occurrence, and no occurrence may run into the next.
//
// An exception names one occurrence: by RFC 3339, by local date and time
// (2027-03-12T10:00), by date alone, or in the forms of iCalendar. The first
// occurrence may be excepted, but not all of them.
//
// An occurrence whose local time is skipped when clocks go forward does not
// take place and does not count (RFC 5545, section 3.3.10), although section
// 3.3.5 makes some calendars show it an hour later. Parse therefore excepts it
// by name, and replaces COUNT, which those calendars use up on it, by UNTIL. A
// time that happens twice is the first of the two, as section 3.3.5 says.
//
// The error is one of ErrRule and ErrExdate.
func Parse(rule string, exdates []string, start time.Time, zone *time.Location, length time.Duration) (*Rule, error) {
	if zone == nil {
		zone = time.UTC
	}
	start = start.Truncate(time.Second).In(zone)
	if err := checkStart(start, zone); err != nil {
		return nil, err
	}
	s, err := parseSpec(rule, start, zone)
	if err != nil {
		return nil, err
	}
	found, err := s.expand(start, zone)
	if err != nil {
		return nil, err
	}
	if found.overlap(length) {
		return nil, badRule("has occurrences that overlap")
	}
	excepted, err := found.except(exdates)
	if err != nil {
		return nil, err
	}
	last := found.starts[len(found.starts)-1].at
	if len(found.skipped) > 0 && s.count > 0 {
		s.count, s.until = 0, last
	}
	return &Rule{
		text:        s.String(),
		exdates:     found.localTimes(excepted),
		occurrences: found.remaining(excepted),
		last:        last,
	}, nil
}

// checkStart refuses a start that DTSTART cannot say: iCalendar has years of
// four digits, and no way to mean the second of two equal local times.
func checkStart(start time.Time, zone *time.Location) error {
	if start.Year() < 1 || start.Year()+MaxYears > 9998 {
		return badRule("starts in a year that calendars cannot hold")
	}
	if first, _ := resolve(localClock(start), zone); !first.Equal(start) {
		return badRule("starts at the second of two equal local times, when clocks go back")
	}
	return nil
}

// RRule returns the value of the RRULE property, in upper case and with its
// parts in a fixed order: FREQ=WEEKLY;COUNT=10;BYDAY=FR. Values that are the
// standard's default are left out. UNTIL is in UTC, as section 3.3.10 requires
// beside a DTSTART with a TZID.
func (r *Rule) RRule() string { return r.text }

// Exdates returns the values for EXDATE with the zone's TZID, as local times
// (20270312T100000), ascending, each once. Besides what was excepted they name
// the occurrences whose local time is skipped.
func (r *Rule) Exdates() []string { return slices.Clone(r.exdates) }

// Occurrences returns the starts that are left after the exceptions,
// ascending, in the zone of the rule. There is at least one.
func (r *Rule) Occurrences() []time.Time { return slices.Clone(r.occurrences) }

// Last returns the last start, before exceptions are applied: a calendar
// program computes it too, so a VTIMEZONE has to reach that far.
func (r *Rule) Last() time.Time { return r.last }
