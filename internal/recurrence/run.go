package recurrence

import (
	"slices"
	"time"
)

// minRun is the least number of years that makes a rule: two dates of a zone
// without rules may well be alike.
const minRun = 3

// run is a series of transitions of one kind in consecutive years.
type run struct {
	list []transition

	// onsets are the rules that all of them follow, the best first.
	onsets []onset
}

// runs divides transitions into series that are as long as can be. Each
// transition is in exactly one of them.
func runs(all []transition) []*run {
	var list []*run
	for _, t := range all {
		joined := slices.ContainsFunc(list, func(r *run) bool { return r.join(t) })
		if !joined {
			list = append(list, &run{list: []transition{t}, onsets: onsets(t.local)})
		}
	}
	return list
}

// join takes the transition in if it continues the series.
func (r *run) join(t transition) bool {
	last := r.list[len(r.list)-1]
	if last.kind != t.kind || last.local.Year()+1 != t.local.Year() {
		return false
	}
	day := t.local.Truncate(24 * time.Hour)
	var left []onset
	for _, o := range r.onsets {
		if o.in(day.Year()).Equal(day) {
			left = append(left, o)
		}
	}
	if len(left) == 0 {
		return false
	}
	r.list, r.onsets = append(r.list, t), left
	return true
}

// observances returns the sub-components of the series, or none if no needed
// transition is in it.
func (r *run) observances(needed []transition, until time.Time) []observance {
	wanted := slices.DeleteFunc(slices.Clone(r.list), func(t transition) bool {
		return !slices.Contains(needed, t)
	})
	if len(wanted) == 0 {
		return nil
	}
	if len(r.list) >= minRun {
		return r.recurring(until)
	}
	var list []observance
	for _, t := range wanted {
		list = append(list, observance{kind: t.kind, onset: t.local})
	}
	return list
}

// recurring returns the sub-components with rules. A series that ends within
// the range has an UNTIL, which section 3.3.10 wants in UTC. It is a day after
// the last onset, because some programs (python-dateutil) take it for local
// time and would miss that onset.
func (r *run) recurring(until time.Time) []observance {
	rule := "FREQ=YEARLY;"
	if last := r.list[len(r.list)-1].at; !last.After(until) {
		rule += "UNTIL=" + last.UTC().AddDate(0, 0, 1).Format(basicUTC) + ";"
	}
	var list []observance
	for _, part := range r.onsets[0].rules() {
		first := slices.IndexFunc(r.list, func(t transition) bool { return t.local.Month() == part.month })
		if first >= 0 {
			list = append(list, observance{r.list[first].kind, r.list[first].local, rule + part.text})
		}
	}
	return list
}
