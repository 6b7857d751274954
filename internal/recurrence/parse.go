package recurrence

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxRuleLength is longer than any rule that a person would write.
	maxRuleLength = 200

	// maxInterval is longer than MaxYears for every frequency.
	maxInterval = 366 * MaxYears
)

// parseSpec reads a rule's text. UNTIL is understood in the zone and may not
// be further away from the start than MaxYears.
func parseSpec(rule string, start time.Time, zone *time.Location) (spec, error) {
	s := spec{interval: 1, weekStart: time.Monday}
	text, err := cleanRule(rule)
	if err != nil {
		return s, err
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ";") {
		name, value, found := strings.Cut(part, "=")
		if !found || value == "" {
			return s, badRule("is not a list of NAME=VALUE such as FREQ=WEEKLY;COUNT=10")
		}
		if seen[name] {
			return s, badRule("has a part twice")
		}
		seen[name] = true
		if err := s.set(name, value, zone); err != nil {
			return s, err
		}
	}
	if err := s.checkEnd(start, zone); err != nil {
		return s, err
	}
	return s, s.checkParts()
}

// cleanRule returns the rule in upper case, without RRULE:. Letters outside
// ASCII are refused before that, because some have an upper case inside it.
func cleanRule(rule string) (string, error) {
	if len(rule) > maxRuleLength {
		return "", badRule("has more than " + strconv.Itoa(maxRuleLength) + " characters")
	}
	rule = strings.Trim(rule, " ")
	if strings.ContainsFunc(rule, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", badRule("has characters that no rule has")
	}
	rule = strings.TrimPrefix(strings.ToUpper(rule), "RRULE:")
	if rule == "" {
		return "", badRule("is empty")
	}
	return rule, nil
}

// set takes one part of the rule in.
func (s *spec) set(name, value string, zone *time.Location) (err error) {
	switch name {
	case "FREQ":
		s.freq, err = parseFrequency(value)
	case "INTERVAL":
		s.interval, err = parseCount(name, value, maxInterval)
	case "COUNT":
		s.count, err = parseCount(name, value, MaxCount)
	case "UNTIL":
		s.until, err = parseUntil(value, zone)
	case "BYMONTH":
		s.byMonth, err = parseNumbers(name, value, 1, 12)
	case "BYMONTHDAY":
		s.byMonthDay, err = parseNumbers(name, value, -31, 31)
	case "BYSETPOS":
		s.bySetPos, err = parseNumbers(name, value, -366, 366)
	case "BYDAY":
		s.byDay, err = parseDays(value)
	case "WKST":
		s.weekStart, err = parseWeekday(name, value)
	case "BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO":
		err = badRule("has " + name + ", which bookings cannot have")
	default:
		err = badRule("has a part that RFC 5545 does not know")
	}
	return err
}

func parseFrequency(value string) (frequency, error) {
	switch f := frequency(value); f {
	case daily, weekly, monthly, yearly:
		return f, nil
	case "SECONDLY", "MINUTELY", "HOURLY":
		return "", badRule("recurs more often than daily")
	default:
		return "", badRule("has a FREQ that is not DAILY, WEEKLY, MONTHLY or YEARLY")
	}
}

func parseUntil(value string, zone *time.Location) (time.Time, error) {
	m, ok := parseMoment(value)
	if !ok {
		return time.Time{}, badRule("has an UNTIL that is not a date and time such as 20270312T090000Z")
	}
	return m.end(zone), nil
}

// parseCount reads a number of one or more.
func parseCount(name, value string, most int) (int, error) {
	n, ok := parseNumber(value, 1, most)
	if !ok || value[0] == '+' {
		return 0, badRule("needs a number from 1 to " + strconv.Itoa(most) + " in " + name)
	}
	return n, nil
}

// parseNumbers reads a list of numbers. None of them may be 0.
func parseNumbers(name, value string, least, most int) ([]int, error) {
	var list []int
	for item := range strings.SplitSeq(value, ",") {
		n, ok := parseNumber(item, least, most)
		if !ok {
			return nil, badRule("has a " + name + " that is out of range or no number")
		}
		list = append(list, n)
	}
	return tidy(list, cmp.Compare[int]), nil
}

// parseNumber reads a number that is not 0, of few digits and within bounds.
func parseNumber(text string, least, most int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && len(text) <= 5 && n != 0 && n >= least && n <= most
}

// parseDays reads the list of BYDAY. How large the numbers may be depends on
// other parts: see checkParts.
func parseDays(value string) ([]dayEntry, error) {
	var list []dayEntry
	for item := range strings.SplitSeq(value, ",") {
		split := max(0, len(item)-2)
		weekday, err := parseWeekday("BYDAY", item[split:])
		if err != nil {
			return nil, err
		}
		entry := dayEntry{weekday: weekday}
		if split > 0 {
			nth, ok := parseNumber(item[:split], -53, 53)
			if !ok {
				return nil, badRule("has a BYDAY whose number is out of range")
			}
			entry.nth = nth
		}
		list = append(list, entry)
	}
	return tidy(list, compareDays), nil
}

func parseWeekday(name, value string) (time.Weekday, error) {
	i := slices.Index(weekdayNames(), value)
	if i < 0 {
		return 0, badRule("has a " + name + " that is not a weekday such as MO")
	}
	return time.Weekday(i), nil
}
