package integration_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message"

	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

// invite is a mail as parsers read it that have nothing to do with its writer.
type invite struct {
	to                   string
	calendar, attachment []byte
	event                ical.Event
}

// invitationShape is the MIME tree that mail programs are known to understand.
var invitationShape = []string{
	"multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
}

// checkInvitation judges a mail by the linter and two foreign parsers, and
// returns what is in it.
func checkInvitation(t *testing.T, raw []byte, o lint.Options) *invite {
	t.Helper()
	failedBefore := t.Failed()
	for _, f := range lint.Mail(raw, o) {
		t.Errorf("the linter finds: %s", f)
	}
	inv := readMail(t, raw)
	inv.event = readCalendar(t, inv.calendar)
	if t.Failed() && !failedBefore { // one mail is enough to look at
		t.Logf("%s", raw)
	}
	return inv
}

// readMail walks the MIME tree with go-message.
func readMail(t *testing.T, raw []byte) *invite {
	t.Helper()
	root, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	inv := new(invite)
	inv.to = strings.Trim(afterLast(root.Header.Get("To"), " "), "<>")
	var shape []string
	parts := map[string][]byte{}
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		mediaType, params, err := e.Header.ContentType()
		shape = append(shape, mediaType)
		if err != nil || strings.HasPrefix(mediaType, "multipart/") {
			return err
		}
		if mediaType == "text/calendar" && params["method"] != "REQUEST" {
			return errors.New("the method parameter is " + params["method"])
		}
		parts[mediaType], err = io.ReadAll(e.Body)
		return err
	})
	if err != nil {
		t.Errorf("go-message: %v", err)
	}
	if !slices.Equal(shape, invitationShape) {
		t.Errorf("the parts are %v, want %v", shape, invitationShape)
	}
	inv.calendar, inv.attachment = parts["text/calendar"], parts["application/ics"]
	if !bytes.Equal(inv.calendar, inv.attachment) {
		t.Error("the attachment differs from the calendar part")
	}
	return inv
}

func afterLast(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }

// readCalendar reads the one event of a REQUEST with go-ical.
func readCalendar(t *testing.T, calendar []byte) ical.Event {
	t.Helper()
	c, err := ical.NewDecoder(bytes.NewReader(calendar)).Decode()
	if err != nil {
		t.Fatalf("go-ical: %v\n%s", err, calendar)
	}
	if method, err := c.Props.Text("METHOD"); err != nil || method != "REQUEST" {
		t.Errorf("go-ical: METHOD is %q (%v)", method, err)
	}
	events := c.Events()
	if len(events) != 1 {
		t.Fatalf("go-ical: there are %d events", len(events))
	}
	return events[0]
}

// checkTimes compares the event's times, as go-ical reads them.
func (inv *invite) checkTimes(t *testing.T, start, end time.Time) {
	t.Helper()
	gotStart, err := inv.event.DateTimeStart(time.UTC)
	if err != nil || !gotStart.Equal(start) {
		t.Errorf("go-ical: the event starts at %s (%v), want %s", gotStart, err, start)
	}
	gotEnd, err := inv.event.DateTimeEnd(time.UTC)
	if err != nil || !gotEnd.Equal(end) {
		t.Errorf("go-ical: the event ends at %s (%v), want %s", gotEnd, err, end)
	}
}

// checkSummary compares the event's title.
func (inv *invite) checkSummary(t *testing.T, want string) {
	t.Helper()
	if got, err := inv.event.Props.Text("SUMMARY"); err != nil || got != want {
		t.Errorf("go-ical: SUMMARY is %q (%v), want %q", got, err, want)
	}
}

// checkAttendees compares the common names by address.
func (inv *invite) checkAttendees(t *testing.T, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, a := range inv.event.Props.Values("ATTENDEE") {
		got[trimMailto(a.Value)] = a.Params.Get("CN")
	}
	if len(got) != len(want) {
		t.Errorf("go-ical: the attendees are %v, want %v", got, want)
	}
	for address, name := range want {
		if got[address] != name {
			t.Errorf("go-ical: %s is called %q, want %q", address, got[address], name)
		}
	}
}

// summary is the event's title.
func (inv *invite) summary(t *testing.T) string {
	t.Helper()
	event := readCalendar(t, inv.calendar)
	s, err := event.Props.Text("SUMMARY")
	if err != nil {
		t.Errorf("go-ical: SUMMARY: %v", err)
	}
	return s
}

func trimMailto(address string) string { return strings.TrimPrefix(address, "mailto:") }
