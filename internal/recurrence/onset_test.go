package recurrence

import (
	"slices"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// TestOnsets: every rule that is thought of for a day falls on that day, and
// its RRULEs give one day in each year, the one that in gives.
func TestOnsets(t *testing.T) {
	seen := map[onset]bool{}
	for day := range 366 {
		date := time.Date(2024, 1, 1+day, 0, 0, 0, 0, time.UTC)
		for _, o := range onsets(date) {
			if !o.in(2024).Equal(date) {
				t.Errorf("%+v is on %v, not on %v", o, o.in(2024), date)
			}
			leapDay := o.exact && o.month == time.February && o.day == 29
			if !seen[o] && !leapDay {
				checkOnset(t, o)
			}
			seen[o] = true
		}
	}
}

// checkOnset expands the rules of an onset over a cycle of weekdays.
func checkOnset(t *testing.T, o onset) {
	t.Helper()
	begin := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	var got, want []time.Time
	for _, part := range o.rules() {
		options, err := rrule.StrToROption("FREQ=YEARLY;" + part.text)
		if err != nil {
			t.Fatalf("%s: %v", part.text, err)
		}
		options.Dtstart, options.Until = begin, begin.AddDate(28, 0, -1)
		other, err := rrule.NewRRule(*options)
		if err != nil {
			t.Fatalf("%s: %v", part.text, err)
		}
		for _, day := range other.All() {
			if day.Month() != part.month {
				t.Errorf("%s is on %v", part.text, day)
			}
			got = append(got, day)
		}
	}
	slices.SortFunc(got, time.Time.Compare)
	for year := 2001; year < 2029; year++ {
		want = append(want, o.in(year))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%+v: %+v are on %v, want %v", o, o.rules(), got, want)
	}
}
