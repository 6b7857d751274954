package recurrence

import (
	"fmt"
	"strings"
	"time"
)

// onset is a day that recurs each year: the nth weekday of a month, the first
// such weekday from some day on, or a date.
type onset struct {
	month   time.Month
	nth     int // from 1, or from -1 back; 0 if it is not the nth of a month
	day     int // if nth is 0: a day of the month
	exact   bool
	weekday time.Weekday
}

// onsets returns all that fall on a day, those that calendars understand best
// first. A fifth weekday is left out, because not every month has one.
func onsets(day time.Time) []onset {
	month, weekday := day.Month(), day.Weekday()
	up, down := (day.Day()-1)/7+1, -((daysIn(day)-day.Day())/7 + 1)
	var list []onset
	for _, nth := range []int{down, up} {
		if nth == -1 || nth > 0 && nth < 5 {
			list = append(list, onset{month: month, nth: nth, weekday: weekday})
		}
	}
	if down < -1 && down > -5 {
		list = append(list, onset{month: month, nth: down, weekday: weekday})
	}
	list = append(list, onset{month: month, day: day.Day(), exact: true})
	return append(list, rangesAround(day)...)
}

// rangesAround returns the onsets "this weekday in these seven days" that fall
// on a day. Those within a month come first: the others need two rules. The
// end of February and of the year are not crossed.
func rangesAround(day time.Time) []onset {
	var within, across []onset
	for back := range 7 {
		first := day.AddDate(0, 0, -back)
		o := onset{month: first.Month(), day: first.Day(), weekday: day.Weekday()}
		switch last := first.Day() + 6; {
		case first.Month() == time.February && last > 28:
		case last <= daysIn(first):
			within = append(within, o)
		case first.Month() != time.December:
			across = append(across, o)
		}
	}
	return append(within, across...)
}

// in returns the onset's day in a year.
func (o onset) in(year int) time.Time {
	day := o.day
	switch {
	case o.exact:
		return time.Date(year, o.month, o.day, 0, 0, 0, 0, time.UTC)
	case o.nth > 0:
		day = 7*o.nth - 6
	case o.nth < 0:
		day = daysIn(time.Date(year, o.month, 1, 0, 0, 0, 0, time.UTC)) + 7*o.nth + 1
	}
	first := time.Date(year, o.month, day, 0, 0, 0, 0, time.UTC)
	return first.AddDate(0, 0, (int(o.weekday)-int(first.Weekday())+7)%7)
}

// partRule is the RRULE of the onsets within one month.
type partRule struct {
	month time.Month
	text  string
}

// rules returns the BY parts of an RRULE for the onset. Seven days across the
// end of a month are two rules, of which each year obeys one.
func (o onset) rules() []partRule {
	weekday := weekdayNames()[o.weekday]
	switch {
	case o.exact:
		return []partRule{{o.month, fmt.Sprintf("BYMONTH=%d;BYMONTHDAY=%d", o.month, o.day)}}
	case o.nth != 0:
		return []partRule{{o.month, fmt.Sprintf("BYMONTH=%d;BYDAY=%d%s", o.month, o.nth, weekday)}}
	}
	var parts []partRule
	var days []string
	month := o.month
	flush := func() {
		text := fmt.Sprintf("BYMONTH=%d;BYMONTHDAY=%s;BYDAY=%s", month, strings.Join(days, ","), weekday)
		parts = append(parts, partRule{month, text})
	}
	for n := range 7 {
		// No year's February is crossed, so that any year will do.
		day := time.Date(2001, o.month, o.day+n, 0, 0, 0, 0, time.UTC)
		if day.Month() != month {
			flush()
			month, days = day.Month(), nil
		}
		days = append(days, fmt.Sprint(day.Day()))
	}
	flush()
	return parts
}
