package recurrence

import (
	"strconv"
	"time"
)

// checkEnd makes sure that the rule ends, once and soon enough.
func (s spec) checkEnd(start time.Time, zone *time.Location) error {
	horizon := endOfDay(localClock(start).Truncate(24*time.Hour).AddDate(MaxYears, 0, 0), zone)
	switch {
	case s.count == 0 && s.until.IsZero():
		return badRule("has neither COUNT nor UNTIL")
	case s.count > 0 && !s.until.IsZero():
		return badRule("has both COUNT and UNTIL")
	case s.count == 0 && s.until.Before(start):
		return badRule("has an UNTIL before the start")
	case s.count == 0 && s.until.After(horizon):
		return errTooLong()
	default:
		return nil
	}
}

func errTooLong() error {
	return badRule("goes on for more than " + strconv.Itoa(MaxYears) + " years")
}

// checkParts refuses what RFC 5545, section 3.3.10, forbids together, and what
// can never match.
func (s spec) checkParts() error {
	switch {
	case s.freq == "":
		return badRule("has no FREQ")
	case s.freq == weekly && len(s.byMonthDay) > 0:
		return badRule("has a BYMONTHDAY, which a weekly rule cannot have")
	case len(s.bySetPos) > 0 && len(s.byMonth)+len(s.byMonthDay)+len(s.byDay) == 0:
		return badRule("has a BYSETPOS without another BY part")
	default:
		return s.checkDays()
	}
}

// checkDays judges the numbers of BYDAY, which count within a month or a year.
func (s spec) checkDays() error {
	most := 0
	switch {
	case s.inMonth():
		most = 5
	case s.freq == yearly:
		most = 53
	}
	for _, d := range s.byDay {
		if d.nth != 0 && most == 0 {
			return badRule("has a BYDAY with a number, which only monthly and yearly rules can have")
		}
		if d.nth > most || d.nth < -most {
			return badRule("has a BYDAY whose number is out of range")
		}
	}
	return nil
}

// inMonth tells whether the numbers of BYDAY count within a month.
func (s spec) inMonth() bool {
	return s.freq == monthly || s.freq == yearly && len(s.byMonth) > 0
}
