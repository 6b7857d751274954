package booking

import (
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
	z := zones{read: d.rules.zone(), write: d.rules.Zone}
	in := d.read(PropTimezone)
	explicit := d.layers[in.layer].saysZone
	if in.text == "" {
		z.bad = in.bad && explicit
		return z
	}
	zone, err := LoadZone(strings.TrimSpace(in.text))
	if err != nil {
		d.failInput(in, err.Error())
		z.bad = explicit
		return z
	}
	z.read = zone
	if explicit {
		z.write = zone
	}
	return z
}

// moment is a time as it was written, and the instant that it means. The zero
// value is a time that is absent, and may be.
type moment struct {
	parsedTime
	at     time.Time
	ok     bool
	failed bool // an error has been reported
}

// times reads start, end and duration. What is absent in a change is zero, as
// is everything if an error was reported.
func (d *decoder) times(z zones) (start, end time.Time, length time.Duration) {
	endInput, lengthInput := d.endAndDuration()
	first := d.start(z)
	last := d.end(endInput, z, first)
	length = d.duration(lengthInput, first, last)
	switch {
	case first.failed || last.failed:
		return time.Time{}, time.Time{}, 0
	case last.ok || !first.ok:
		return first.at, last.at, length
	case length > 0:
		return first.at, first.at.Add(length), length
	case d.partial:
		return first.at, time.Time{}, 0
	}
	return first.at, first.at.Add(d.rules.length()), 0
}

// endAndDuration reads the two properties that say how long a booking is. If
// they come from different layers, the earlier one is left out.
func (d *decoder) endAndDuration() (end, duration input) {
	end, duration = d.find(PropEnd), d.find(PropDuration)
	switch {
	case !end.says() || !duration.says() || end.layer == duration.layer:
	case end.layer > duration.layer:
		duration = input{prop: PropDuration}
	default:
		end = input{prop: PropEnd}
	}
	d.take(end)
	d.take(duration)
	return end, duration
}

// start reads the start, which is required in a new booking. A change is not
// compared with now: it may keep the start of a series that has begun.
func (d *decoder) start(z zones) moment {
	in := d.read(PropStart)
	if in.text == "" {
		d.absent(in)
		return moment{failed: in.bad || !d.partial}
	}
	if d.lacksPart(in) {
		return moment{failed: true}
	}
	m := d.moment(in, z, moment{})
	if !m.ok || d.partial {
		return m
	}
	if problem := startProblem(m.at, d.now); problem != "" {
		return d.failMoment(in, problem)
	}
	return m
}

// startProblem is what is wrong with a start when it is now, or empty.
func startProblem(start, now time.Time) string {
	switch {
	case start.Before(now.Add(-pastGrace)):
		return problemPast
	case start.After(now.AddDate(maxYears, 0, 0)):
		return problemFar
	}
	return ""
}

// CheckStart refuses a start that is over or too far ahead. Decode does it for
// new bookings; whoever decodes with Input.Partial has to.
func (b *Booking) CheckStart(rules *Rules, now time.Time) error {
	if problem := startProblem(b.Start, now); problem != "" {
		return FieldErrors{{Field: rules.Field(PropStart), Detail: problem}}
	}
	return nil
}

// failMoment reports what is wrong with a time.
func (d *decoder) failMoment(in input, detail string) moment {
	d.failInput(in, detail)
	return moment{failed: true}
}

// lacksPart reports a joined value of which one part is missing.
func (d *decoder) lacksPart(in input) bool {
	if in.bad || in.missing == "" {
		return in.bad
	}
	d.fail(in.prop, in.missing, problemMissing)
	return true
}

// end reads the end. In a change it may stand alone, and then only whoever
// knows the event can tell whether it comes after the start.
func (d *decoder) end(in input, z zones, start moment) moment {
	if in.text == "" {
		return moment{failed: in.bad}
	}
	if d.lacksPart(in) {
		return moment{failed: true}
	}
	m := d.moment(in, z, start)
	switch {
	case !m.ok || !start.ok:
		return m
	case !m.at.After(start.at):
		return d.failMoment(in, problemOrder)
	case m.at.Sub(start.at) > MaxLength:
		return d.failMoment(in, problemLong)
	}
	return m
}

// duration reads how long the booking is, zero if that was not sent. A form
// that sends the end as well must not contradict itself.
func (d *decoder) duration(in input, start, end moment) time.Duration {
	if in.text == "" {
		return 0
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
		if start.failed {
			return moment{failed: true} // the fault is the start's
		}
		problem = problemTimeOnly
	}
	if problem != "" {
		return d.failMoment(in, problem)
	}
	if !t.isWall {
		return moment{parsedTime: t, at: t.instant, ok: true}
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
		return moment{failed: true}
	case z.write == nil:
		return d.failMoment(in, problemNoZone)
	}
	instants := t.wall.instants(z.write)
	if len(instants) == 0 {
		return d.failMoment(in, "does not exist in "+z.write.String()+": the clocks are set forward")
	}
	if len(instants) > 1 {
		d.warns = append(d.warns, FieldError{in.field, "happens twice in " + z.write.String() +
			", because the clocks are set back: the first was taken"})
	}
	return moment{parsedTime: t, at: instants[0], ok: true}
}
