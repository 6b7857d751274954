package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// series is a recurring booking and the times at which it takes place.
type series struct {
	name, zone, rule string
	every            func(first time.Time, i int) time.Time
	count            int
	without          []int // exceptions
}

func weeks(n int) func(time.Time, int) time.Time {
	return func(first time.Time, i int) time.Time { return first.AddDate(0, 0, 7*n*i) }
}

func days(first time.Time, i int) time.Time { return first.AddDate(0, 0, i) }

func months(first time.Time, i int) time.Time { return first.AddDate(0, i, 0) }

// allSeries last over both changes of clocks, in zones that differ in how they
// make them: in the south, with the standard time in summer, or not at all.
var allSeries = []series{
	{"weekly", "Europe/Berlin", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"weekly with exceptions", "Europe/Berlin", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, []int{1, 20, 51}},
	{"new york", "America/New_York", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"fortnightly", "Europe/London", "FREQ=WEEKLY;INTERVAL=2;COUNT=26", weeks(2), 26, []int{7}},
	{"daily", "America/St_Johns", "FREQ=DAILY;COUNT=300", days, 300, nil},
	{"monthly", "Europe/Lisbon", "FREQ=MONTHLY;COUNT=12", months, 12, nil},
	{"south", "Australia/Sydney", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"half an hour", "Australia/Lord_Howe", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"winter time", "Europe/Dublin", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"ramadan", "Africa/Casablanca", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, nil},
	{"no change", "Asia/Kolkata", "FREQ=WEEKLY;COUNT=52", weeks(1), 52, []int{3}},
	{"utc", "UTC", "FREQ=WEEKLY;COUNT=10", weeks(1), 10, nil},
}

// first is ten o'clock on the tenth of next January, in the series' zone.
func (s *series) first(t *testing.T) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(booked().Year()+1, time.January, 10, 10, 0, 0, 0, zone)
}

// times are when the series takes place, by adding to the first.
func (s *series) times(t *testing.T) []time.Time {
	t.Helper()
	var times []time.Time
	for i := range s.count {
		if !slices.Contains(s.without, i) {
			times = append(times, s.every(s.first(t), i))
		}
	}
	return times
}

// request is the booking in JSON, with wall clock times.
func (s *series) request(t *testing.T) string {
	t.Helper()
	exdates := []string{}
	for _, i := range s.without {
		exdates = append(exdates, s.every(s.first(t), i).Format("2006-01-02T15:04"))
	}
	body, err := json.Marshal(map[string]any{
		"name": s.name, "email": "ada@example.net", "timezone": s.zone,
		"start": s.first(t).Format("2006-01-02T15:04"), "rrule": s.rule, "exdate": exdates,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// recurringSite takes each booking in the zone that it says.
func recurringSite(upstream, mailer string) string {
	return strings.Replace(backEndSite(upstream, mailer, answerFields), "guests guests", "timezone timezone", 1)
}

// checkTenOClock compares what a judge reads with when a series takes place.
func (s *series) checkTenOClock(t *testing.T, judge string, got []time.Time) {
	t.Helper()
	want := s.times(t)
	if len(got) != len(want) {
		t.Errorf("%s: %s: there are %d occurrences, want %d", s.name, judge, len(got), len(want))
		return
	}
	for i := range want {
		local := got[i].In(want[i].Location())
		if !got[i].Equal(want[i]) || local.Hour() != 10 || local.Minute() != 0 {
			t.Errorf("%s: %s: one is at %s, want %s", s.name, judge, local, want[i])
		}
	}
}

// TestRecurringBookings books series and lets every judge say when they take
// place: at ten o'clock, before and after each change of clocks.
func TestRecurringBookings(t *testing.T) {
	need(t, "python3-icalendar")
	need(t, "python3-dateutil")
	upstream := startUpstream(t, new(counter).ServeHTTP)
	server := smtptest.Start(t, smtptest.Options{})
	caddy := caddytest.Start(t, recurringSite(upstream, smtpMailer(server.Addr)))
	for _, s := range allSeries {
		checkStatus(t, ask(t, caddy, "POST", "/bookings", s.request(t)), "queued")
	}
	waitArrived(t, server, 2*len(allSeries))
	var letters []*letter
	for _, m := range server.Messages() {
		letters = append(letters, readLetter(t, m)) // the linter's judgment
	}
	expanded := expandByPython(t, letters)
	for i, l := range letters {
		at := slices.IndexFunc(allSeries, func(s series) bool { return strings.HasPrefix(l.text("SUMMARY"), s.name+" and ") })
		if at < 0 {
			t.Fatalf("nobody booked %q", l.text("SUMMARY"))
		}
		s := &allSeries[at]
		set, err := l.event.RecurrenceSet(time.UTC)
		if err != nil || set == nil {
			t.Fatalf("%s: go-ical: %v\n%s", s.name, err, l.calendar)
		}
		s.checkTenOClock(t, "go-ical and rrule-go", set.All())
		if len(expanded[i]) != 3 {
			t.Errorf("%s: %d judges in Python", s.name, len(expanded[i]))
		}
		for judge, times := range expanded[i] {
			s.checkTenOClock(t, judge, times)
		}
	}
}

// expandByPython asks the judges in Python for the occurrences, by judge.
func expandByPython(t *testing.T, letters []*letter) []map[string][]time.Time {
	t.Helper()
	texts := make([]string, len(letters))
	for i, l := range letters {
		texts[i] = string(l.calendar)
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "-I", filepath.Join("testdata", "expand_recurrence.py"))
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python: %v\n%s", err, &stderr)
	}
	var expanded []map[string][]time.Time
	if err := json.Unmarshal(out, &expanded); err != nil || len(expanded) != len(letters) {
		t.Fatalf("python: %v\n%s", err, out)
	}
	return expanded
}

// TestRecurringLife moves a series and cancels it: as a whole, each mail being
// the successor of the one before.
func TestRecurringLife(t *testing.T) {
	l := newLife(t, new(counter))
	start := time.Date(booked().Year()+1, time.January, 10, 9, 0, 0, 0, time.UTC)
	weekly := func(hour, count int) string {
		return bookingJSON(start.Add(time.Duration(hour)*time.Hour), fmt.Sprintf(`,"rrule":"FREQ=WEEKLY;COUNT=%d"`, count))
	}
	l.step("POST", "/bookings", weekly(0, 10), "queued", 2)
	l.step("POST", "/bookings/1", "{}", "skipped", 0)
	l.step("PUT", "/bookings/1", weekly(0, 10), "duplicate", 0)
	l.step("PUT", "/bookings/1", weekly(0, 20), "updated", 2)
	l.step("PATCH", "/bookings/1", fmt.Sprintf(`{"start":%q}`, start.Add(time.Hour).Format(time.RFC3339)), "updated", 2)
	l.step("DELETE", "/bookings/1", "", "cancelled", 2)
	boxes := readPostboxes(t, l.server)
	all := "REQUEST 0, REQUEST 1, REQUEST 2, CANCEL 3"
	boxes.check(t, map[string]string{"ada@example.net": all, deliveryHost: all})
	for i, want := range []int{10, 20, 20, 20} {
		set, err := boxes[deliveryHost][i].event.RecurrenceSet(time.UTC)
		if err != nil || set == nil || len(set.All()) != want {
			t.Errorf("mail %d: want %d occurrences; %v\n%s", i, want, err, boxes[deliveryHost][i].calendar)
		}
	}
}

// TestRecurringRefusals sends rules that are not taken: they are endless, too
// long, too often, or no rules at all. The back end has booked, so the client
// gets its answer.
func TestRecurringRefusals(t *testing.T) {
	upstream := startUpstream(t, new(counter).ServeHTTP)
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, answerFields))
	for _, rule := range []string{
		"FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=100000", "FREQ=WEEKLY;COUNT=0", "FREQ=WEEKLY;COUNT=-1",
		"FREQ=SECONDLY;COUNT=5", "FREQ=MINUTELY;COUNT=5", "FREQ=DAILY;UNTIL=99991231T000000Z",
		"FREQ=WEEKLY;COUNT=5;UNTIL=20300101T000000Z", "COUNT=5", "FREQ=", "weekly",
		"FREQ=WEEKLY;COUNT=5\\nATTENDEE:mailto:eve@example.net", "FREQ=WEEKLY;COUNT=5;X-A=1",
	} {
		answer := ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), fmt.Sprintf(`,"rrule":"%s"`, rule)))
		if inviteStatus(answer) != "skipped" || answer.Status != 201 {
			t.Errorf("%s is answered %d %s", rule, answer.Status, inviteStatus(answer))
		}
	}
	if mails := caddy.Mails(t); len(mails) != 0 {
		t.Errorf("there are %d mails", len(mails))
	}
}
