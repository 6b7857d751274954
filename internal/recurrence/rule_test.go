package recurrence

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestParse: the start is Friday, 2027-03-05, 10:00 in Berlin (+01:00); clocks
// go forward on 2027-03-28.
func TestParse(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	tests := []struct {
		rule, want string
		days       string // of the occurrences
	}{
		{"FREQ=WEEKLY;COUNT=3", "FREQ=WEEKLY;COUNT=3", "0305 0312 0319"},
		{"rrule:freq=weekly;wkst=mo;byday=fr;interval=1;count=2", "FREQ=WEEKLY;COUNT=2;BYDAY=FR", "0305 0312"},
		{"BYDAY=FR,MO,FR;COUNT=03;FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=3;BYDAY=MO,FR", "0305 0308 0312"},
		{"FREQ=DAILY;UNTIL=20270307", "FREQ=DAILY;UNTIL=20270307T225959Z", "0305 0306 0307"},
		{"FREQ=DAILY;UNTIL=2027-03-07", "FREQ=DAILY;UNTIL=20270307T225959Z", "0305 0306 0307"},
		{"FREQ=DAILY;UNTIL=20270307T100000", "FREQ=DAILY;UNTIL=20270307T090000Z", "0305 0306 0307"},
		{"FREQ=DAILY;UNTIL=20270307T085959Z", "FREQ=DAILY;UNTIL=20270307T085959Z", "0305 0306"},
		{"FREQ=DAILY;UNTIL=2027-03-07t10:00:00+01:00", "FREQ=DAILY;UNTIL=20270307T090000Z", "0305 0306 0307"},
		{"FREQ=WEEKLY;INTERVAL=2;UNTIL=20270402", "FREQ=WEEKLY;UNTIL=20270402T215959Z;INTERVAL=2", "0305 0319 0402"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,FR;COUNT=3", "FREQ=WEEKLY;COUNT=3;INTERVAL=2;BYDAY=FR,SU", "0305 0307 0319"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,FR;COUNT=3;WKST=SU", "FREQ=WEEKLY;COUNT=3;INTERVAL=2;BYDAY=FR,SU;WKST=SU", "0305 0314 0319"},
		{"FREQ=MONTHLY;BYDAY=1FR;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "0305 0402 0507"},
		{"FREQ=MONTHLY;BYDAY=+1FR,-1FR;COUNT=4", "FREQ=MONTHLY;COUNT=4;BYDAY=-1FR,1FR", "0305 0326 0402 0430"},
		{"FREQ=MONTHLY;BYDAY=MO,1FR;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYDAY=MO,1FR", "0305 0308 0315"},
		{"FREQ=MONTHLY;COUNT=3", "FREQ=MONTHLY;COUNT=3", "0305 0405 0505"},
		{"FREQ=MONTHLY;BYMONTHDAY=5,-1;COUNT=3", "FREQ=MONTHLY;COUNT=3;BYMONTHDAY=-1,5", "0305 0331 0405"},
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5;COUNT=2", "FREQ=MONTHLY;COUNT=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=5", "0305 0407"},
		{"FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=2;COUNT=2", "FREQ=WEEKLY;COUNT=2;BYDAY=MO,FR;BYSETPOS=2", "0305 0312"},
		{"FREQ=YEARLY;BYMONTH=12,3;COUNT=3", "FREQ=YEARLY;COUNT=3;BYMONTH=3,12", "0305 1205 0305"},
		{"FREQ=YEARLY;BYDAY=FR;BYMONTHDAY=5;COUNT=2", "FREQ=YEARLY;COUNT=2;BYMONTHDAY=5;BYDAY=FR", "0305 1105"},
		{"FREQ=YEARLY;BYDAY=10FR;COUNT=2", "FREQ=YEARLY;COUNT=2;BYDAY=10FR", "0305 0310"},
		{"FREQ=DAILY;COUNT=1;INTERVAL=3660", "FREQ=DAILY;COUNT=1;INTERVAL=3660", "0305"},
		{"FREQ=YEARLY;UNTIL=20370305", "FREQ=YEARLY;UNTIL=20370305T225959Z", strings.TrimSpace(strings.Repeat("0305 ", 11))},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			r := mustParse(t, tt.rule, nil, local(t, "2027-03-05T10:00", zone))
			if r.RRule() != tt.want {
				t.Errorf("RRule() = %s, want %s", r.RRule(), tt.want)
			}
			var got []string
			for _, o := range r.Occurrences() {
				got = append(got, o.Format("0102"))
				if o.Format("15:04") != "10:00" {
					t.Errorf("an occurrence is at %v", o)
				}
			}
			if g := strings.Join(got, " "); g != tt.days {
				t.Errorf("occurrences %s, want %s", g, tt.days)
			}
			if o := r.Occurrences(); !r.Last().Equal(o[len(o)-1]) {
				t.Errorf("Last() = %v", r.Last())
			}
		})
	}
}

func TestParseBadRule(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	tests := []struct{ rule, phrase string }{
		{"", "is empty"},
		{"RRULE:", "is empty"},
		{"RRULE:RRULE:FREQ=DAILY;COUNT=2", "does not know"},
		{"weekly", "NAME=VALUE"},
		{"FREQ=DAILY;COUNT=2;", "NAME=VALUE"},
		{"FREQ=DAILY;COUNT=", "NAME=VALUE"},
		{"COUNT=2", "has no FREQ"},
		{"FREQ=FORTNIGHTLY;COUNT=2", "has a FREQ"},
		{"FREQ=HOURLY;COUNT=2", "more often than daily"},
		{"FREQ=MINUTELY;COUNT=2", "more often than daily"},
		{"FREQ=SECONDLY;COUNT=2", "more often than daily"},
		{"FREQ=DAILY;COUNT=2;BYHOUR=9", "BYHOUR"},
		{"FREQ=DAILY;COUNT=2;BYMINUTE=9", "BYMINUTE"},
		{"FREQ=DAILY;COUNT=2;BYSECOND=9", "BYSECOND"},
		{"FREQ=YEARLY;COUNT=2;BYYEARDAY=64", "BYYEARDAY"},
		{"FREQ=YEARLY;COUNT=2;BYWEEKNO=9", "BYWEEKNO"},
		{"FREQ=DAILY;COUNT=2;X-SKIP=FORWARD", "does not know"},
		{"FREQ=DAILY;COUNT=2;FREQ=DAILY", "a part twice"},
		{"FREQ=DAILY;COUNT=2;COUNT=2", "a part twice"},
		{"FREQ=DAILY\r\nATTENDEE:mailto:x;COUNT=2", "characters"},
		{"FREQ=DAILY; COUNT=2", "characters"},
		{"FREQ=DAILY;COUNT=2;BYDAY=\u017fU", "characters"},
		{"FREQ=DAILY;COUNT=2;BYMONTH=" + strings.Repeat("3,", 100) + "3", "more than 200"},
		{"FREQ=DAILY", "neither COUNT nor UNTIL"},
		{"FREQ=DAILY;COUNT=2;UNTIL=20270307", "both COUNT and UNTIL"},
		{"FREQ=DAILY;COUNT=0", "from 1 to 366 in COUNT"},
		{"FREQ=DAILY;COUNT=-1", "from 1 to 366 in COUNT"},
		{"FREQ=DAILY;COUNT=+1", "from 1 to 366 in COUNT"},
		{"FREQ=DAILY;COUNT=367", "from 1 to 366 in COUNT"},
		{"FREQ=DAILY;COUNT=99999999999999999999", "from 1 to 366 in COUNT"},
		{"FREQ=DAILY;COUNT=2;INTERVAL=0", "from 1 to 3660 in INTERVAL"},
		{"FREQ=DAILY;COUNT=2;INTERVAL=9223372036854775807", "from 1 to 3660 in INTERVAL"},
		{"FREQ=DAILY;UNTIL=20270304", "before the start"},
		{"FREQ=DAILY;UNTIL=soon", "an UNTIL that is not"},
		{"FREQ=DAILY;UNTIL=20270231", "an UNTIL that is not"},
		{"FREQ=DAILY;UNTIL=20280401", "more than 366 occurrences"},
		{"FREQ=YEARLY;UNTIL=20370306", "more than 10 years"},
		{"FREQ=YEARLY;UNTIL=99991231", "more than 10 years"},
		{"FREQ=YEARLY;COUNT=12", "more than 10 years"},
		{"FREQ=DAILY;INTERVAL=3660;COUNT=2", "more than 10 years"},
		{"FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2;COUNT=2", "as its first occurrence"},
		{"FREQ=DAILY;BYMONTHDAY=31;BYMONTH=2;COUNT=2", "as its first occurrence"},
		{"FREQ=WEEKLY;BYDAY=MO;COUNT=2", "as its first occurrence"},
		{"FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1;COUNT=2", "as its first occurrence"},
		{"FREQ=MONTHLY;BYDAY=2FR;COUNT=2", "as its first occurrence"},
		{"FREQ=WEEKLY;BYDAY=1FR;COUNT=2", "a BYDAY with a number"},
		{"FREQ=DAILY;BYDAY=-1FR;COUNT=2", "a BYDAY with a number"},
		{"FREQ=MONTHLY;BYDAY=-53FR;COUNT=2", "a BYDAY whose number"},
		{"FREQ=YEARLY;BYMONTH=3;BYDAY=6FR;COUNT=2", "a BYDAY whose number"},
		{"FREQ=YEARLY;BYDAY=54FR;COUNT=2", "a BYDAY whose number"},
		{"FREQ=YEARLY;BYDAY=0FR;COUNT=2", "a BYDAY whose number"},
		{"FREQ=WEEKLY;BYDAY=F;COUNT=2", "a BYDAY that is not"},
		{"FREQ=WEEKLY;BYDAY=,;COUNT=2", "a BYDAY that is not"},
		{"FREQ=WEEKLY;WKST=XX;COUNT=2", "a WKST that is not"},
		{"FREQ=MONTHLY;BYMONTHDAY=0;COUNT=2", "a BYMONTHDAY that is"},
		{"FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "a BYMONTHDAY that is"},
		{"FREQ=YEARLY;BYMONTH=13;COUNT=2", "a BYMONTH that is"},
		{"FREQ=YEARLY;BYMONTH=-3;COUNT=2", "a BYMONTH that is"},
		{"FREQ=YEARLY;BYMONTH=3;BYSETPOS=367;COUNT=2", "a BYSETPOS that is"},
		{"FREQ=DAILY;BYSETPOS=1;COUNT=2", "without another BY part"},
		{"FREQ=WEEKLY;BYMONTHDAY=5;COUNT=2", "a weekly rule cannot have"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			_, err := Parse(tt.rule, nil, local(t, "2027-03-05T10:00", zone), zone, hour)
			if !errors.Is(err, ErrRule) || errors.Is(err, ErrExdate) {
				t.Fatalf("error %v, want ErrRule", err)
			}
			if !strings.Contains(err.Error(), tt.phrase) {
				t.Errorf("error %q, want %q", err, tt.phrase)
			}
		})
	}
}

func TestParseOverlap(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	tests := []struct {
		name, start string
		length      time.Duration
		bad         bool
	}{
		{"a day", "2027-03-05T10:00", 24 * hour, false},
		{"more than a day", "2027-03-05T10:00", 25 * hour, true},
		{"a day of 23 hours", "2027-03-27T10:00", 24 * hour, true},
		{"a night of 23 hours", "2027-03-27T10:00", 23 * hour, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("FREQ=DAILY;COUNT=3", nil, local(t, tt.start, zone), zone, tt.length)
			if bad := errors.Is(err, ErrRule); bad != tt.bad {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestExdates(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	tests := []struct {
		name    string
		exdates []string
		want    []string
		first   string
	}{
		{"none", nil, nil, "2027-03-05T10:00"},
		{"RFC 3339", []string{"2027-03-12T10:00:00+01:00"}, []string{"20270312T100000"}, "2027-03-05T10:00"},
		{"RFC 3339 in another zone", []string{"2027-03-12t09:00:00z"}, []string{"20270312T100000"}, "2027-03-05T10:00"},
		{"local", []string{"2027-04-02T10:00"}, []string{"20270402T100000"}, "2027-03-05T10:00"},
		{"date", []string{"2027-03-12", "20270319"}, []string{"20270312T100000", "20270319T100000"}, "2027-03-05T10:00"},
		{"iCalendar", []string{"20270402T080000Z", "20270319T100000"}, []string{"20270319T100000", "20270402T100000"}, "2027-03-05T10:00"},
		{"the first, twice", []string{" 20270305 ", "2027-03-05"}, []string{"20270305T100000"}, "2027-03-12T10:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := mustParse(t, "FREQ=WEEKLY;COUNT=5", tt.exdates, local(t, "2027-03-05T10:00", zone))
			if got := r.Exdates(); !slices.Equal(got, tt.want) {
				t.Errorf("Exdates() = %v, want %v", got, tt.want)
			}
			if got := days(r); len(got) != 5-len(tt.want) || got[0] != tt.first {
				t.Errorf("occurrences %v", got)
			}
			if want := local(t, "2027-04-02T10:00", zone); !r.Last().Equal(want) {
				t.Errorf("Last() = %v", r.Last())
			}
		})
	}
}

func TestParseBadExdates(t *testing.T) {
	zone := mustZone(t, "Europe/Berlin")
	tests := []struct {
		name, phrase string
		exdates      []string
	}{
		{"no time", "a date or time such as 2027-03-12T10:00 at place 2", []string{"2027-03-12", "x"}},
		{"empty", "a date or time", []string{""}},
		{"line break", "a date or time", []string{"20270312T100000\r\nX:y"}},
		{"long", "a date or time", []string{"20270312T100000." + strings.Repeat("0", 100)}},
		{"wrong time", "not an occurrence", []string{"2027-03-12T10:30"}},
		{"wrong offset", "not an occurrence", []string{"2027-04-02T10:00:00+01:00"}},
		{"wrong day", "not an occurrence at place 1", []string{"2027-03-13"}},
		{"after the end", "not an occurrence", []string{"2027-04-09"}},
		{"all", "excepts all", []string{"20270305", "20270312", "20270319", "20270326", "20270402"}},
		{"many", "more than", slices.Repeat([]string{"20270312"}, 1000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("FREQ=WEEKLY;COUNT=5", tt.exdates, local(t, "2027-03-05T10:00", zone), zone, hour)
			if !errors.Is(err, ErrExdate) || errors.Is(err, ErrRule) {
				t.Fatalf("error %v, want ErrExdate", err)
			}
			if !strings.Contains(err.Error(), tt.phrase) {
				t.Errorf("error %q, want %q", err, tt.phrase)
			}
		})
	}
}

// TestRuleDoesNotChange: what is returned is the caller's own.
func TestRuleDoesNotChange(t *testing.T) {
	r := mustParse(t, "FREQ=DAILY;COUNT=3", []string{"20270306"}, local(t, "2027-03-05T10:00", mustZone(t, "UTC")))
	r.Exdates()[0] = "x"
	r.Occurrences()[0] = r.Last()
	if got := days(r); r.Exdates()[0] != "20270306T100000" || got[0] != "2027-03-05T10:00" {
		t.Errorf("%v %v", r.Exdates(), got)
	}
}
