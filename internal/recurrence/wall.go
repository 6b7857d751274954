package recurrence

import "time"

const (
	// maxOffset is more than any zone is or was away from UTC.
	maxOffset = 16 * time.Hour

	// probeStep is shorter than any offset was ever in force.
	probeStep = 2 * time.Hour
)

// localClock returns what a clock on the wall shows at t, carried in UTC, where
// every wall time exists exactly once and can be computed with.
func localClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// resolve returns the instant of a wall time in a zone, in that zone. The wall
// time is carried in UTC. Of two instants it is the first. For a wall time that
// is skipped it reports false, and the instant is the one that the offset
// before the gap gives (RFC 5545, section 3.3.5).
//
// time.Date does not say which instant it returns in these cases, so the
// offsets in force around that time are tried.
func resolve(wall time.Time, zone *time.Location) (time.Time, bool) {
	var first time.Time
	tried := -1 << 31
	for away := -maxOffset; away <= maxOffset; away += probeStep {
		_, offset := wall.Add(away).In(zone).Zone()
		if offset == tried {
			continue
		}
		tried = offset
		t := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		_, there := t.Zone()
		if there == offset && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	if !first.IsZero() {
		return first, true
	}
	_, before := wall.Add(-maxOffset).In(zone).Zone()
	return wall.Add(-time.Duration(before) * time.Second).In(zone), false
}

// endOfDay returns the last second of a day in a zone. The day is a wall time
// at midnight, carried in UTC.
func endOfDay(day time.Time, zone *time.Location) time.Time {
	midnight, _ := resolve(day.AddDate(0, 0, 1), zone)
	return midnight.Add(-time.Second)
}
