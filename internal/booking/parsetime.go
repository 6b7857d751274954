package booking

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// What can be wrong with the spelling of a time.
const (
	problemTime     = "is not a date and time such as 2027-03-05T10:30"
	problemDateOnly = "needs a time of day"
	problemTimeOnly = "needs a date"
	problemPlus     = "has lost the + of its offset on the way: a form must send it as %2B"
	problemUnix     = "is not a whole number of seconds or milliseconds since 1970"
)

// timeShape takes a date, a time of day, or both, with or without an offset,
// apart: RFC 3339, section 5.6, and what browsers send (HTML, section 2.3.5).
var timeShape = regexp.MustCompile(`^(?:(\d{4})-(\d\d)-(\d\d)(?: *[Tt] *| +|$))?` +
	`(?:(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?( *(?:[Zz]|[+-]\d\d:?\d\d)| +\d\d:\d\d)?$`)

// maxTimeLength is longer than any time in a format that is understood.
const maxTimeLength = 64

// millisFrom is the Unix time from which on a number means milliseconds: as
// seconds it is the year 5138, as milliseconds 1973.
const millisFrom = 1e11

// parsedTime is a time as it was written.
type parsedTime struct {
	instant time.Time // set if the text says which instant is meant
	wall    wallTime  // else this is what a clock shows
	isWall  bool
	noDate  bool // a time of day alone; wall has no date
}

// parseTime reads the spelling of a time, without regard to zones.
func parseTime(s string, number bool) (t parsedTime, problem string) {
	s = strings.TrimSpace(s)
	if len(s) > maxTimeLength {
		return t, problemTime
	}
	if number || isDigits(strings.TrimPrefix(s, "-")) {
		return parseUnix(s)
	}
	m := timeShape.FindStringSubmatch(s)
	if m == nil {
		return t, problemTime
	}
	hasDate, hasClock, offset := m[1] != "", m[4] != "", strings.TrimSpace(m[7])
	switch {
	case !hasDate && !hasClock:
		return t, problemTime
	case hasDate && !hasClock:
		return t, problemDateOnly
	case offset != "" && isDigits(offset[:1]):
		return t, problemPlus
	case !hasDate && offset != "":
		return t, problemTimeOnly
	}
	wall, ok := parseWall(m[1:7], hasDate)
	if !ok {
		return t, problemTime
	}
	t = parsedTime{wall: wall, isWall: true, noDate: !hasDate}
	if offset == "" {
		return t, ""
	}
	return withOffset(wall, offset)
}

// parseWall checks the numbers of a date and a time of day. A leap second is
// taken for the one before it, because no calendar has them.
func parseWall(parts []string, hasDate bool) (wallTime, bool) {
	var n [6]int
	for i, part := range parts {
		n[i], _ = strconv.Atoi(part) // digits only, or empty for 0
	}
	if !hasDate {
		n[0], n[1], n[2] = 2000, 1, 1
	}
	w := wallTime{n[0], time.Month(n[1]), n[2], n[3], n[4], min(n[5], 59)}
	t := w.in(time.UTC)
	same := t.Year() == w.year && t.Month() == w.month && t.Day() == w.day &&
		t.Hour() == w.hour && t.Minute() == w.minute
	return w, same && n[5] <= 60
}

// withOffset turns a wall time with Z or ±hh:mm into an instant.
func withOffset(w wallTime, offset string) (parsedTime, string) {
	digits := strings.ReplaceAll(offset[1:], ":", "")
	if digits == "" {
		return parsedTime{instant: w.in(time.UTC)}, ""
	}
	n, err := strconv.Atoi(digits)
	hours, minutes := n/100, n%100
	if err != nil || hours > 23 || minutes > 59 {
		return parsedTime{}, problemTime
	}
	away := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if offset[0] == '-' {
		away = -away
	}
	return parsedTime{instant: w.in(time.UTC).Add(-away)}, ""
}

// parseUnix reads seconds or milliseconds since 1970.
func parseUnix(s string) (parsedTime, string) {
	n, ok := wholeNumber(s)
	if !ok {
		return parsedTime{}, problemUnix
	}
	if n >= millisFrom || n <= -millisFrom {
		return parsedTime{instant: time.UnixMilli(n).UTC().Truncate(time.Second)}, ""
	}
	return parsedTime{instant: time.Unix(n, 0).UTC()}, ""
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
