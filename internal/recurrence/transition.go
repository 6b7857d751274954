package recurrence

import (
	"sort"
	"time"
)

// yearsAhead is how far beyond the range a zone is looked at, so that a rule
// can be told from dates that are alike by chance.
const yearsAhead = 8

// kind is what the onsets of one rule have in common.
type kind struct {
	from, to int           // seconds east of UTC
	clock    time.Duration // local time of day of the onset, by from
	name     string        // abbreviation from the onset on
	daylight bool
}

// transition is a change of a zone's offset.
type transition struct {
	at    time.Time
	local time.Time // by the offset before it, carried in UTC
	kind  kind
}

// transitions returns the changes of a zone's offset from the year before from
// to some years after until, ascending.
//
// They are found by probing each day: Time.ZoneBounds would be quicker, but
// gives an end before the start on the last day of a leap year (Go 1.26).
func transitions(zone *time.Location, from, until time.Time) []transition {
	var found []transition
	at := time.Date(from.UTC().Year()-1, time.January, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(until.UTC().Year()+1+yearsAhead, time.January, 1, 0, 0, 0, 0, time.UTC)
	for offset := offsetAt(zone, at); at.Before(end); {
		next := at.AddDate(0, 0, 1)
		if there := offsetAt(zone, next); there != offset {
			found = append(found, newTransition(zone, bisect(zone, at, offset)))
			offset = there
		}
		at = next
	}
	return found
}

// bisect returns the first second of the day after at that has another offset.
func bisect(zone *time.Location, at time.Time, offset int) time.Time {
	seconds := sort.Search(24*60*60, func(s int) bool {
		return offsetAt(zone, at.Add(time.Duration(s)*time.Second)) != offset
	})
	return at.Add(time.Duration(seconds) * time.Second)
}

func offsetAt(zone *time.Location, at time.Time) int {
	_, offset := at.In(zone).Zone()
	return offset
}

func newTransition(zone *time.Location, at time.Time) transition {
	before, after := at.Add(-time.Second).In(zone), at.In(zone)
	name, to := after.Zone()
	from := offsetAt(zone, before)
	local := at.Add(time.Duration(from) * time.Second)
	return transition{at: at, local: local, kind: kind{
		from:     from,
		to:       to,
		clock:    local.Sub(local.Truncate(24 * time.Hour)),
		name:     name,
		daylight: isDaylight(before, after),
	}}
}

// isDaylight tells whether daylight time begins between two instants. Time
// zone data calls Irish winter time and Moroccan Ramadan time a daylight time
// that is behind standard time. Calendar programs know only daylight time that
// is ahead, so there the two change places; the offsets are the same.
func isDaylight(before, after time.Time) bool {
	_, from := before.Zone()
	_, to := after.Zone()
	if after.IsDST() == before.IsDST() {
		return after.IsDST()
	}
	return to > from
}

// neededTransitions returns those that tell the offsets from until until:
// the last one before, all within, and one after, so that there is also the
// half of the year that the range does not reach.
func neededTransitions(all []transition, from, until time.Time) []transition {
	first := sort.Search(len(all), func(i int) bool { return all[i].at.After(from) })
	last := sort.Search(len(all), func(i int) bool { return all[i].at.After(until) })
	return all[max(0, first-1):min(len(all), last+1)]
}
