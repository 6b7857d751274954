package booking

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"
)

func mustZone(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatalf("LoadZone(%q): %v", name, err)
	}
	return zone
}

func TestLoadZone(t *testing.T) {
	for name := range zoneNames() {
		zone, err := LoadZone(name)
		if err != nil {
			// A system may have older data, but not for the zones of today.
			t.Logf("LoadZone(%q): %v", name, err)
			continue
		}
		if again := mustZone(t, name); again != zone {
			t.Errorf("%s was not cached", name)
		}
	}
	if n := len(zoneNames()); n < 400 {
		t.Errorf("there are only %d names", n)
	}
}

func TestLoadZoneRefuses(t *testing.T) {
	for _, name := range []string{
		"", "Local", "local", "europe/berlin", "Europe/Berlin ", "Europe", "../Europe/Berlin", "Europe/../Europe/Berlin",
		"/usr/share/zoneinfo/Europe/Berlin", "right/Europe/Berlin", "posix/Europe/Berlin", "tzdata.zi", "Factory",
		"Europe\\Berlin", "Europe/Berlin\x00", "CEST", "+01:00", strings.Repeat("a/", 1<<19),
	} {
		if zone, err := LoadZone(name); err == nil || zone != nil {
			t.Errorf("LoadZone(%.40q) = %v, want an error", name, zone)
		}
		if _, cached := loadedZones.Load(name); cached {
			t.Errorf("%.40q was cached", name)
		}
	}
}

// TestInstants checks the known hard cases.
func TestInstants(t *testing.T) {
	tests := []struct {
		zone, wall string
		want       []string
	}{
		{"Europe/Berlin", "2027-03-05T10:30", []string{"2027-03-05T09:30:00Z"}},
		{"Europe/Berlin", "2027-03-28T01:59", []string{"2027-03-28T00:59:00Z"}},
		{"Europe/Berlin", "2027-03-28T02:00", nil},
		{"Europe/Berlin", "2027-03-28T02:59", nil},
		{"Europe/Berlin", "2027-03-28T03:00", []string{"2027-03-28T01:00:00Z"}},
		{"Europe/Berlin", "2027-10-31T02:30", []string{"2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"}},
		{"Europe/Berlin", "2027-10-31T03:00", []string{"2027-10-31T02:00:00Z"}},
		{"Australia/Lord_Howe", "2027-10-03T02:15", nil},
		{"Australia/Lord_Howe", "2027-10-03T02:30", []string{"2027-10-02T15:30:00Z"}},
		{"Australia/Lord_Howe", "2027-04-04T01:45", []string{"2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"}},
		{"Antarctica/Troll", "2027-03-28T02:30", nil},
		{"Antarctica/Troll", "2027-10-31T01:30", []string{"2027-10-30T23:30:00Z", "2027-10-31T01:30:00Z"}},
		{"Pacific/Apia", "2011-12-30T12:00", nil},
		{"Pacific/Apia", "2011-12-29T12:00", []string{"2011-12-29T22:00:00Z"}},
		{"Pacific/Apia", "2011-12-31T12:00", []string{"2011-12-30T22:00:00Z"}},
		// Time.ZoneBounds is wrong on the last day of a leap year.
		{"America/New_York", "2028-12-30T21:00", []string{"2028-12-31T02:00:00Z"}},
		{"America/New_York", "2028-12-31T21:00", []string{"2029-01-01T02:00:00Z"}},
		{"UTC", "2027-03-28T02:30", []string{"2027-03-28T02:30:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.wall, func(t *testing.T) {
			parsed, problem := parseTime(tt.wall, false)
			if problem != "" {
				t.Fatal(problem)
			}
			var got []string
			for _, at := range parsed.wall.instants(mustZone(t, tt.zone)) {
				got = append(got, at.UTC().Format(time.RFC3339))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestInstantsProperty compares with the definition: the instants at which a
// clock in the zone shows the wall time, found by trying every quarter of an
// hour and every offset in force around it.
func TestInstantsProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range zoneNames() {
			if !yield(name) {
				return
			}
		}
	})
	names = append(names, slices.Repeat([]string{
		"Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Antarctica/Troll", "Europe/Dublin",
		"America/Caracas", "Asia/Pyongyang", "Africa/El_Aaiun", "Asia/Gaza", "Europe/London",
	}, 20)...)
	for _, name := range names {
		zone := mustZone(t, name)
		for range 6 {
			w := wallNear(rng, zone)
			if got, want := w.instants(zone), bruteForce(w, zone); !slices.EqualFunc(got, want, time.Time.Equal) {
				t.Fatalf("%v in %s: got %v, want %v", w, name, got, want)
			}
		}
	}
}

// wallNear returns a wall time within hours of a change of the clocks, which
// a random time would hardly ever hit.
func wallNear(rng *rand.Rand, zone *time.Location) wallTime {
	at := time.Date(1880+rng.IntN(200), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 12, 0, 0, 0, time.UTC).In(zone)
	if _, until := at.ZoneBounds(); !until.IsZero() {
		at = until
	}
	at = at.Add(time.Duration(rng.IntN(6*3600)-3*3600) * time.Second).In(zone)
	if rng.IntN(3) == 0 {
		at = at.Round(15 * time.Minute)
	}
	// The offset of an hour away can make a time that does not exist.
	shown := at.Add(time.Duration(rng.IntN(3)-1) * time.Hour)
	_, a := at.Zone()
	_, b := shown.Zone()
	u := at.UTC().Add(time.Duration([]int{a, b}[rng.IntN(2)]) * time.Second)
	return wallTime{u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second()}
}

func bruteForce(w wallTime, zone *time.Location) []time.Time {
	utc := w.in(time.UTC)
	found := map[int64]time.Time{}
	for t := utc.Add(-30 * time.Hour); t.Before(utc.Add(30 * time.Hour)); t = t.Add(15 * time.Minute) {
		_, offset := t.In(zone).Zone()
		candidate := utc.Add(-time.Duration(offset) * time.Second)
		_, there := candidate.In(zone).Zone()
		if there == offset {
			found[candidate.Unix()] = candidate
		}
	}
	all := make([]time.Time, 0, len(found))
	for _, at := range found {
		all = append(all, at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}
