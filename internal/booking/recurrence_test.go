package booking

import (
	"slices"
	"strings"
	"testing"
)

func TestDecodeRRule(t *testing.T) {
	rules := withFields(t, testRules(t), "rrule repeat")
	longest := "FREQ=DAILY;X=" + strings.Repeat("é", 387)
	for in, want := range map[string]string{
		"FREQ=WEEKLY;COUNT=3": "FREQ=WEEKLY;COUNT=3", "FREQ=DAILY\r\nATTENDEE:x\u202e": "FREQ=DAILY ATTENDEE:x", "": "", longest: longest,
	} {
		if b := decodeJSON(t, good(fields{"repeat": in, "rrule": "x"}), rules); b.RRule != want || !b.Has(PropRRule) {
			t.Errorf("%q became %q", in, b.RRule)
		}
	}
	for want, in := range map[string]any{"is longer than 400 characters": longest + "x", problemList: []any{"x"}, problemBool: true} {
		if got := refusals(t, good(fields{"repeat": in}), rules); !slices.Equal(got, []string{"repeat: " + want}) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if b := decodeJSON(t, good(fields{"rrule": "FREQ=DAILY", "exdate": "x"}), testRules(t)); b.RRule != "" || b.Exdates != nil || b.Has(PropRRule) {
		t.Errorf("what is not mapped became %q, %q", b.RRule, b.Exdates)
	}
}

func TestDecodeExdates(t *testing.T) {
	rules := withFields(t, testRules(t), "exdate except")
	days := func(n int) string { return strings.Repeat("20270305,", n) }
	tests := []struct {
		name string
		in   any
		want []string // the dates, or what is wrong
	}{
		{"list", []any{"2027-03-05", " 2027-03-12\r\n", 1804239000, nil, ""}, []string{"2027-03-05", "2027-03-12", "1804239000"}},
		{"text", "20270305T103000Z, 20270312,,", []string{"20270305T103000Z", "20270312"}},
		{"text in a list", []any{"a,b", "c"}, []string{"a", "b", "c"}},
		{"number", 1804239000, []string{"1804239000"}},
		{"empty", " ", nil},
		{"empty list", []any{}, nil},
		{"366", days(366), slices.Repeat([]string{"20270305"}, 366)},
		{"367", days(367), []string{"except: has more than 366 dates"}},
		{"too many in a list", []any{days(300), days(300)}, []string{"except: has more than 366 dates"}},
		{"long", []any{"a", strings.Repeat("x", 65)}, []string{"except: has a date that is longer than 64 characters"}},
		{"list in a list", []any{[]any{"a"}}, []string{"except: " + problemExdates}},
		{"object", fields{}, []string{"except: " + problemExdates}},
		{"bool", true, []string{"except: " + problemExdates}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := good(fields{"except": tt.in})
			if len(tt.want) == 1 && strings.HasPrefix(tt.want[0], "except: ") {
				if got := refusals(t, f, rules); !slices.Equal(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			if b := decodeJSON(t, f, rules); !slices.Equal(b.Exdates, tt.want) || !b.Has(PropExdate) {
				t.Errorf("got %q, want %q", b.Exdates, tt.want)
			}
		})
	}
	b, err := Decode(formType, good(fields{"except": []string{"a", "b,c"}}).form(), rules, testNow)
	if err != nil || !slices.Equal(b.Exdates, []string{"a", "b", "c"}) {
		t.Errorf("repeated form field: %v, %v", b, err)
	}
}
