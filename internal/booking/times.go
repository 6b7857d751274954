package booking

import (
	"slices"
	"strings"
	"time"
)

// Limits of a booking's start, relative to now.
const (
	pastGrace = 5 * time.Minute // how far in the past it may be
	maxYears  = 10              // beyond that it is a typing error
)

// What can be wrong with the times of a booking.
const (
	problemNoZone   = "has no time zone: send it with an offset, as in 2027-03-05T10:30:00+01:00"
	problemPast     = "is in the past"
	problemFar      = "is more than 10 years away"
	problemOrder    = "is not after the start"
	problemLong     = "is more than 31 days after the start"
	problemMismatch = "does not match the end"
)

// zones are the time zones that matter for one booking.
type zones struct {
	read  *time.Location // in which the client reads; never nil
	write *time.Location // in which times without an offset are meant, or nil
	bad   bool           // the form's zone, which times depend on, is wrong
}

// zones reads the form's zone. The browser's zone says how the client reads
// times; how they were written it says only if the operator mapped it.
func (d *decoder) zones() zones {
	z := zones{read: d.rules.Zone, write: d.rules.Zone}
	if z.read == nil {
		z.read = time.UTC
	}
	in := d.read(PropTimezone)
	if in.text == "" {
		z.bad = in.bad && d.rules.writesInZone()
		return z
	}
	zone, err := LoadZone(strings.TrimSpace(in.text))
	if err != nil {
		d.failInput(in, err.Error())
		z.bad = d.rules.writesInZone()
		return z
	}
	z.read = zone
	if d.rules.writesInZone() {
		z.write = zone
	}
	return z
}

// moment is a time as it was written, and the instant that it means.
type moment struct {
	parsedTime
	at time.Time
	ok bool
}

// times reads start and end. They are zero if an error was reported.
func (d *decoder) times(z zones) (start, end time.Time) {
	first := d.start(z)
	last, given := d.end(z, first)
	length := d.duration(first, last)
	if !first.ok || given && !last.ok {
		return time.Time{}, time.Time{}
	}
	if given {
		return first.at, last.at
	}
	return first.at, first.at.Add(length)
}

// start reads the start, which is required.
func (d *decoder) start(z zones) moment {
	in := d.read(PropStart)
	if in.text == "" {
		d.absent(in)
		return moment{}
	}
	if d.lacksPart(in) {
		return moment{}
	}
	m := d.moment(in, z, moment{})
	switch {
	case !m.ok:
		return m
	case m.at.Before(d.now.Add(-pastGrace)):
		d.failInput(in, problemPast)
		m.ok = false
	case m.at.After(d.now.AddDate(maxYears, 0, 0)):
		d.failInput(in, problemFar)
		m.ok = false
	}
	return m
}

// lacksPart reports a joined time of which one part is missing.
func (d *decoder) lacksPart(in input) bool {
	if in.bad || in.missing == "" {
		return in.bad
	}
	d.fail(in.prop, in.missing, problemMissing)
	return true
}

// end reads the end; given tells whether the form sent one.
func (d *decoder) end(z zones, start moment) (m moment, given bool) {
	in := d.read(PropEnd)
	if in.bad {
		return moment{}, true
	}
	if in.text == "" || in.missing != "" && d.sharesStart() {
		return moment{}, false
	}
	if d.lacksPart(in) {
		return moment{}, true
	}
	m = d.moment(in, z, start)
	if !m.ok || !start.ok {
		return m, true
	}
	switch {
	case !m.at.After(start.at):
		d.failInput(in, problemOrder)
		m.ok = false
	case m.at.Sub(start.at) > MaxLength:
		d.failInput(in, problemLong)
		m.ok = false
	}
	return m, true
}

// sharesStart reports whether all that the form sent of the end belongs to
// the start as well, as the date does in "start date from" and "end date to".
func (d *decoder) sharesStart() bool {
	for _, path := range d.rules.paths(PropEnd) {
		text, _, _ := scalar(d.src.find(path))
		if text != "" && !slices.Contains(d.rules.paths(PropStart), path) {
			return false
		}
	}
	return true
}

// duration reads how long the booking is. A form that sends the end as well
// must not contradict itself.
func (d *decoder) duration(start, end moment) time.Duration {
	in := d.read(PropDuration)
	if in.text == "" {
		if d.rules.Duration > 0 {
			return d.rules.Duration
		}
		return DefaultDuration
	}
	length, problem := parseDuration(in.text)
	if problem == "" && start.ok && end.ok && end.at.Sub(start.at) != length {
		problem = problemMismatch
	}
	if problem != "" {
		d.failInput(in, problem)
	}
	return length
}

// moment finds the instant that a time means. A time of day alone belongs to
// the day of start, if that was written as a wall time.
func (d *decoder) moment(in input, z zones, start moment) moment {
	t, problem := parseTime(in.text, in.number)
	if problem == "" && t.noDate && !start.isWall {
		if in.prop == PropEnd && !start.ok {
			return moment{} // the fault is the start's, and has been reported
		}
		problem = problemTimeOnly
	}
	if problem != "" {
		d.failInput(in, problem)
		return moment{}
	}
	if !t.isWall {
		return moment{t, t.instant, true}
	}
	if t.noDate {
		t.wall.year, t.wall.month, t.wall.day = start.wall.year, start.wall.month, start.wall.day
	}
	return d.resolve(in, z, t)
}

// resolve finds the instant of a wall time.
func (d *decoder) resolve(in input, z zones, t parsedTime) moment {
	switch {
	case z.bad: // has been reported, and says nothing about this field
		return moment{}
	case z.write == nil:
		d.failInput(in, problemNoZone)
		return moment{}
	}
	instants := t.wall.instants(z.write)
	if len(instants) == 0 {
		d.failInput(in, "does not exist in "+z.write.String()+": the clocks are set forward")
		return moment{}
	}
	if len(instants) > 1 {
		d.warns = append(d.warns, FieldError{in.field, "happens twice in " + z.write.String() +
			", because the clocks are set back: the first was taken"})
	}
	return moment{t, instants[0], true}
}
