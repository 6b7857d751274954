package integration_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// life is a site in front of a back end, and the mails that it sends.
type life struct {
	t      *testing.T
	caddy  *caddytest.Caddy
	server *smtptest.Server
	mails  int
}

func newLife(t *testing.T, backEnd http.Handler) *life {
	t.Helper()
	server := smtptest.Start(t, smtptest.Options{})
	upstream := startUpstream(t, backEnd.ServeHTTP)
	return &life{t: t, server: server, caddy: caddytest.Start(t, backEndSite(upstream, smtpMailer(server.Addr), answerFields))}
}

// step asks for something and waits until its mails have arrived, so that
// none is superseded by what comes next.
func (l *life) step(method, path, body, status string, mails int) {
	l.t.Helper()
	checkStatus(l.t, ask(l.t, l.caddy, method, path, body), status)
	l.mails += mails
	waitArrived(l.t, l.server, l.mails)
}

// TestBackEndLife takes a booking from its creation to its cancellation and
// beyond. What the back end is asked twice sends nothing twice.
func TestBackEndLife(t *testing.T) {
	l := newLife(t, new(counter))
	moved := fmt.Sprintf(`{"start":%q}`, booked().AddDate(0, 0, 1).Format(time.RFC3339))
	l.step("POST", "/bookings", bookingJSON(booked(), ""), "queued", 2)
	l.step("PATCH", "/bookings/1", moved, "updated", 2)
	l.step("PATCH", "/bookings/1", moved, "duplicate", 0)
	l.step("PUT", "/bookings/1", bookingJSON(booked(), ""), "updated", 2)
	l.step("DELETE", "/bookings/1", "", "cancelled", 2)
	l.step("DELETE", "/bookings/1", "", "skipped", 0)
	l.step("PATCH", "/bookings/1", moved, "skipped", 0)
	l.step("PUT", "/bookings/1", bookingJSON(booked(), ""), "skipped", 0)
	l.step("DELETE", "/bookings/unknown", "", "skipped", 0)
	l.step("PATCH", "/bookings/unknown", moved, "skipped", 0)

	boxes := readPostboxes(t, l.server)
	all := "REQUEST 0, REQUEST 1, REQUEST 2, CANCEL 3"
	boxes.check(t, map[string]string{"ada@example.net": all, deliveryHost: all})
	for _, letter := range boxes["ada@example.net"] {
		if got := letter.text("LOCATION"); got != "https://meet.example/1" {
			t.Errorf("%s takes place at %q", letter, got)
		}
	}
	checkNoErrors(t, l.caddy)
}

// TestBackEndPeople lets a guest leave and another come, and the client take
// another address: who is out is told so, and only they.
func TestBackEndPeople(t *testing.T) {
	l := newLife(t, new(counter))
	l.step("POST", "/bookings", bookingJSON(booked(), `,"guests":["bob@example.net","carol@example.net"]`), "queued", 4)
	l.step("PATCH", "/bookings/1", `{"guests":["carol@example.net","dave@example.net"]}`, "updated", 5)
	l.step("PATCH", "/bookings/1", `{"email":"ada@new.example"}`, "updated", 5)
	l.step("DELETE", "/bookings/1", "", "cancelled", 4)
	readPostboxes(t, l.server).check(t, map[string]string{
		"ada@example.net":   "REQUEST 0, REQUEST 1, CANCEL 2",
		"ada@new.example":   "REQUEST 2, CANCEL 3",
		"bob@example.net":   "REQUEST 0, CANCEL 1",
		"carol@example.net": "REQUEST 0, REQUEST 1, REQUEST 2, CANCEL 3",
		"dave@example.net":  "REQUEST 1, REQUEST 2, CANCEL 3",
		deliveryHost:        "REQUEST 0, REQUEST 1, REQUEST 2, CANCEL 3",
	})
}

// TestBackEndRetry lets a back end that recognizes a repeated booking answer
// it the same way, many times and at once.
func TestBackEndRetry(t *testing.T) {
	l := newLife(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answerBooking(w, "the same") }))
	body := bookingJSON(booked(), "")
	requests := make([]*http.Request, 10)
	for i := range requests {
		requests[i] = caddytest.Request(t, "POST", "http://site.test/bookings", "application/json", body)
	}
	status := map[string]int{}
	for _, a := range atOnce(t, l.caddy, requests) {
		status[inviteStatus(a)]++
	}
	if status["queued"] != 1 || status["duplicate"] != 9 {
		t.Errorf("the answers are %v", status)
	}
	l.mails = 2
	l.step("POST", "/bookings", body, "duplicate", 0)
	readPostboxes(t, l.server).check(t, map[string]string{"ada@example.net": "REQUEST 0", deliveryHost: "REQUEST 0"})
}

// TestBackEndConcurrentChanges changes one booking by many at once: each
// change is a SEQUENCE of its own, and the last mail is the last change.
func TestBackEndConcurrentChanges(t *testing.T) {
	l := newLife(t, new(counter))
	l.step("POST", "/bookings", bookingJSON(booked(), ""), "queued", 2)
	requests := make([]*http.Request, 8)
	for i := range requests {
		start := booked().Add(time.Duration(i+1) * time.Hour).Format(time.RFC3339)
		requests[i] = caddytest.Request(t, "PATCH", "http://site.test/bookings/1", "application/json", fmt.Sprintf(`{"start":%q}`, start))
	}
	for _, a := range atOnce(t, l.caddy, requests) {
		checkStatus(t, a, "updated")
	}
	last := func() string {
		sequence := "0"
		for _, m := range l.server.Messages() {
			if m.To == deliveryHost {
				sequence = readLetter(t, m).sequence
			}
		}
		return sequence
	}
	caddytest.Eventually(t, "the last change has arrived", func() bool { return last() == "8" })
	readPostboxes(t, l.server) // in order, or the linter would say so
}

// TestBackEndSupersedes changes and cancels a booking while the mail server is
// down: nobody hears of what is over before it was told.
func TestBackEndSupersedes(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	door.close()
	upstream := startUpstream(t, new(counter).ServeHTTP)
	// It does not hurry: a message that a worker is just trying is not
	// superseded, and all changes have to come between two tries.
	caddy := caddytest.NewHome(t).Start(t, backEndSite(upstream, smtpMailer(door.addr), answerFields))
	later := fmt.Sprintf(`{"start":%q}`, booked().AddDate(0, 0, 1).Format(time.RFC3339))
	checkStatus(t, ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), "")), "queued")
	caddytest.Eventually(t, "the mailer pauses", func() bool {
		return strings.Count(caddy.Output(), "mail server not usable, message waits") >= 2
	})
	checkStatus(t, ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), "")), "queued")
	checkStatus(t, ask(t, caddy, "PATCH", "/bookings/1", later), "updated")
	checkStatus(t, ask(t, caddy, "DELETE", "/bookings/1", ""), "cancelled")
	checkStatus(t, ask(t, caddy, "PATCH", "/bookings/2", later), "updated")
	door.open()
	waitArrived(t, server, 2)
	readPostboxes(t, server).check(t, map[string]string{"ada@example.net": "REQUEST 1", deliveryHost: "REQUEST 1"})
	caddy.Terminate()
	checkNothingWaits(t, defaultStore(caddy.Home))
	if n := len(server.Messages()); n != 2 {
		t.Errorf("%d mails have arrived in the end", n)
	}
}

// TestBackEndVerbs changes and cancels without PATCH and DELETE, as HTML forms
// have to: by a field of the request, and by a control header.
func TestBackEndVerbs(t *testing.T) {
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/cancel") {
			w.Header().Set("Ical-Invite", "cancel")
		}
		if r.URL.Path == "/bookings" {
			w.Header().Set("Ical-Invite-Id", "1")
		}
	})
	server := smtptest.Start(t, smtptest.Options{})
	config := strings.Replace(backEndSite(upstream, smtpMailer(server.Addr), "pass_thru {\n}"), "guests guests", "guests guests\naction do", 1)
	l := &life{t: t, server: server, caddy: caddytest.Start(t, config)}
	l.step("POST", "/bookings", bookingJSON(booked(), ""), "queued", 2)
	l.step("POST", "/bookings/1", bookingJSON(booked().Add(time.Hour), `,"do":"reschedule"`), "updated", 2)
	l.step("POST", "/bookings/1/cancel", "", "cancelled", 2)
	all := "REQUEST 0, REQUEST 1, CANCEL 2"
	readPostboxes(t, server).check(t, map[string]string{"ada@example.net": all, deliveryHost: all})
}
