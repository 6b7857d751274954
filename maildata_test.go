package caddyicalmail

import (
	"testing"
	"time"
)

func TestTimesInWords(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		start      time.Time
		length     time.Duration
	}{
		{"one day", "10:30 – 11:30", time.Date(2027, 3, 5, 10, 30, 0, 0, berlin), time.Hour},
		{"over midnight", "23:00 – 01:00 on Saturday, 6 March 2027", time.Date(2027, 3, 5, 23, 0, 0, 0, berlin), 2 * time.Hour},
		{"a year later to the day", "10:30 – 10:30 on Sunday, 5 March 2028", time.Date(2027, 3, 5, 10, 30, 0, 0, berlin), 366 * 24 * time.Hour},
		{"clocks go back", "02:30 CEST – 02:30 CET", time.Date(2027, 10, 31, 0, 30, 0, 0, time.UTC).In(berlin), time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := timesInWords(tt.start, tt.start.Add(tt.length)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestZoneInWords(t *testing.T) {
	for name, want := range map[string]string{
		"UTC":           "UTC",
		"Europe/Berlin": "Europe/Berlin (CET, UTC+01:00)",
		"Asia/Dubai":    "Asia/Dubai (UTC+04:00)",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := zoneInWords(time.Date(2027, 1, 5, 10, 30, 0, 0, zone)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
