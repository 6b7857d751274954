package recurrence

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// frequency is the length of the periods that a rule is evaluated in.
type frequency string

const (
	daily   frequency = "DAILY"
	weekly  frequency = "WEEKLY"
	monthly frequency = "MONTHLY"
	yearly  frequency = "YEARLY"
)

// dayEntry is one entry of BYDAY: every such weekday if nth is 0, else the
// nth of the month or year, from the end if negative.
type dayEntry struct {
	nth     int
	weekday time.Weekday
}

// spec is a rule as it was written. Its lists are sorted and have no
// duplicates.
type spec struct {
	freq       frequency
	interval   int
	count      int       // 0 if there is an until
	until      time.Time // zero if there is a count
	byMonth    []int
	byMonthDay []int
	byDay      []dayEntry
	bySetPos   []int
	weekStart  time.Weekday
}

// weekdayNames are the names of RFC 5545, section 3.3.10, from Sunday on as
// time.Weekday counts.
func weekdayNames() []string { return []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"} }

// fromMonday numbers the days of a week from Monday on.
func fromMonday(d time.Weekday) int { return (int(d) + 6) % 7 }

// String returns the rule's canonical text. INTERVAL=1 and WKST=MO are the
// defaults of the standard.
func (s spec) String() string {
	parts := []string{"FREQ=" + string(s.freq)}
	if s.count > 0 {
		parts = append(parts, "COUNT="+strconv.Itoa(s.count))
	} else {
		parts = append(parts, "UNTIL="+s.until.UTC().Format(basicUTC))
	}
	if s.interval > 1 {
		parts = append(parts, "INTERVAL="+strconv.Itoa(s.interval))
	}
	parts = appendList(parts, "BYMONTH", s.byMonth, strconv.Itoa)
	parts = appendList(parts, "BYMONTHDAY", s.byMonthDay, strconv.Itoa)
	parts = appendList(parts, "BYDAY", s.byDay, dayEntry.String)
	parts = appendList(parts, "BYSETPOS", s.bySetPos, strconv.Itoa)
	if s.weekStart != time.Monday {
		parts = append(parts, "WKST="+weekdayNames()[s.weekStart])
	}
	return strings.Join(parts, ";")
}

// appendList appends a part with a list, unless the list is empty.
func appendList[T any](parts []string, name string, list []T, text func(T) string) []string {
	if len(list) == 0 {
		return parts
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = text(v)
	}
	return append(parts, name+"="+strings.Join(texts, ","))
}

// String returns the entry as BYDAY has it: -1FR.
func (d dayEntry) String() string {
	if d.nth == 0 {
		return weekdayNames()[d.weekday]
	}
	return strconv.Itoa(d.nth) + weekdayNames()[d.weekday]
}

// compareDays orders BYDAY by number, then from Monday on.
func compareDays(a, b dayEntry) int {
	if a.nth != b.nth {
		return a.nth - b.nth
	}
	return fromMonday(a.weekday) - fromMonday(b.weekday)
}

// tidy sorts a list and drops its duplicates.
func tidy[T comparable](list []T, compare func(a, b T) int) []T {
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}
