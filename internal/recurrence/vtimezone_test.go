package recurrence

import (
	"slices"
	"sort"
	"strings"
	"testing"
	"time"
)

// zoneNames are zones with all sorts of rules, and without.
func zoneNames() []string {
	return strings.Fields(`
		Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg Africa/Lagos Africa/Monrovia Africa/Tripoli
		America/Asuncion America/Caracas America/Chicago America/Goose_Bay America/Havana America/Mexico_City
		America/New_York America/Nuuk America/Phoenix America/Sao_Paulo America/Santiago America/Scoresbysund
		America/St_Johns America/Port-au-Prince Antarctica/Casey Antarctica/Troll Asia/Amman Asia/Almaty Asia/Beirut
		Asia/Dhaka Asia/Gaza Asia/Hebron Asia/Jerusalem Asia/Kathmandu Asia/Kolkata Asia/Pyongyang Asia/Tehran
		Asia/Tokyo Asia/Yerevan Atlantic/Azores Australia/Adelaide Australia/Lord_Howe Australia/Sydney Etc/GMT+12
		Europe/Berlin Europe/Chisinau Europe/Dublin Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London
		Europe/Moscow Europe/Volgograd Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Easter Pacific/Fiji
		Pacific/Kiritimati Pacific/Kwajalein Pacific/Norfolk UTC`)
}

// checkZone compares a VTIMEZONE with Go's data: twice a day, and around every
// change each quarter of an hour and the two seconds of the change.
func checkZone(t *testing.T, zone *time.Location, from, until time.Time) {
	t.Helper()
	lines, err := VTimezone(zone, from, until)
	if err != nil {
		t.Fatalf("%s: %v", zone, err)
	}
	list := readZone(t, lines, until)
	check := func(at time.Time) {
		if at.Before(from) || at.After(until) {
			return
		}
		_, want := at.In(zone).Zone()
		if got, ok := offsetIn(list, at); !ok || got != want {
			t.Fatalf("%s at %v is %d (%v), want %d:\n%s", zone, at, got, ok, want, strings.Join(lines, "\n"))
		}
	}
	check(from)
	check(until)
	_, before := from.In(zone).Zone()
	for at := from; at.Before(until); at = at.Add(12 * hour) {
		check(at)
		_, now := at.In(zone).Zone()
		if now == before {
			continue
		}
		begin := at.Add(-12 * hour)
		change := begin.Add(time.Duration(sort.Search(12*60*60, func(s int) bool {
			_, offset := begin.Add(time.Duration(s) * time.Second).In(zone).Zone()
			return offset == now
		})) * time.Second)
		check(change)
		check(change.Add(-time.Second))
		for near := change.Add(-12 * hour); near.Before(at); near = near.Add(15 * time.Minute) {
			check(near)
		}
		before = now
	}
}

// TestVTimezone: whatever the zone and the range, all instants have the right
// offset.
func TestVTimezone(t *testing.T) {
	for _, name := range zoneNames() {
		t.Run(name, func(t *testing.T) {
			zone := mustZone(t, name)
			for _, year := range []int{1969, 1980, 2004, 2011, 2016, 2022, 2026, 2027, 2028, 2036, 2037, 2084, 2096} {
				for _, month := range []time.Month{1, 7, 12} {
					from := time.Date(year, month, 31, 9, 0, 0, 0, zone)
					checkZone(t, zone, from, from.AddDate(0, 2, 0))
					checkZone(t, zone, from, from)
				}
				from := time.Date(year, 7, 3, 9, 0, 0, 0, zone)
				checkZone(t, zone, from, from.AddDate(5, 0, 0))
			}
			from := time.Date(1890, 1, 1, 0, 0, 0, 0, time.UTC)
			checkZone(t, zone, from, from.AddDate(99, 0, 0))
		})
	}
}

// TestVTimezoneOccurrences: a calendar that knows only the event and its
// VTIMEZONE comes to the same instants.
func TestVTimezoneOccurrences(t *testing.T) {
	for _, name := range zoneNames() {
		zone := mustZone(t, name)
		for _, start := range []string{"2026-07-03T10:00", "2028-12-31T02:30"} {
			first := local(t, start, zone)
			r := mustParse(t, "FREQ=WEEKLY;COUNT=360", nil, first)
			lines, err := VTimezone(zone, first, r.Last().Add(hour))
			if err != nil {
				t.Fatal(err)
			}
			list := readZone(t, lines, r.Last())
			for _, o := range r.Occurrences() {
				offset, ok := offsetIn(list, o)
				if clock := o.UTC().Add(time.Duration(offset) * time.Second).Format("15:04"); !ok || clock != start[11:] {
					t.Fatalf("%s: %v is shown at %s", name, o, clock)
				}
			}
		}
	}
}

// TestVTimezoneText pins what is written for some zones, from mid-2027 on for
// two years.
func TestVTimezoneText(t *testing.T) {
	tests := []struct {
		zone  string
		rules []string // component, DTSTART, offsets and RRULE
	}{
		{"Europe/Berlin", []string{
			"DAYLIGHT 20260329T020000 +0100 +0200 CEST FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
			"STANDARD 20261025T030000 +0200 +0100 CET FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
		}},
		{"America/New_York", []string{
			"DAYLIGHT 20260308T020000 -0500 -0400 EDT FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
			"STANDARD 20261101T020000 -0400 -0500 EST FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
		}},
		{"Europe/Dublin", []string{
			"DAYLIGHT 20260329T010000 +0000 +0100 IST FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
			"STANDARD 20261025T020000 +0100 +0000 GMT FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
		}},
		{"Australia/Lord_Howe", []string{
			"STANDARD 20260405T020000 +1100 +1030 +1030 FREQ=YEARLY;BYMONTH=4;BYDAY=1SU",
			"DAYLIGHT 20261004T020000 +1030 +1100 +11 FREQ=YEARLY;BYMONTH=10;BYDAY=1SU",
		}},
		{"America/Nuuk", []string{
			"DAYLIGHT 20260328T230000 -0200 -0100 -01 FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=24,25,26,27,28,29,30;BYDAY=SA",
			"STANDARD 20261025T000000 -0100 -0200 -02 FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
		}},
		{"Africa/Cairo", []string{
			"DAYLIGHT 20260424T000000 +0200 +0300 EEST FREQ=YEARLY;BYMONTH=4;BYDAY=-1FR",
			"STANDARD 20261030T000000 +0300 +0200 EET FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=26,27,28,29,30,31;BYDAY=FR",
			"STANDARD 20301101T000000 +0300 +0200 EET FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1;BYDAY=FR",
		}},
		{"Africa/Casablanca", []string{
			"DAYLIGHT 20270314T020000 +0000 +0100 +01",
			"STANDARD 20280123T030000 +0100 +0000 +00",
			"DAYLIGHT 20280305T020000 +0000 +0100 +01",
			"STANDARD 20290114T030000 +0100 +0000 +00",
			"DAYLIGHT 20290218T020000 +0000 +0100 +01",
			"STANDARD 20291230T030000 +0100 +0000 +00",
		}},
		{"Asia/Kolkata", []string{"STANDARD 19700101T000000 +0530 +0530 IST"}},
		{"America/Sao_Paulo", []string{"STANDARD 19700101T000000 -0300 -0300 -03"}},
		{"UTC", []string{"STANDARD 19700101T000000 +0000 +0000 UTC"}},
	}
	for _, tt := range tests {
		t.Run(tt.zone, func(t *testing.T) {
			zone := mustZone(t, tt.zone)
			lines, err := VTimezone(zone, local(t, "2027-06-01T10:00", zone), local(t, "2029-06-01T10:00", zone))
			if err != nil {
				t.Fatal(err)
			}
			want := "BEGIN:VTIMEZONE\nTZID:" + tt.zone + "\n"
			for _, rule := range tt.rules {
				f := append(strings.Fields(rule), "")
				want += "BEGIN:" + f[0] + "\nDTSTART:" + f[1] + "\nTZOFFSETFROM:" + f[2] +
					"\nTZOFFSETTO:" + f[3] + "\nTZNAME:" + f[4] + "\n"
				if f[5] != "" {
					want += "RRULE:" + f[5] + "\n"
				}
				want += "END:" + f[0] + "\n"
			}
			if got := strings.Join(lines, "\n"); got != want+"END:VTIMEZONE" {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestVTimezoneEnds: Brazil gave daylight time up in 2019.
func TestVTimezoneEnds(t *testing.T) {
	zone := mustZone(t, "America/Sao_Paulo")
	lines, err := VTimezone(zone, local(t, "2012-06-01T10:00", zone), local(t, "2022-06-01T10:00", zone))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"RRULE:FREQ=YEARLY;UNTIL=20171016T030000Z;BYMONTH=10;BYDAY=3SU",
		"RRULE:FREQ=YEARLY;UNTIL=20190218T020000Z;BYMONTH=2;BYMONTHDAY=16,17,18,19,20,21,22;BYDAY=SU",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s:\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

// TestVTimezoneRefuses: names that other programs do not know, or that would
// need escapes, and ranges that are too long.
func TestVTimezoneRefuses(t *testing.T) {
	now := time.Date(2027, 3, 5, 9, 0, 0, 0, time.UTC)
	tests := []struct {
		name        string
		zone        *time.Location
		from, until time.Time
	}{
		{"nil", nil, now, now},
		{"Local", time.Local, now, now},
		{"no name", time.FixedZone("", 3600), now, now},
		{"hostile", time.FixedZone("X\r\nATTENDEE:y", 3600), now, now},
		{"order", time.UTC, now, now.Add(-1)},
		{"long", time.UTC, now, now.AddDate(101, 0, 0)},
		{"years", time.UTC, time.Time{}, time.Time{}},
		{"all years", time.UTC, now.AddDate(-2000, 0, 0), now.AddDate(7990, 0, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if lines, err := VTimezone(tt.zone, tt.from, tt.until); err == nil {
				t.Errorf("got %q", lines)
			}
		})
	}
}
