package recurrence

import (
	"slices"
	"strconv"
	"time"
)

// maxExdates leaves room for a rule's own occurrences and for those that are
// skipped when clocks go forward, so that what Exdates returns is accepted.
const maxExdates = MaxCount + 2*MaxYears

// occurrence is an instant in the rule's zone, and what a clock shows there,
// carried in UTC.
type occurrence struct{ at, wall time.Time }

// expansion is what a rule generates in a zone, ascending.
type expansion struct {
	starts []occurrence // at least one

	// skipped do not take place, because no clock shows their wall time. Their
	// instant is the one that the offset before the gap gives.
	skipped []occurrence
}

// expand computes the occurrences of a rule that starts at the given instant.
func (s spec) expand(start time.Time, zone *time.Location) (expansion, error) {
	var found expansion
	for wall := range s.walls(localClock(start)) {
		at, exists := resolve(wall, zone)
		if len(found.starts) == 0 && !at.Equal(start) || s.count == 0 && at.After(s.until) {
			break
		}
		if !exists {
			found.skipped = append(found.skipped, occurrence{at, wall})
			continue
		}
		found.starts = append(found.starts, occurrence{at, wall})
		if len(found.starts) > MaxCount {
			return found, badRule("has more than " + strconv.Itoa(MaxCount) + " occurrences")
		}
		if len(found.starts) == s.count {
			break
		}
	}
	switch {
	case len(found.starts) == 0:
		return found, badRule("does not generate the start as its first occurrence")
	case len(found.starts) < s.count:
		return found, errTooLong()
	default:
		return found, nil
	}
}

// overlap tells whether an occurrence of that length runs into the next one.
func (e expansion) overlap(length time.Duration) bool {
	for i := 1; i < len(e.starts); i++ {
		if e.starts[i].at.Sub(e.starts[i-1].at) < length {
			return true
		}
	}
	return false
}

// except returns the indexes in starts that the exceptions name.
func (e expansion) except(exdates []string) (map[int]bool, error) {
	if len(exdates) > maxExdates {
		return nil, badExdate("has more than " + strconv.Itoa(maxExdates) + " dates")
	}
	excepted := map[int]bool{}
	for i, text := range exdates {
		place := " at place " + strconv.Itoa(i+1)
		m, ok := parseMoment(text)
		if !ok {
			return nil, badExdate("has something that is not a date or time such as 2027-03-12T10:00" + place)
		}
		n := slices.IndexFunc(e.starts, m.names)
		switch {
		case n >= 0:
			excepted[n] = true
		case !slices.ContainsFunc(e.skipped, m.names):
			return nil, badExdate("has a time that is not an occurrence" + place)
		}
	}
	if len(excepted) == len(e.starts) {
		return nil, badExdate("excepts all occurrences")
	}
	return excepted, nil
}

// localTimes returns what EXDATE has to name, ascending.
func (e expansion) localTimes(excepted map[int]bool) []string {
	var texts []string
	for i := range excepted {
		texts = append(texts, e.starts[i].wall.Format(basicLocal))
	}
	for _, s := range e.skipped {
		texts = append(texts, s.wall.Format(basicLocal))
	}
	slices.Sort(texts)
	return texts
}

// remaining returns the instants that are not excepted.
func (e expansion) remaining(excepted map[int]bool) []time.Time {
	var left []time.Time
	for i, o := range e.starts {
		if !excepted[i] {
			left = append(left, o.at)
		}
	}
	return left
}
