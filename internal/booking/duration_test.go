package booking

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	tests := []struct {
		in      string
		want    time.Duration
		problem string
	}{
		{"45", 45 * time.Minute, ""},
		{" 45.0 ", 45 * time.Minute, ""},
		{"4.5e1", 45 * time.Minute, ""},
		{"45m", 45 * time.Minute, ""},
		{"1h30m", 90 * time.Minute, ""},
		{"1H30M", 90 * time.Minute, ""},
		{"90.5s", 90 * time.Second, ""},
		{"PT45M", 45 * time.Minute, ""},
		{"pt1h30m15s", time.Hour + 30*time.Minute + 15*time.Second, ""},
		{"P1D", day, ""},
		{"P1W2DT3H", 9*day + 3*time.Hour, ""},
		{"P31D", 31 * day, ""},
		{"P31DT1S", 0, problemDurationLong},
		{"P99999999999W", 0, problemDurationLong},
		{"744h1s", 0, problemDurationLong},
		{"9007199254740991", 0, problemDurationLong},
		{"0", 0, problemDurationZero},
		{"-45", 0, problemDurationZero},
		{"-9007199254740991", 0, problemDurationZero},
		{"-45m", 0, problemDurationZero},
		{"999ms", 0, problemDurationZero},
		{"PT0S", 0, problemDurationZero},
		{"1.5", 0, problemDuration},
		{"1e999", 0, problemDuration},
		{"99999999999999999999", 0, problemDuration},
		{"P", 0, problemDuration},
		{"PT", 0, problemDuration},
		{"P1DT", 0, problemDuration},
		{"P1M", 0, problemDuration},
		{"P1Y", 0, problemDuration},
		{"PT1M1H", 0, problemDuration},
		{"PT1M1M", 0, problemDuration},
		{"P-1D", 0, problemDuration},
		{"PTM", 0, problemDuration},
		{"P1H", 0, problemDuration},
		{"PT5", 0, problemDuration},
		{"1d", 0, problemDuration},
		{"an hour", 0, problemDuration},
		{"", 0, problemDuration},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, problem := parseDuration(tt.in)
			if got != tt.want || problem != tt.problem {
				t.Errorf("parseDuration(%q) = %v, %q, want %v, %q", tt.in, got, problem, tt.want, tt.problem)
			}
		})
	}
}
