package booking

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPartialTimes decodes changes of a known event, in Berlin.
func TestPartialTimes(t *testing.T) {
	const day, past = "2027-03-05", "2020-03-05T10:30"
	tests := []struct {
		name string
		in   fields
		want string // start, end and length, or what is wrong
	}{
		{"nothing", fields{}, "- - 0s"},
		{"blank", fields{"start": " ", "end": "", "duration": nil}, "- - 0s"},
		{"start", fields{"start": day + "T10:30"}, "09:30 - 0s"},
		{"start and end", fields{"start": day + "T10:30", "end": "11:00"}, "09:30 10:00 0s"},
		{"start and duration", fields{"start": day + "T10:30", "duration": 45}, "09:30 10:15 45m0s"},
		{"start, end and duration", fields{"start": day + "T10:30", "end": "11:00", "duration": "PT30M"}, "09:30 10:00 30m0s"},
		{"end", fields{"end": day + "T11:00"}, "- 10:00 0s"},
		{"end in the past", fields{"end": past}, "- 09:30 0s"},
		{"duration", fields{"duration": 45}, "- - 45m0s"},
		{"end and duration", fields{"end": day + "T11:00", "duration": 45}, "- 10:00 45m0s"},
		{"end as a time of day", fields{"end": "11:00"}, "end: " + problemTimeOnly},
		{"end as a time of day, bad start", fields{"start": "x", "end": "11:00"}, "start: " + problemTime},
		{"end before start", fields{"start": day + "T10:30", "end": "10:00"}, "end: " + problemOrder},
		{"mismatch", fields{"start": day + "T10:30", "end": "11:00", "duration": 45}, "duration: " + problemMismatch},
		{"bad duration", fields{"duration": "long"}, "duration: " + problemDuration},
		{"bad end", fields{"end": []any{}}, "end: " + problemList},
		{"past", fields{"start": past}, "09:30 - 0s"},
		{"far", fields{"start": "2047-03-05T10:30"}, "09:30 - 0s"},
		{"cancel", fields{"action": "cancel"}, "- - 0s"},
		{"cancel in the past", fields{"action": "cancel", "start": past}, "- - 0s"},
		{"cancel without sense", fields{"action": "cancel", "start": "x", "host": "nobody"}, "- - 0s"},
		{"update in the past", fields{"action": "update", "start": past}, "09:30 - 0s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := jsonInput(t, tt.in)
			in.Partial = true
			b, err := in.Decode(withFields(t, testRules(t), "action action"), testNow)
			if err != nil {
				if got := refused(t, b, err); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			if got := showClock(b.Start) + " " + showClock(b.End) + " " + b.Length.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			for p, has := range map[Property]bool{PropStart: !b.Start.IsZero(), PropEnd: strings.TrimSpace(asText(tt.in["end"])) != "", PropDuration: b.Length > 0} {
				if b.Has(p) != has {
					t.Errorf("Has(%s) = %t", p, !has)
				}
			}
		})
	}
}

func asText(v any) string { text, _, _ := scalar(v); return text }

func showClock(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Format("15:04")
}

// TestPartialJoined changes one half of what is joined.
func TestPartialJoined(t *testing.T) {
	rules := withFields(t, testRules(t), "start date from", "end date to")
	for body, want := range map[string]string{
		`{}`:                                   "",
		`{"date":"2027-03-05"}`:                "from: is missing",
		`{"from":"10:30"}`:                     "date: is missing",
		`{"to":"10:30"}`:                       "date: is missing",
		`{"date":"2027-03-05","from":"10:30"}`: "",
	} {
		in := Input{ContentType: "application/json", Body: []byte(body), Partial: true}
		b, err := in.Decode(rules, testNow)
		if want == "" {
			if err != nil || b.Has(PropEnd) {
				t.Errorf("%s: %v, %v", body, b, err)
			}
			continue
		}
		if got := refused(t, b, err); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", body, got, want)
		}
	}
}

// TestCancelNotPartial compares the times of a whole booking with now,
// whatever is to be done with it.
func TestCancelNotPartial(t *testing.T) {
	rules := withFields(t, testRules(t), "action action")
	got := refusals(t, good(fields{"action": "cancel", "start": "2020-03-05T10:30"}), rules)
	if !slices.Equal(got, []string{"start: " + problemPast}) {
		t.Errorf("got %q", got)
	}
}

// TestPartialTexts validates what is there, and tells empty from absent.
func TestPartialTexts(t *testing.T) {
	rules := withFields(t, testRules(t), "summary summary", "location location", "guests guests", "rrule rrule", "exdate exdate")
	rules.HostKeys = []string{"anna"}
	tests := []struct {
		name string
		in   fields
		has  PropertySet
		want string
	}{
		{"nothing", fields{}, 0, ""},
		{"null", fields{"description": nil, "guests": nil, "location": nil, "exdate": nil}, 0, ""},
		{"what cannot be empty", fields{"name": "", "email": " ", "timezone": "", "locale": "", "host": ""}, 0, ""},
		{"what can", fields{"description": "", "summary": " ", "location": "", "guests": []any{}, "rrule": "", "exdate": []any{}},
			setOf(PropDescription, PropSummary, PropLocation, PropGuests, PropRRule, PropExdate), ""},
		{"blank lists as text", fields{"guests": "", "exdate": ","}, setOf(PropGuests, PropExdate), ""},
		{"name", fields{"name": "Bo"}, setOf(PropName), ""},
		{"guests without a client", fields{"guests": "b@x.yz"}, setOf(PropGuests), ""},
		{"locale that is not understood", fields{"locale": "x"}, 0, ""},
		{"bad name", fields{"name": "?"}, 0, "name: has no letters or digits"},
		{"bad email", fields{"email": "x"}, 0, "email: " + errAddressNoAt.Error()},
		{"bad host", fields{"host": "ben"}, 0, "host: is not one of the hosts on offer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := jsonInput(t, tt.in)
			in.Partial = true
			b, err := in.Decode(rules, testNow)
			if tt.want != "" {
				if got := refused(t, b, err); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			if err != nil || b.Given != tt.has {
				t.Errorf("got %v, %b, want %b", err, b.Given, tt.has)
			}
		})
	}
}

// TestPartialCleared empties a text by a source that is not the body.
func TestPartialCleared(t *testing.T) {
	for _, in := range []Input{
		{Answer: []byte(`{"d":"","l":null}`), AnswerFields: fieldMap(t, "description d", "location l")},
		{Steer: map[Property]string{PropDescription: ""}},
	} {
		in.Lenient, in.Partial = true, true
		if b := mustDecode(t, in, testRules(t)); b.Given != setOf(PropDescription) || b.Notes != "" {
			t.Errorf("got %s", mustJSON(t, b))
		}
	}
}

// TestInputTimes mixes times of several sources.
func TestInputTimes(t *testing.T) {
	body := fields{"start": "2027-03-05T10:30", "end": "2027-03-05T11:30"}
	tests := []struct {
		name          string
		body, answer  fields
		steer         map[Property]string
		want, wantErr string
	}{
		{"end by header", fields{"duration": 45}, nil, map[Property]string{PropEnd: "2027-03-05T12:00"}, "09:30 11:00 0s Europe/Berlin", ""},
		{"bad duration overruled", fields{"duration": []any{}}, nil, map[Property]string{PropEnd: "12:00"}, "09:30 11:00 0s Europe/Berlin", ""},
		{"duration in the answer", nil, fields{"duration": 45}, nil, "09:30 10:15 45m0s Europe/Berlin", ""},
		{"bad end overruled", fields{"end": "x"}, fields{"duration": 45}, nil, "09:30 10:15 45m0s Europe/Berlin", ""},
		{"start by header", nil, nil, map[Property]string{PropStart: "1804240800"}, "10:00 10:30 0s Europe/Berlin", ""},
		{"zone of the browser", fields{"timezone": "Asia/Tokyo"}, nil, nil, "09:30 10:30 0s Asia/Tokyo", ""},
		{"zone by header", fields{"timezone": "x"}, nil, map[Property]string{PropTimezone: "America/New_York"}, "15:30 16:30 0s America/New_York", ""},
		{"zone in the answer", nil, fields{"timezone": "Asia/Tokyo"}, nil, "01:30 02:30 0s Asia/Tokyo", ""},
		{"bad zone by header", nil, nil, map[Property]string{PropTimezone: "Mars"}, "", "timezone: " + errZone.Error()},
		{"half of the end in the answer", nil, fields{"date": "2027-03-05"}, nil, "", "from: is missing"},
		{"shared date in the answer", nil, fields{"date": "2027-03-05", "from": "09:00"}, nil, "08:00 10:30 0s Europe/Berlin", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := good(body)
			maps.Copy(all, tt.body)
			in := jsonInput(t, all)
			in.Steer = tt.steer
			if tt.answer != nil {
				in.Answer, in.AnswerFields = tt.answer.json(t), fieldMap(t, "duration duration", "timezone timezone", "start date from", "end date to")
			}
			b, err := in.Decode(testRules(t), testNow)
			if tt.wantErr != "" {
				if got := refused(t, b, err); !slices.Equal(got, []string{tt.wantErr}) {
					t.Errorf("got %q, want %q", got, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := showClock(b.Start) + " " + showClock(b.End) + " " + b.Length.String() + " " + b.Zone.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// setOf makes a set.
func setOf(all ...Property) PropertySet {
	var s PropertySet
	for _, p := range all {
		s.add(p)
	}
	return s
}
