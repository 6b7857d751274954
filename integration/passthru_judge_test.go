package integration_test

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-ical"
	"github.com/emersion/go-message"

	"github.com/caddyicalmail/caddyicalmail/internal/lint"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// letter is a mail about an event's life, of whatever method.
type letter struct {
	to, method, sequence string
	raw, calendar        []byte
	event                ical.Event
}

// String is what happened: "REQUEST 0".
func (l *letter) String() string { return l.method + " " + l.sequence }

// readLetter judges a mail by the linter and two foreign parsers.
func readLetter(t *testing.T, m smtptest.Message) *letter {
	t.Helper()
	for _, f := range lint.Mail(m.Data, lint.Options{Sender: "booking@example.com", Recipient: m.To}) {
		t.Errorf("the linter finds: %s in\n%s", f, m.Data)
	}
	l := &letter{to: m.To, raw: m.Data}
	root, err := message.Read(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil {
			return err
		}
		mediaType, params, err := e.Header.ContentType()
		if err != nil || mediaType != "text/calendar" {
			return err
		}
		l.method = params["method"]
		l.calendar, err = io.ReadAll(e.Body)
		return err
	})
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	l.readEvent(t)
	return l
}

// readEvent reads the calendar part with go-ical.
func (l *letter) readEvent(t *testing.T) {
	t.Helper()
	calendar, err := ical.NewDecoder(bytes.NewReader(l.calendar)).Decode()
	if err != nil {
		t.Fatalf("go-ical: %v\n%s", err, l.calendar)
	}
	if method, err := calendar.Props.Text("METHOD"); err != nil || method != l.method {
		t.Errorf("go-ical: METHOD is %q (%v), that of the part is %q", method, err, l.method)
	}
	events := calendar.Events()
	if len(events) != 1 {
		t.Fatalf("go-ical: there are %d events", len(events))
	}
	l.event = events[0]
	l.sequence = l.event.Props.Get("SEQUENCE").Value
}

// text is the value of a text property, or empty.
func (l *letter) text(name string) string {
	text, err := l.event.Props.Text(name)
	if err != nil {
		return ""
	}
	return text
}

// postboxes are the letters by recipient, in order of arrival.
type postboxes map[string][]*letter

// readPostboxes judges all mails, each also against the one before it that the
// same recipient got about the same event.
func readPostboxes(t *testing.T, server *smtptest.Server) postboxes {
	t.Helper()
	boxes := postboxes{}
	last := map[string]*letter{} // by recipient and event
	for _, m := range server.Messages() {
		l := readLetter(t, m)
		key := l.to + " " + l.text("UID")
		if before := last[key]; before != nil {
			for _, f := range lint.Successor(before.raw, l.raw) {
				t.Errorf("%s after %s to %s: %s", l, before, l.to, f)
			}
		}
		last[key] = l
		boxes[l.to] = append(boxes[l.to], l)
	}
	return boxes
}

// check compares what everybody got, as "REQUEST 0, CANCEL 1" by address.
func (b postboxes) check(t *testing.T, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for to, letters := range b {
		words := make([]string, len(letters))
		for i, l := range letters {
			words[i] = l.String()
		}
		got[to] = strings.Join(words, ", ")
	}
	if maps.Equal(got, want) {
		return
	}
	for _, to := range slices.Sorted(maps.Keys(merge(got, want))) {
		t.Errorf("%s got %q, want %q", to, got[to], want[to])
	}
}

func merge(a, b map[string]string) map[string]string {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}
