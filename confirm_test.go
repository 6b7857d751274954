package caddyicalmail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const confirmOptions = "manage /appointments\nconfirm /confirm\nexclusive"

// TestConfirmLife books, and nothing reaches the host nor any calendar before
// the button behind the link was pressed.
func TestConfirmLife(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	w := s.book(`{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","description":"secret notes"}`)
	var got answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusAccepted || got.Status != "pending" || got.UID == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	mail := s.mails(1)[0]
	if mail.Role != booking.RoleClient || mail.Method != "" {
		t.Errorf("the first mail is a %s to the %s", mail.Method, mail.Role)
	}
	raw := string(mail.Raw)
	for _, never := range []string{"text/calendar", "BEGIN:VCALENDAR", ".ics", "ics\""} {
		if strings.Contains(raw, never) {
			t.Errorf("the confirmation mail has %s in it", never)
		}
	}
	for _, part := range textsOf(t, mail) {
		for _, never := range []string{"Ada", "secret notes", "appointments/"} {
			if strings.Contains(part, never) {
				t.Errorf("the confirmation mail says %q", never)
			}
		}
	}
	link := linkIn(t, mail)
	for _, method := range []string{"GET", "HEAD", "GET"} {
		s.want(s.visit(httptest.NewRequest(method, link, http.NoBody)), http.StatusOK)
	}
	s.want(s.get(link), http.StatusOK, "Confirm your booking", "Nothing is booked until")
	s.want(s.send(link, url.Values{"action": {"confirm"}}), http.StatusConflict, "not sent from this page")
	if messages := s.stored(); messages != 1 {
		t.Errorf("%d messages before the confirmation", messages)
	}

	s.want(s.press(link, "confirm", nil), http.StatusOK, "Your booking is confirmed")
	for _, m := range s.mails(2) {
		checkMail(t, m)
		if m.Sequence != 0 || m.Method != "REQUEST" || m.UID != got.UID {
			t.Errorf("%s's %s %s has SEQUENCE %d", m.Role, m.Method, m.UID, m.Sequence)
		}
		if !strings.HasPrefix(linkIn(t, m), "https://example.com/appointments/") {
			t.Errorf("the %s has no link", m.Role)
		}
	}
	s.want(s.get(link), http.StatusOK)
	if formOf(t, s.get(link).Body.String(), "confirm") != nil {
		t.Error("what is confirmed can be confirmed")
	}
}

// stored counts the messages in the store.
func (s *site) stored() int {
	s.Helper()
	stats, err := s.out.store.Stats(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	events, messages := stats.Events, s.listed()
	if events != 1 {
		s.Errorf("%d events", events)
	}
	return messages
}

// TestConfirmTwice sends one form many times at once.
func TestConfirmTwice(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	s.book(goodJSON)
	link := linkIn(t, s.mails(1)[0])
	form := formOf(t, s.get(link).Body.String(), "confirm")
	statuses := make(chan int)
	const times = 20
	for range times {
		go func() { statuses <- s.send(link, form).Code }()
	}
	count := map[int]int{}
	for range times {
		count[<-statuses]++
	}
	if count[http.StatusOK] != 1 || count[http.StatusConflict] != times-1 {
		t.Errorf("statuses %v", count)
	}
	s.mails(2)
	s.want(s.send(link, form), http.StatusConflict, "was confirmed already")
	if n := s.listed(); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// TestConfirmOnePending asks for the same slot again before it is confirmed.
func TestConfirmOnePending(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	for i, body := range []string{goodJSON, goodJSON,
		strings.Replace(goodJSON, "Ada", "Ada L.", 1),
		strings.Replace(goodJSON, "ada@", "ADA+spam@", 1),
	} {
		w := s.book(body)
		if w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"status":"pending"`) {
			t.Errorf("booking %d: %d %s", i, w.Code, w.Body)
		}
	}
	s.mails(1)
	if n := s.listed(); n != 1 {
		t.Errorf("%d mails for one slot", n)
	}
	// Somebody else is told that it is taken for now.
	if w := s.book(strings.Replace(goodJSON, "ada@", "bob@", 1)); w.Code != http.StatusConflict {
		t.Errorf("a second client: %d %s", w.Code, w.Body)
	}
}

// TestConfirmHoldEnds lets somebody else have a slot that was not confirmed.
func TestConfirmHoldEnds(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	s.book(goodJSON)
	late := linkIn(t, s.mails(1)[0])
	s.jump(testNow.Add(15 * time.Minute))
	w := s.book(strings.Replace(goodJSON, "ada@", "bob@", 1))
	if w.Code != http.StatusAccepted {
		t.Fatalf("after the hold: %d %s", w.Code, w.Body)
	}
	first := linkIn(t, s.mails(1)[0])
	s.want(s.press(late, "confirm", nil), http.StatusConflict, "taken this time meanwhile")
	s.want(s.press(first, "confirm", nil), http.StatusOK)
	s.mails(2)
	s.want(s.press(late, "confirm", nil), http.StatusConflict, "taken this time meanwhile")
}

// TestConfirmLate confirms after the slot was free for a while, and too late.
func TestConfirmLate(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	s.book(goodJSON)
	link := linkIn(t, s.mails(1)[0])
	form := formOf(t, s.get(link).Body.String(), "confirm")
	s.jump(testNow.Add(11 * time.Hour))
	s.want(s.send(link, form), http.StatusOK, "is confirmed")
	s.mails(2)

	s.book(strings.ReplaceAll(goodJSON, "05T10", "09T10"))
	link = linkIn(t, s.mails(1)[0])
	s.jump(s.time.now().Add(24 * time.Hour))
	s.want(s.get(link), http.StatusGone, "is over")
}

// TestConfirmHeldCapped keeps robots from blocking a calendar.
func TestConfirmHeldCapped(t *testing.T) {
	s := startSite(t, ownDirective("confirm {\nmax_held 3\n}\nexclusive"))
	ask := func(who string, day int) *httptest.ResponseRecorder {
		t.Helper()
		return s.book(fmt.Sprintf(`{"name":"Bob","email":"%s@example.net","start":"2027-03-%02dT10:30"}`, who, day))
	}
	for i, who := range []string{"a", "b", "c", "d"} {
		if w := ask(who, 4+i); w.Code != http.StatusAccepted {
			t.Errorf("booking %d: %d %s", i, w.Code, w.Body)
		}
	}
	links := s.mails(4)
	for day, want := range map[int]int{4: http.StatusConflict, 6: http.StatusConflict, 7: http.StatusAccepted} {
		if w := ask("rival", day); w.Code != want {
			t.Errorf("a rival on day %d: %d %s", day, w.Code, w.Body)
		}
	}
	rival := linkIn(t, s.mails(1)[0])
	s.want(s.press(rival, "confirm", nil), http.StatusOK)
	s.mails(2)
	s.want(s.press(linkIn(t, links[3]), "confirm", nil), http.StatusConflict, "taken this time meanwhile")
	s.want(s.press(linkIn(t, links[0]), "confirm", nil), http.StatusOK)
}

// TestConfirmPages shows what a form's client gets to see.
func TestConfirmPages(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	w, err := serve(t, s.h, post(formType, goodForm))
	if err != nil {
		t.Fatal(err)
	}
	s.want(w, http.StatusAccepted, "Not booked yet", "ada@example.net")
	if strings.Contains(w.Body.String(), "/confirm/") {
		t.Error("the page has the link in it")
	}
}
