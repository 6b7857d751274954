package recurrence

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzParse: nothing panics or takes long, errors name a field, and what is
// returned keeps its promises and can be read again.
func FuzzParse(f *testing.F) {
	for i, rule := range []string{
		"FREQ=WEEKLY;COUNT=10", "RRULE:FREQ=DAILY;UNTIL=20270330;BYDAY=MO,TU,WE,TH,FR", "FREQ=MONTHLY;BYDAY=-1FR,1FR;COUNT=9",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31;COUNT=2", "FREQ=YEARLY;BYDAY=-53MO;UNTIL=2030-01-01T00:00Z;WKST=SU",
		"FREQ=DAILY;COUNT=366", "FREQ=MONTHLY;BYMONTHDAY=-1,28;BYSETPOS=-1;COUNT=24;INTERVAL=5", "FREQ=WEEKLY;COUNT=9\r\nX:y",
	} {
		f.Add(rule, "2027-03-28 20270404T023000", int64(1803872400+86400*i), uint8(i), uint16(60))
	}
	zones := []*time.Location{nil}
	for _, name := range zoneNames() {
		zones = append(zones, mustZone(f, name))
	}
	f.Fuzz(func(t *testing.T, rule, exdates string, unix int64, zone uint8, minutes uint16) {
		start, where := time.Unix(unix, 0), zones[int(zone)%len(zones)]
		length := time.Duration(minutes) * time.Minute
		begin := time.Now()
		r, err := Parse(rule, strings.Fields(exdates), start, where, length)
		if spent := time.Since(begin); spent > 2*time.Second {
			t.Errorf("took %v", spent)
		}
		if err != nil {
			if errors.Is(err, ErrRule) == errors.Is(err, ErrExdate) || err.Error() == "" {
				t.Errorf("error %v", err)
			}
			return
		}
		checkPromises(t, r, start)
		again, err := Parse(r.RRule(), r.Exdates(), start, where, length)
		if err != nil {
			t.Fatalf("%s except %v: %v", r.RRule(), r.Exdates(), err)
		}
		if again.RRule() != r.RRule() || !slices.Equal(again.Exdates(), r.Exdates()) ||
			!slices.EqualFunc(again.Occurrences(), r.Occurrences(), time.Time.Equal) {
			t.Errorf("%s except %v is read again as %s except %v", r.RRule(), r.Exdates(), again.RRule(), again.Exdates())
		}
	})
}

// checkPromises checks the bounds of a rule, and that its text is one line of
// few characters.
func checkPromises(t *testing.T, r *Rule, start time.Time) {
	t.Helper()
	list := r.Occurrences()
	if len(list) == 0 || len(list) > MaxCount || !slices.IsSortedFunc(list, time.Time.Compare) {
		t.Errorf("occurrences %v", list)
	}
	if list[0].Before(start.Truncate(time.Second)) || r.Last().After(start.AddDate(MaxYears, 0, 2)) {
		t.Errorf("from %v until %v", list[0], r.Last())
	}
	if strings.Trim(r.RRule(), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=;,-") != "" {
		t.Errorf("text %q", r.RRule())
	}
	if e := r.Exdates(); !slices.IsSorted(e) || len(slices.Compact(e)) != len(r.Exdates()) {
		t.Errorf("exceptions %v", r.Exdates())
	}
}
