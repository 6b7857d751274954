package recurrence

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// maxSpan bounds the work for a time zone.
const maxSpan = 100 * 366 * 24 * time.Hour

// zoneName is a name that can stand in a TZID without escapes and quotes.
var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+\-/]{1,64}$`)

// VTimezone returns the VTIMEZONE component of a zone (RFC 5545, section
// 3.6.5), as unfolded content lines without CRLF. Its TZID is zone.String().
// The offsets that it gives agree with Go's for all instants from until
// until, and where the zone has fixed rules also after that.
//
// Onsets that follow a rule have an RRULE; those that do not (Morocco moves
// them with Ramadan) have a sub-component each, and there is never an RDATE:
// Outlook reads only rules. A zone whose offset does not change is one
// STANDARD from 1970 on.
//
// It is an error if the zone has no name that other programs know (Local), or
// the times are in the wrong order, more than 100 years apart, or in years that
// iCalendar cannot write.
func VTimezone(zone *time.Location, from, until time.Time) ([]string, error) {
	if zone == nil || zone == time.Local || !zoneName.MatchString(zone.String()) || zone.String() == "Local" {
		return nil, errors.New("the time zone has no name that can be written")
	}
	if until.Before(from) || until.Sub(from) > maxSpan || from.Year() < 2 || until.Year() > 9980 {
		return nil, errors.New("the range of a time zone is empty or too long")
	}
	lines := []string{"BEGIN:VTIMEZONE", "TZID:" + zone.String()}
	for _, o := range observances(zone, from, until) {
		lines = append(lines, o.lines()...)
	}
	return append(lines, "END:VTIMEZONE"), nil
}

// observance is a STANDARD or DAYLIGHT sub-component.
type observance struct {
	kind  kind
	onset time.Time // local time by the offset before it, carried in UTC
	rule  string    // value of RRULE, or empty
}

// observances returns the sub-components for all instants from until
// until, in the order of their first onset.
func observances(zone *time.Location, from, until time.Time) []observance {
	all := transitions(zone, from, until)
	needed := neededTransitions(all, from, until)
	var list []observance
	if len(needed) == 0 || needed[0].at.After(from) {
		list = append(list, fixed(zone, from))
	}
	for _, r := range runs(all) {
		list = append(list, r.observances(needed, until)...)
	}
	slices.SortStableFunc(list, func(a, b observance) int { return a.onset.Compare(b.onset) })
	return list
}

// fixed is the observance of a zone that has not changed for long.
func fixed(zone *time.Location, at time.Time) observance {
	name, offset := at.In(zone).Zone()
	year := min(1970, at.UTC().Year()-1)
	return observance{
		kind:  kind{from: offset, to: offset, name: name},
		onset: time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC),
	}
}

// lines returns the content lines of the sub-component.
func (o observance) lines() []string {
	component := "STANDARD"
	if o.kind.daylight {
		component = "DAYLIGHT"
	}
	lines := []string{
		"BEGIN:" + component,
		"DTSTART:" + o.onset.Format(basicLocal),
		"TZOFFSETFROM:" + offsetText(o.kind.from),
		"TZOFFSETTO:" + offsetText(o.kind.to),
	}
	// An abbreviation may be a number, such as +03. It is optional.
	if zoneName.MatchString(o.kind.name) {
		lines = append(lines, "TZNAME:"+o.kind.name)
	}
	if o.rule != "" {
		lines = append(lines, "RRULE:"+o.rule)
	}
	return append(lines, "END:"+component)
}

// offsetText writes seconds east of UTC as RFC 5545, section 3.3.14, wants
// them. Zero has a plus; seconds occur before there was standard time.
func offsetText(seconds int) string {
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	text := fmt.Sprintf("%s%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}
