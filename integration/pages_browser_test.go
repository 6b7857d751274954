package integration_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/browsertest"
	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// bookingPage is a booking form as anybody would write it.
const bookingPage = `<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Book</title>
<main><h1>Book an appointment</h1>
<form method="post" action="/book">
	<p><label for="name">Name</label> <input id="name" name="name" required>
	<p><label for="email">E-mail</label> <input id="email" type="email" name="email" required>
	<p><label for="when">When</label> <input id="when" type="datetime-local" name="start" required>
	<p><label for="notes">Notes</label> <textarea id="notes" name="description"></textarea>
	<p><button>Book</button>
</form></main></html>
`

// visitor is somebody who books and changes an appointment in a browser.
type visitor struct {
	*browsertest.Browser

	t     *testing.T
	home  *caddytest.Home
	site  string
	mails map[string]bool // those that were read
}

// TestBrowser takes a booking through all its pages, as its client and its
// host do: in a browser without scripts, by the links in their mails.
func TestBrowser(t *testing.T) {
	need(t, "chromium")
	need(t, "axe-core")
	v := visit(t)
	v.refused()
	client, host := v.book()
	v.move(client)
	v.taken()
	v.host(host)
	v.cancel(client)
	v.astray(client)
}

// visit starts a site with everything that has pages, and a browser.
func visit(t *testing.T) *visitor {
	t.Helper()
	pages := t.TempDir()
	if err := os.WriteFile(filepath.Join(pages, "index.html"), []byte(bookingPage), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	for range 5 { // the port may be taken between our choice and Caddy's use
		address := freeAddress(t)
		home := caddytest.NewHome(t)
		if _, err = home.TryStartFile(t, home.WriteCaddyfile(t, pagesSite(address, pages))); err == nil {
			return &visitor{Browser: browsertest.Start(t), t: t, home: home, site: "http://" + address, mails: map[string]bool{}}
		}
	}
	t.Fatal(err)
	return nil
}

func pagesSite(address, pages string) string {
	return "http://" + address + ` {
	bind 127.0.0.1
	root ` + pages + `
	ical_invite /book {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file {$MAIL_DIR}
		timezone Europe/Berlin
		location "Main St 1, 2nd floor"
		description "Please bring your card."
		base_url http://` + address + `
		confirm
		exclusive
		manage /appointments
	}
	file_server
}
`
}

// local is a time n hours after the one that is booked at first, as the field
// of a form in Berlin has it.
func local(t *testing.T, n int) string {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return booked().Add(time.Duration(n) * time.Hour).In(berlin).Format("2006-01-02T15:04")
}

// clock is the time of day in local.
func clock(local string) string { return local[len(local)-len("15:04"):] }

// ask fills in the booking form and sends it.
func (v *visitor) ask(name, start string) int {
	v.t.Helper()
	v.Open(v.site)
	v.Type("Name", name)
	v.Type("E-mail", strings.ToLower(name)+"@example.net")
	v.Pick("When", start)
	v.Type("Notes", "First visit, <b>no card</b>")
	return v.Follow("Book")
}

// check compares a page's status, reads the page and has it judged.
func (v *visitor) check(name string, status, want int, says ...string) {
	v.t.Helper()
	if status != want {
		v.t.Errorf("%s: status %d, want %d", name, status, want)
	}
	v.Has(says...)
	v.Judge(name)
	if v.t.Failed() {
		v.t.FailNow()
	}
}

// refused books a time in the past.
func (v *visitor) refused() {
	status := v.ask("Ada", "2020-01-02T10:00")
	v.check("error", status, http.StatusUnprocessableEntity, "start: is in the past", "Nothing has been booked")
}

// book books an appointment and confirms it, and returns the client's and the
// host's link.
func (v *visitor) book() (client, host string) {
	start := local(v.t, 0)
	v.check("pending", v.ask("Ada", start), http.StatusAccepted, "Not booked yet", "ada@example.net", clock(start), "spam")
	mails := v.letters(1)
	confirm := v.link(mails["ada@example.net"])
	for _, part := range []string{"text/calendar", "First visit", "Ada"} {
		if strings.Contains(mails["ada@example.net"], part) {
			v.t.Errorf("%q is in the mail to an address that nobody has proven:\n%s", part, mails["ada@example.net"])
		}
	}
	v.check("confirm", v.Open(confirm), http.StatusOK, "Nothing is booked until you press the button", "Dr. Grace Hopper", clock(start))
	v.letters(0) // following a link does nothing
	v.check("confirmed", v.Follow("Confirm this booking"), http.StatusOK, "Your booking is confirmed", "Confirmed")
	mails = v.letters(2)
	v.check("confirmed-again", v.Open(confirm), http.StatusOK, "Confirmed")
	v.Lacks("Confirm this booking")
	v.letters(0)
	return v.link(mails["ada@example.net"]), v.link(mails["grace@example.org"])
}

// move moves the appointment, at the second attempt.
func (v *visitor) move(client string) {
	start, later := local(v.t, 0), local(v.t, 3)
	v.check("manage", v.Open(client), http.StatusOK, "Your appointment", "Confirmed", clock(start), "Dr. Grace Hopper",
		"grace@example.org", "Main St 1, 2nd floor", "Please bring your card.", "Add to your calendar")
	v.Lacks("First visit")
	v.checkAdd(client)

	v.Click("Move to another time")
	v.Forge("#start", "min", "2020-01-01T00:00") // the browser would not send it
	v.Pick("New start", "2020-01-02T10:00")
	v.Type("A note to Dr. Grace Hopper", "My train is late")
	v.check("move-refused", v.Follow("Move the appointment"), http.StatusUnprocessableEntity,
		"New start: is in the past", "Move the appointment")
	if note := v.Value("A note to"); note != "My train is late" {
		v.t.Errorf("the note is %q now", note)
	}
	if title := v.Title(); title != "Not done: Your appointment" {
		v.t.Errorf("the title is %q", title)
	}
	v.letters(0)

	v.Pick("New start", later)
	v.check("moved", v.Follow("Move the appointment"), http.StatusOK, "The appointment has been moved", clock(later))
	mails := v.letters(2)
	if !strings.Contains(mails["grace@example.org"], "My train is late") || strings.Contains(mails["ada@example.net"], "My train is late") {
		v.t.Error("the note has not reached the host, and nobody else")
	}
	v.check("stale", v.Open(client), http.StatusOK, "It has changed since the mail", clock(later))
}

// checkAdd looks at the ways into calendars.
func (v *visitor) checkAdd(client string) {
	for name, host := range map[string]string{
		"Google": "calendar.google.com", "Outlook.com": "outlook.live.com", "Microsoft 365": "outlook.office.com", "Yahoo": "calendar.yahoo.com",
	} {
		target, err := url.Parse(v.Link(name))
		if err != nil || target.Scheme != "https" || target.Host != host || strings.Contains(target.RawQuery, "appointments") {
			v.t.Errorf("the link %s leads to %s (%v)", name, target, err)
		}
	}
	page, err := url.Parse(client)
	if err != nil {
		v.t.Fatal(err)
	}
	file, err := page.Parse(v.Link("Calendar file (.ics)"))
	if err != nil {
		v.t.Fatal(err)
	}
	answer := caddytest.Do(v.t, browser(v.t), caddytest.Request(v.t, http.MethodGet, file.String(), "", ""))
	if answer.Status != http.StatusOK || !strings.HasPrefix(answer.Body, "BEGIN:VCALENDAR") {
		v.t.Errorf("the file %s: status %d\n%s", file, answer.Status, answer.Body)
	}
}

// taken books the time that another client has moved to.
func (v *visitor) taken() {
	v.check("taken", v.ask("Bob", local(v.t, 3)), http.StatusConflict, "Nothing has been booked")
	v.letters(0)
}

// host looks at the appointment as its host.
func (v *visitor) host(link string) {
	v.check("host", v.Open(link), http.StatusOK, "An appointment with you", "Ada", "ada@example.net", "First visit, <b>no card</b>")
}

// cancel cancels the appointment, and then once more with a page that was open
// all the time.
func (v *visitor) cancel(client string) {
	v.Open(client)
	v.Click("Cancel")
	v.Judge("cancel")
	v.Type("A note to Dr. Grace Hopper", "I am well again")
	v.check("cancelled", v.Follow("Cancel this appointment"), http.StatusOK, "The appointment is cancelled", "Cancelled")
	v.Lacks("Cancel this appointment", "Move to another time", "Add to your calendar")
	if mails := v.letters(2); !strings.Contains(mails["grace@example.org"], "I am well again") {
		v.t.Errorf("the host does not get the note:\n%s", mails["grace@example.org"])
	}
	v.check("cancelled-again", v.Open(client), http.StatusOK, "Cancelled")
	v.letters(0)
}

// astray follows a link that is damaged.
func (v *visitor) astray(client string) {
	v.check("link", v.Open(client+"x"), http.StatusNotFound, "This link does not work")
}
