package recurrence

import (
	"iter"
	"slices"
	"time"
)

// completed returns the rule with the parts that it leaves to the start (RFC
// 5545, section 3.3.10: "information ... is derived from DTSTART").
func (s spec) completed(start time.Time) spec {
	if len(s.byMonthDay) > 0 || len(s.byDay) > 0 {
		return s
	}
	switch s.freq {
	case weekly:
		s.byDay = []dayEntry{{weekday: start.Weekday()}}
	case yearly:
		if len(s.byMonth) == 0 {
			s.byMonth = []int{int(start.Month())}
		}
		s.byMonthDay = []int{start.Day()}
	case monthly:
		s.byMonthDay = []int{start.Day()}
	}
	return s
}

// walls yields what the rule generates from the start on, ascending, for
// MaxYears at most. All times are wall times carried in UTC, so that clock
// changes are left to the caller.
func (s spec) walls(start time.Time) iter.Seq[time.Time] {
	s = s.completed(start)
	horizon := start.AddDate(MaxYears, 0, 0)
	return func(yield func(time.Time) bool) {
		for n := 0; ; n++ {
			first, after := s.period(start, n)
			if first.After(horizon) {
				return
			}
			for _, wall := range s.inPeriod(first, after) {
				if wall.After(horizon) {
					return
				}
				if !wall.Before(start) && !yield(wall) {
					return
				}
			}
		}
	}
}

// period returns the nth period: its first day and the day after its last, at
// the start's time of day.
func (s spec) period(start time.Time, n int) (first, after time.Time) {
	n *= s.interval
	switch s.freq {
	case yearly:
		first = start.AddDate(0, 0, 1-start.YearDay()).AddDate(n, 0, 0)
		return first, first.AddDate(1, 0, 0)
	case monthly:
		first = start.AddDate(0, 0, 1-start.Day()).AddDate(0, n, 0)
		return first, first.AddDate(0, 1, 0)
	case weekly:
		back := (int(start.Weekday()) - int(s.weekStart) + 7) % 7
		first = start.AddDate(0, 0, 7*n-back)
		return first, first.AddDate(0, 0, 7)
	default:
		first = start.AddDate(0, 0, n)
		return first, first.AddDate(0, 0, 1)
	}
}

// inPeriod returns the days of a period that match. BYSETPOS counts in the
// whole period, also in what lies before the start.
func (s spec) inPeriod(first, after time.Time) []time.Time {
	var days []time.Time
	for day := first; day.Before(after); day = day.AddDate(0, 0, 1) {
		if s.matches(day) {
			days = append(days, day)
		}
	}
	if len(s.bySetPos) == 0 {
		return days
	}
	var picked []time.Time
	for i, day := range days {
		if slices.Contains(s.bySetPos, i+1) || slices.Contains(s.bySetPos, i-len(days)) {
			picked = append(picked, day)
		}
	}
	return picked
}

// matches tells whether a day passes all BY parts.
func (s spec) matches(day time.Time) bool {
	if len(s.byMonth) > 0 && !slices.Contains(s.byMonth, int(day.Month())) {
		return false
	}
	if len(s.byMonthDay) > 0 && !slices.Contains(s.byMonthDay, day.Day()) &&
		!slices.Contains(s.byMonthDay, day.Day()-daysIn(day)-1) {
		return false
	}
	return len(s.byDay) == 0 || slices.ContainsFunc(s.byDay, func(d dayEntry) bool {
		return d.weekday == day.Weekday() && (d.nth == 0 || s.isNth(day, d.nth))
	})
}

// isNth tells whether a day is the nth of its weekday in its month or year.
func (s spec) isNth(day time.Time, nth int) bool {
	index, days := day.Day(), daysIn(day)
	if !s.inMonth() {
		index = day.YearDay()
		days = time.Date(day.Year(), time.December, 31, 0, 0, 0, 0, time.UTC).YearDay()
	}
	return nth == (index-1)/7+1 || nth == -((days-index)/7+1)
}

// daysIn returns the number of days of the day's month.
func daysIn(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
