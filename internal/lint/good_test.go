package lint

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// read returns a file of testdata.
func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// options are the envelope of the good mails.
var options = Options{Recipient: "zoe@client.example", Sender: "bounce@mail.example.com"}

func TestGoodInputHasNoFindings(t *testing.T) {
	for _, name := range []string{"good-request.eml", "good-cancel.eml"} {
		if f := Mail([]byte(read(t, name)), options); f != nil {
			t.Errorf("%s: %v", name, f)
		}
		if f := Mail([]byte(read(t, name)), Options{}); f != nil {
			t.Errorf("%s without envelope: %v", name, f)
		}
	}
	for _, name := range []string{"good-request.ics", "good-cancel.ics", "good-zoned.ics"} {
		if f := Calendar([]byte(read(t, name))); f != nil {
			t.Errorf("%s: %v", name, f)
		}
	}
	if f := Successor([]byte(read(t, "good-request.eml")), []byte(read(t, "good-cancel.eml"))); f != nil {
		t.Errorf("successor: %v", f)
	}
}

// TestGoodMailsHoldTheGoodCalendars keeps the files of testdata in step, which
// the mutations rely on.
func TestGoodMailsHoldTheGoodCalendars(t *testing.T) {
	for _, name := range []string{"good-request", "good-cancel"} {
		if n := strings.Count(read(t, name+".eml"), wrapped(read(t, name+".ics"))); n != 2 {
			t.Errorf("%s.eml holds %s.ics %d times, want 2", name, name, n)
		}
	}
}

func TestSendingForTheOrganizerIsAllowed(t *testing.T) {
	m := read(t, "good-request.eml")
	m = strings.Replace(m, "<booking@example.com>", "<robot@example.com>", 1)
	m = strings.Replace(m, `"Host" <host@example.org>`, "booking@example.com", 1)
	ics := read(t, "good-request.ics")
	sentBy := strings.Replace(ics, "ORGANIZER;", "ORGANIZER;SENT-BY=\"mailto:robot@example.com\"\r\n ;", 1)
	m = strings.ReplaceAll(m, wrapped(ics), wrapped(sentBy))
	if f := Mail([]byte(m), options); f != nil {
		t.Error(f)
	}
}

func TestExceptionsOfASeriesAreAllowed(t *testing.T) {
	ics := read(t, "good-zoned.ics")
	from, to := strings.Index(ics, "BEGIN:VEVENT"), strings.Index(ics, "END:VCALENDAR")
	exception := strings.Replace(ics[from:to], "RRULE:FREQ=WEEKLY;COUNT=4", "RECURRENCE-ID;TZID=Europe/Berlin:20270312T103000", 1)
	if f := Calendar([]byte(ics[:to] + exception + ics[to:])); f != nil {
		t.Error(f)
	}
}

// TestRawUTF8IsAllowedForAnAddressThatNeedsIt: RFC 6532.
func TestRawUTF8IsAllowedForAnAddressThatNeedsIt(t *testing.T) {
	m := strings.Replace(read(t, "good-request.eml"), "=?utf-8?q?Zo=C3=AB_O'Neil?= <zoe@", "Zoë <zoë@", 1)
	ics := read(t, "good-request.ics")
	encoded := strings.Replace(ics, "mailto:zoe@", "mailto:zo%C3%AB@", 1)
	m = strings.ReplaceAll(m, wrapped(ics), wrapped(encoded))
	if f := Mail([]byte(m), Options{Recipient: "zoë@client.example"}); f != nil {
		t.Error(f)
	}
}

// wrapped is base64 as it stands in the mails.
func wrapped(s string) string {
	var b bytes.Buffer
	text := base64.StdEncoding.EncodeToString([]byte(s))
	for len(text) > maxEncoded {
		b.WriteString(text[:maxEncoded] + "\r\n")
		text = text[maxEncoded:]
	}
	b.WriteString(text)
	return b.String()
}
