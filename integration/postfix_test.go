package integration_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

// hostileNames are names that people have and that attackers take. Each value
// is what stays of it in a calendar, which cannot express a double quote.
var hostileNames = [][2]string{
	{"Doe, John", "Doe, John"},
	{"O'Neil", "O'Neil"},
	{"a;PARTSTAT=ACCEPTED", "a;PARTSTAT=ACCEPTED"},
	{`"Bob"`, "'Bob'"},
	{"山田 太郎", "山田 太郎"},
	{"Zoë 👩‍💻🎉", "Zoë 👩‍💻🎉"},
	{"محمد بن سلمان", "محمد بن سلمان"},
	{strings.Repeat("Wolfeschlegel ", 5) + "steinhaus1", strings.Repeat("Wolfeschlegel ", 5) + "steinhaus1"},
}

// postfixSite mails through a server that insists on STARTTLS.
func postfixSite(server string) string {
	return site(`ical_invite {
		organizer booking@example.com "Bücher, Müller & Söhne"
		host grace@example.org "Dr. Grace Hopper"
		smtp ` + server + ` {
			helo web.example.com
		}
		location "Hauptstraße 1; 2. Stock, Zimmer \7"
		timezone Europe/Berlin
	}`)
}

// TestPostfix is the whole way: a form is posted by curl, mailed by Caddy,
// taken, checked and delivered by Debian's Postfix, and what lies in the
// mailboxes is read by three parsers and the linter.
func TestPostfix(t *testing.T) {
	need(t, "curl")
	need(t, "postfix")
	need(t, "python3-icalendar")
	users := []string{"grace@example.org"}
	for i := range hostileNames {
		users = append(users, clientAddress(i))
	}
	postfix := startPostfix(t, users...)
	caddy := caddytest.Start(t, postfixSite(postfix.addr), trust(t, postfix.authority))

	var calendars [][]byte
	var names []string
	for i, name := range hostileNames {
		client := clientAddress(i)
		curlForm(t, caddy, "name="+name[0], "email="+client,
			"start="+booked().Format(time.RFC3339), "description=Notes, with a comma; ünd möre.")
		for _, to := range []string{client, "grace@example.org"} {
			inv := checkInvitation(t, postfix.take(t, to), lint.Options{Sender: "booking@example.com", Recipient: to})
			inv.checkTimes(t, booked(), booked().Add(time.Hour))
			inv.checkAttendees(t, map[string]string{client: name[1], "grace@example.org": "Dr. Grace Hopper"})
			calendars = append(calendars, inv.calendar, inv.attachment)
			names = append(names, name[1], name[1])
		}
	}
	for i, event := range pythonRead(t, calendars...) {
		client := clientAddress(i / 4) // two recipients with two parts each
		event.checkAttendees(t, map[string]string{client: names[i], "grace@example.org": "Dr. Grace Hopper"})
		event.checkRest(t)
	}
}

func clientAddress(i int) string { return fmt.Sprintf("client%d@example.net", i) }

// checkRest compares what is the same in all invitations of TestPostfix.
func (e *pyEvent) checkRest(t *testing.T) {
	t.Helper()
	if !e.Start.Equal(booked()) || !e.End.Equal(booked().Add(time.Hour)) {
		t.Errorf("python-icalendar: the event is from %s to %s, want %s and an hour", e.Start, e.End, booked())
	}
	if e.Organizer.Address != "mailto:booking@example.com" || e.Organizer.Params["CN"] != "Bücher, Müller & Söhne" {
		t.Errorf("python-icalendar: the organizer is %v", e.Organizer)
	}
	if want := `Hauptstraße 1; 2. Stock, Zimmer \7`; e.Location != want {
		t.Errorf("python-icalendar: the location is %q, want %q", e.Location, want)
	}
}

// curlForm posts a form by the real curl.
func curlForm(t *testing.T, caddy *caddytest.Caddy, fields ...string) {
	t.Helper()
	args := []string{"--silent", "--show-error", "--max-time", "60", "--unix-socket", caddy.Site,
		"--output", "-", "--write-out", "\n%{http_code}"}
	for _, field := range fields {
		args = append(args, "--data-urlencode", field)
	}
	out, err := exec.CommandContext(t.Context(), "curl", append(args, "http://site.test/book")...).CombinedOutput()
	if want := fmt.Sprintf("\n%d", http.StatusAccepted); err != nil || !strings.HasSuffix(string(out), want) {
		t.Fatalf("curl: %v\n%s", err, out)
	}
}
