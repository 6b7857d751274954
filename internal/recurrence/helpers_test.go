package recurrence

import (
	"testing"
	"time"
	_ "time/tzdata" // The tests are about this data, not about the machine's.
)

const hour = time.Hour

// mustZone returns a time zone that exists.
func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// local returns the instant of a local time such as 2027-03-05T10:00.
func local(t testing.TB, text string, zone *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02T15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// mustParse parses a rule that is good.
func mustParse(t testing.TB, rule string, exdates []string, start time.Time) *Rule {
	t.Helper()
	r, err := Parse(rule, exdates, start, start.Location(), hour)
	if err != nil {
		t.Fatalf("%s from %v: %v", rule, start, err)
	}
	return r
}

// days returns the local dates and times of day of the occurrences.
func days(r *Rule) []string {
	var list []string
	for _, o := range r.Occurrences() {
		list = append(list, o.Format("2006-01-02T15:04"))
	}
	return list
}
