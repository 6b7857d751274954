package recurrence

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestWeeklyStaysLocal: a weekly 10:00 is at 10:00 for a year, whatever clocks
// do, and one week after the other.
func TestWeeklyStaysLocal(t *testing.T) {
	for _, name := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca",
		"Asia/Tehran", "Europe/Dublin", "Pacific/Apia", "Antarctica/Troll", "UTC", "Asia/Kolkata",
	} {
		t.Run(name, func(t *testing.T) {
			zone := mustZone(t, name)
			r := mustParse(t, "FREQ=WEEKLY;COUNT=60", nil, local(t, "2027-01-08T10:00", zone))
			got := r.Occurrences()
			if len(got) != 60 {
				t.Fatalf("%d occurrences", len(got))
			}
			for i, o := range got {
				want := time.Date(2027, 1, 8+7*i, 10, 0, 0, 0, zone)
				if !o.Equal(want) || o.Location() != zone {
					t.Errorf("occurrence %d is at %v", i, o)
				}
			}
		})
	}
}

// TestSkipped: 02:30 does not exist on 2027-03-28 in Berlin. It does not take
// place and does not count; a calendar that shows it at 03:30, and counts it,
// must come to the same occurrences.
func TestSkipped(t *testing.T) {
	start := local(t, "2027-03-27T02:30", mustZone(t, "Europe/Berlin"))
	want := []string{"2027-03-27T02:30", "2027-03-29T02:30", "2027-03-30T02:30"}
	tests := []struct{ name, rule, text string }{
		{"count", "FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20270330T003000Z"},
		{"until", "FREQ=DAILY;UNTIL=20270330", "FREQ=DAILY;UNTIL=20270330T215959Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustParse(t, tt.rule, nil, start)
			if got := days(r); !slices.Equal(got, want) {
				t.Errorf("occurrences %v", got)
			}
			if r.RRule() != tt.text || !slices.Equal(r.Exdates(), []string{"20270328T023000"}) {
				t.Errorf("%s except %v", r.RRule(), r.Exdates())
			}
			again := mustParse(t, r.RRule(), r.Exdates(), start)
			if again.RRule() != r.RRule() || !slices.Equal(days(again), want) || !slices.Equal(again.Exdates(), r.Exdates()) {
				t.Errorf("read again: %s except %v: %v", again.RRule(), again.Exdates(), days(again))
			}
		})
	}
	t.Run("not skipped after the last", func(t *testing.T) {
		if r := mustParse(t, "FREQ=DAILY;COUNT=1", nil, start); r.RRule() != "FREQ=DAILY;COUNT=1" || len(r.Exdates()) > 0 {
			t.Errorf("%s except %v", r.RRule(), r.Exdates())
		}
	})
}

// TestSkippedDay: Samoa had no 2011-12-30.
func TestSkippedDay(t *testing.T) {
	r := mustParse(t, "FREQ=DAILY;UNTIL=20111230", nil, local(t, "2011-12-28T10:00", mustZone(t, "Pacific/Apia")))
	if got := days(r); !slices.Equal(got, []string{"2011-12-28T10:00", "2011-12-29T10:00"}) {
		t.Errorf("occurrences %v", got)
	}
	if want := "FREQ=DAILY;UNTIL=20111230T095959Z"; r.RRule() != want {
		t.Errorf("%s, want %s", r.RRule(), want)
	}
}

// TestTwice: 02:30 happens twice on 2027-10-31 in Berlin.
func TestTwice(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	r := mustParse(t, "FREQ=DAILY;COUNT=2", nil, local(t, "2027-10-30T02:30", zone))
	if want := time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC); !r.Last().Equal(want) {
		t.Errorf("the second is at %v, want the first 02:30", r.Last())
	}
	second := time.Date(2027, 10, 31, 1, 30, 0, 0, time.UTC)
	_, err := Parse("FREQ=DAILY;COUNT=2", nil, second, zone, hour)
	if err == nil || !strings.Contains(err.Error(), "second of two") {
		t.Errorf("a start at the second 02:30: %v", err)
	}
}

// TestResolve compares with a search through all instants of some days around
// every change of clocks.
func TestResolve(t *testing.T) {
	for _, name := range zoneNames() {
		zone := mustZone(t, name)
		for _, year := range []int{1946, 1995, 2011, 2027, 2096} {
			begin := time.Date(year, 2, 1, 0, 0, 0, 0, time.UTC)
			for _, change := range transitions(zone, begin, begin.AddDate(0, 10, 0)) {
				if change.at.Year() == year {
					checkResolve(t, zone, change.at)
				}
			}
		}
	}
}

// checkResolve tries every quarter of an hour of the two days around at.
func checkResolve(t *testing.T, zone *time.Location, at time.Time) {
	t.Helper()
	const step = 15 * time.Minute
	shown := map[time.Time]time.Time{} // wall time to the first instant
	for d := -60 * time.Hour; d <= 60*time.Hour; d += step {
		wall := localClock(at.Add(d).In(zone))
		if _, again := shown[wall]; !again {
			shown[wall] = at.Add(d)
		}
	}
	_, before := at.Add(-time.Second).In(zone).Zone()
	middle := at.Add(time.Duration(before) * time.Second)
	for d := -24 * time.Hour; d <= 24*time.Hour; d += step {
		got, exists := resolve(middle.Add(d), zone)
		want, there := shown[middle.Add(d)]
		if !there {
			want = at.Add(d)
		}
		if exists != there || !got.Equal(want) {
			t.Fatalf("%s shows %v at %v (%v), not at %v (%v)", zone, middle.Add(d), want, there, got, exists)
		}
	}
}
