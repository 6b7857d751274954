package booking

import (
	"strconv"
	"strings"
	"time"
)

// MaxLength is how long a booking may be.
const MaxLength = 31 * 24 * time.Hour

const (
	problemDuration     = "is not a duration such as 45m, PT45M or 45 (minutes)"
	problemDurationLong = "is longer than 31 days"
	problemDurationZero = "is not longer than nothing"
)

// parseDuration reads a duration: a bare number of minutes, a Go duration
// ("1h30m"), or one of ISO 8601 with weeks, days, hours, minutes and seconds
// ("PT45M", "P1D"; a day has 24 hours). It is cut to whole seconds.
func parseDuration(s string) (d time.Duration, problem string) {
	s = strings.TrimSpace(s)
	d, ok := rawDuration(s)
	d = d.Truncate(time.Second)
	switch {
	case !ok:
		return 0, problemDuration
	case d <= 0:
		return 0, problemDurationZero
	case d > MaxLength:
		return 0, problemDurationLong
	}
	return d, ""
}

func rawDuration(s string) (time.Duration, bool) {
	if s == "" || len(s) > 32 {
		return 0, false
	}
	if s[0] == 'P' || s[0] == 'p' {
		return isoDuration(strings.ToUpper(s[1:]))
	}
	if minutes, ok := wholeNumber(s); ok {
		return times(minutes, time.Minute), true
	}
	d, err := time.ParseDuration(strings.ToLower(s))
	return d, err == nil
}

// isoDuration reads what follows the P of an ISO 8601 duration, as RFC 5545,
// section 3.3.6, has it: designators in their order, each once.
func isoDuration(s string) (total time.Duration, ok bool) {
	date, clock, hasClock := strings.Cut(s, "T")
	if hasClock && clock == "" || s == "" {
		return 0, false
	}
	days, ok1 := isoParts(date, "WD", []time.Duration{7 * 24 * time.Hour, 24 * time.Hour})
	rest, ok2 := isoParts(clock, "HMS", []time.Duration{time.Hour, time.Minute, time.Second})
	return days + rest, ok1 && ok2
}

// isoParts adds up numbers that are each followed by one of the designators.
func isoParts(s, designators string, units []time.Duration) (total time.Duration, ok bool) {
	next := 0
	for s != "" {
		at := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if at <= 0 {
			return 0, false
		}
		unit := strings.IndexByte(designators, s[at])
		if unit < next {
			return 0, false
		}
		n, ok := wholeNumber(s[:at])
		if !ok {
			return 0, false
		}
		total += times(n, units[unit])
		next, s = unit+1, s[at+1:]
	}
	return total, true
}

// times multiplies without overflow: what is longer than a booking can be
// stays longer than that, and what is negative stays so.
func times(n int64, unit time.Duration) time.Duration {
	return time.Duration(min(max(n, -1), int64(MaxLength/unit)+1)) * unit
}

// wholeNumber reads an integer, also one that JavaScript wrote as 45.0 or
// 1.7e9. Numbers from 2⁵³ on, which JavaScript cannot hold, are refused.
func wholeNumber(s string) (int64, bool) {
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	n := int64(f)
	if err != nil || f <= -(1<<53) || f >= 1<<53 || float64(n) != f {
		return 0, false
	}
	return n, true
}
