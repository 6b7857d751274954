package booking

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDecodeStart(t *testing.T) {
	const half = "2027-03-05T09:30:00Z"
	tests := []struct {
		name string
		in   any
		want string // an instant, or what is wrong
	}{
		{"rfc 3339", "2027-03-05T10:30:00+01:00", half},
		{"utc", "2027-03-05T09:30:00Z", half},
		{"lower case", "2027-03-05t09:30:00z", half},
		{"space", "2027-03-05 09:30:00Z", half},
		{"space before offset", "2027-03-05 10:30 +0100", half},
		{"no seconds", "2027-03-05T10:30+01:00", half},
		{"fraction", "2027-03-05T10:30:00.999999999+01:00", half},
		{"javascript", "2027-03-05T09:30:00.000Z", half},
		{"minus", "2027-03-05T04:30:00-05:00", half},
		{"local", "2027-03-05T10:30", half},
		{"local with seconds", "2027-03-05T10:30:00", half},
		{"local with a space", " 2027-03-05 10:30 ", half},
		{"unix", 1804239000, half},
		{"unix text", "1804239000", half},
		{"unix milliseconds", 1804239000999, half},
		{"unix milliseconds text", "1804239000999", half},
		{"leap second", "2027-03-05T09:29:60Z", "2027-03-05T09:29:59Z"},
		{"just past", "2027-01-15T11:55:00Z", "2027-01-15T11:55:00Z"},
		{"ten years", "2037-01-15T12:00:00Z", "2037-01-15T12:00:00Z"},

		{"past", "2027-01-15T11:54:59Z", problemPast},
		{"year 0", "0000-01-01T00:00:00Z", problemPast},
		{"year 0 local", "0000-01-01T00:00", problemPast},
		{"negative unix", -5, problemPast},
		{"negative unix text", "-5000000000000", problemPast},
		{"far", "2037-01-15T12:00:01Z", problemFar},
		{"year 9999", "9999-12-31T23:59", problemFar},
		{"year 10000", "10000-01-01T00:00", problemTime},
		{"fraction of a number", 1804239000.5, problemUnix},
		{"huge number", "99999999999999999999999", problemUnix},
		{"infinite", "1e999", problemTime},
		{"spring forward", "2027-03-28T02:30", "does not exist in Europe/Berlin: the clocks are set forward"},
		{"lost plus", "2027-03-05T10:30:00 01:00", problemPlus},
		{"date only", "2027-03-05", problemDateOnly},
		{"date only, T", "2027-03-05T", problemDateOnly},
		{"time only", "10:30", problemTimeOnly},
		{"time only with offset", "10:30Z", problemTimeOnly},
		{"no separator", "2027-03-0510:30", problemTime},
		{"month 13", "2027-13-05T10:30", problemTime},
		{"february 29", "2027-02-29T10:30", problemTime},
		{"day 0", "2027-03-00T10:30", problemTime},
		{"hour 24", "2027-03-05T24:00", problemTime},
		{"minute 60", "2027-03-05T10:60", problemTime},
		{"second 61", "2027-03-05T10:30:61", problemTime},
		{"offset 24", "2027-03-05T10:30+24:00", problemTime},
		{"offset minutes", "2027-03-05T10:30+01:60", problemTime},
		{"american", "3/5/2027 10:30 AM", problemTime},
		{"offset only", "+01:00", problemTime},
		{"words", "tomorrow", problemTime},
		{"line break", "2027-03-05\n10:30", problemTime},
		{"list", []any{"2027-03-05T10:30"}, "must be text, not a list"},
		{"1 MB", strings.Repeat("2027-03-05 ", 1<<16), problemTime},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good(fields{"start": tt.in})
			at, err := time.Parse(time.RFC3339, tt.want)
			if err != nil {
				if got := refusals(t, f, testRules(t)); !slices.Equal(got, []string{"start: " + tt.want}) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			b := decodeJSON(t, f, testRules(t))
			if b.Start != at || b.End != at.Add(30*time.Minute) || len(b.Warnings) != 0 {
				t.Errorf("got %v to %v, %v, want %v", b.Start, b.End, b.Warnings, at)
			}
		})
	}
}

func TestDecodeEnd(t *testing.T) {
	tests := []struct {
		name                 string
		start, end, duration any
		want                 string // how long the booking is, or what is wrong
	}{
		{"none", "2027-03-05T10:30", nil, nil, "30m0s"},
		{"end", "2027-03-05T10:30", "2027-03-05T11:15", nil, "45m0s"},
		{"end in another zone", "2027-03-05T10:30", "2027-03-05T10:15Z", nil, "45m0s"},
		{"end as unix time", "2027-03-05T10:30", 1804239060, nil, "1m0s"},
		{"time of day", "2027-03-05T10:30", "11:30", nil, "1h0m0s"},
		{"time of day with seconds", "2027-03-05T10:30", "11:30:01", nil, "1h0m1s"},
		{"31 days", "2027-02-05T10:30", "2027-03-08T10:30", nil, "744h0m0s"},
		{"duration", "2027-03-05T10:30", nil, "1h30m", "1h30m0s"},
		{"duration number", "2027-03-05T10:30", nil, 45, "45m0s"},
		{"duration iso", "2027-03-05T10:30", nil, "P1D", "24h0m0s"},
		{"both agree", "2027-03-05T10:30", "11:15", "45", "45m0s"},
		{"both disagree", "2027-03-05T10:30", "11:15", "46", "duration: " + problemMismatch},
		{"equal", "2027-03-05T10:30", "2027-03-05T10:30", nil, "end: " + problemOrder},
		{"equal when truncated", "2027-03-05T10:30:00.1Z", "2027-03-05T10:30:00.9Z", nil, "end: " + problemOrder},
		{"before", "2027-03-05T10:30", "2027-03-05T10:29", nil, "end: " + problemOrder},
		{"time of day before", "2027-03-05T23:30", "00:30", nil, "end: " + problemOrder},
		{"too long", "2027-02-05T10:30", "2027-03-08T10:31", nil, "end: " + problemLong},
		{"year 9999", "2027-02-05T10:30", "9999-03-08T10:30", nil, "end: " + problemLong},
		{"time of day, start with offset", "2027-03-05T10:30Z", "11:30", nil, "end: " + problemTimeOnly},
		{"time of day, start bad", "soon", "11:30", nil, "start: " + problemTime},
		{"time of day, start past", "2026-03-05T10:30", "11:30", nil, "start: " + problemPast},
		{"time of day that does not exist", "2027-03-28T01:30", "02:30", nil, "end: does not exist in Europe/Berlin: the clocks are set forward"},
		{"date", "2027-03-05T10:30", "2027-03-05", nil, "end: " + problemDateOnly},
		{"list", "2027-03-05T10:30", []any{}, nil, "end: must be text, not a list"},
		{"duration 0", "2027-03-05T10:30", nil, 0, "duration: " + problemDurationZero},
		{"duration negative", "2027-03-05T10:30", nil, "-1h", "duration: " + problemDurationZero},
		{"duration too long", "2027-03-05T10:30", nil, "P32D", "duration: " + problemDurationLong},
		{"duration word", "2027-03-05T10:30", nil, "an hour", "duration: " + problemDuration},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good(fields{"start": tt.start, "end": tt.end, "duration": tt.duration})
			length, err := time.ParseDuration(tt.want)
			if err != nil {
				if got := refusals(t, f, testRules(t)); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			if b := decodeJSON(t, f, testRules(t)); b.End.Sub(b.Start) != length {
				t.Errorf("got %v to %v, want %v", b.Start, b.End, length)
			}
		})
	}
}

func TestDecodeZones(t *testing.T) {
	unmapped, mapped := []string(nil), []string{"timezone zone"}
	tests := []struct {
		name       string
		mapping    []string
		configured string
		sent       fields
		start      string // an instant, or the errors
		zone       string
	}{
		{"configured", unmapped, "Europe/Berlin", nil, "2027-03-05T09:30:00Z", "Europe/Berlin"},
		{"browser's zone only reads", unmapped, "Europe/Berlin", fields{"timezone": "Asia/Tokyo"}, "2027-03-05T09:30:00Z", "Asia/Tokyo"},
		{"mapped zone writes too", mapped, "Europe/Berlin", fields{"zone": "Asia/Tokyo"}, "2027-03-05T01:30:00Z", "Asia/Tokyo"},
		{"mapped, not sent", mapped, "Europe/Berlin", nil, "2027-03-05T09:30:00Z", "Europe/Berlin"},
		{"mapped, none configured", mapped, "", fields{"zone": "Asia/Tokyo"}, "2027-03-05T01:30:00Z", "Asia/Tokyo"},
		{"none at all", unmapped, "", nil, "start: " + problemNoZone, ""},
		{"the browser's zone does not help", unmapped, "", fields{"timezone": "Asia/Tokyo"}, "start: " + problemNoZone, ""},
		{"bad mapped zone is the only error", mapped, "", fields{"zone": "Mars"}, "zone: " + errZone.Error(), ""},
		{"bad mapped zone of the wrong kind", mapped, "", fields{"zone": []any{}}, "zone: must be text, not a list", ""},
		{"bad unmapped zone", unmapped, "Europe/Berlin", fields{"timezone": "Mars"}, "timezone: " + errZone.Error(), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := &Rules{}
			if tt.mapping != nil {
				withFields(t, rules, tt.mapping...)
			}
			if tt.configured != "" {
				rules.Zone = mustZone(t, tt.configured)
			}
			f := good(tt.sent)
			f["start"] = "2027-03-05T10:30"
			if tt.zone == "" {
				if got := refusals(t, f, rules); !slices.Equal(got, []string{tt.start}) {
					t.Errorf("got %q, want %q", got, tt.start)
				}
				return
			}
			b := decodeJSON(t, f, rules)
			if b.Start.Format(time.RFC3339) != tt.start || b.Zone.String() != tt.zone {
				t.Errorf("got %v in %v, want %v in %v", b.Start, b.Zone, tt.start, tt.zone)
			}
		})
	}
}

// TestDecodeAmbiguous takes the first of two, and says so for each field.
func TestDecodeAmbiguous(t *testing.T) {
	b := decodeJSON(t, good(fields{"start": "2027-10-31T02:10", "end": "2027-10-31T02:50"}), testRules(t))
	if got := b.Start.Format(time.RFC3339); got != "2027-10-31T00:10:00Z" || b.End.Sub(b.Start) != 40*time.Minute {
		t.Errorf("got %v to %v", b.Start, b.End)
	}
	const detail = "happens twice in Europe/Berlin, because the clocks are set back: the first was taken"
	if want := []FieldError{{"start", detail}, {"end", detail}}; !slices.Equal(b.Warnings, want) {
		t.Errorf("got warnings %v, want %v", b.Warnings, want)
	}
}

func TestDecodeJoined(t *testing.T) {
	mapping := []string{"name first last", "start date from", "end date to"}
	tests := []struct {
		name string
		sent fields
		want string
	}{
		{"all", fields{"first": "Ada", "last": "L", "date": "2027-03-05", "from": "10:30", "to": "11:30"}, "Ada L 1h0m0s"},
		{"seconds", fields{"last": "L", "date": "2027-03-05", "from": "10:30:00", "to": "11:30:00"}, "L 1h0m0s"},
		{"no end", fields{"first": "Ada", "date": "2027-03-05", "from": "10:30"}, "Ada 30m0s"},
		{"no time", fields{"first": "Ada", "date": "2027-03-05"}, "from: is missing"},
		{"no date", fields{"first": "Ada", "from": "10:30", "to": "11:30"}, "date: is missing; date: is missing"},
		{"no name", fields{"date": "2027-03-05", "from": "10:30"}, "first: is missing"},
		{"second at fault", fields{"first": "Ada", "last": true, "date": "2027-03-05", "from": "10:30"}, "last: must be text, not true or false"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := withFields(t, testRules(t), mapping...)
			tt.sent["email"] = "ada@example.com"
			b, err := Decode("application/json", tt.sent.json(t), rules, testNow)
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = string(b.Client.Name) + " " + b.End.Sub(b.Start).String()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
