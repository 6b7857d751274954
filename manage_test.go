package caddyicalmail

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// TestManageLife moves a booking by the client's link and cancels it by the
// host's.
func TestManageLife(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	if w := s.book(goodJSON); w.Code != http.StatusAccepted || strings.Contains(w.Body.String(), "appointments") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	mails := s.mails(2)
	client, host := linkIn(t, mails[0]), linkIn(t, mails[1])
	if client == host || !strings.HasPrefix(client, "https://example.com/appointments/") {
		t.Fatalf("links %s and %s", client, host)
	}
	for _, m := range mails {
		checkMail(t, m)
		if calendar := textsOf(t, m)[2]; strings.Contains(calendar, "/appointments/") {
			t.Errorf("the %s's calendar has the link in it", m.Role)
		}
	}
	s.want(s.get(client), http.StatusOK, "Your appointment", "Dr. Grace Hopper", "Confirmed", "Friday, 5 March 2027")
	s.want(s.get(host), http.StatusOK, "An appointment with you", "ada@example.net")

	moved := s.press(client, "move", url.Values{"start": {"2027-03-08T14:00"}, "note": {"A <b>train</b> is late"}})
	s.want(moved, http.StatusOK, "has been moved", "Monday, 8 March 2027", "14:00 – 15:00")
	mails = s.mails(2)
	for _, m := range mails {
		checkMail(t, m)
		if m.Sequence != 1 || m.Method != "REQUEST" {
			t.Errorf("%s's %s has SEQUENCE %d", m.Role, m.Method, m.Sequence)
		}
		texts := textsOf(t, m)
		if got := strings.Contains(texts[0], "A <b>train</b> is late"); got != (m.Role == booking.RoleHost) {
			t.Errorf("the %s's mail has the note: %v", m.Role, got)
		}
		if strings.Contains(texts[1], "<b>train") || strings.Contains(texts[2], "train") {
			t.Errorf("the note is where it must not be:\n%s\n%s", texts[1], texts[2])
		}
	}
	s.want(s.get(client), http.StatusOK, "It has changed since the mail", "8 March 2027")

	cancelled := s.press(host, "cancel", url.Values{"note": {"I am ill. Sorry!"}})
	s.want(cancelled, http.StatusOK, "The appointment is cancelled", "Cancelled")
	for _, m := range s.mails(2) {
		checkMail(t, m)
		if m.Sequence != 2 || m.Method != "CANCEL" {
			t.Errorf("%s's %s has SEQUENCE %d", m.Role, m.Method, m.Sequence)
		}
		if got := strings.Contains(textsOf(t, m)[0], "I am ill. Sorry!"); got != (m.Role == booking.RoleClient) {
			t.Errorf("the %s's mail has the note: %v", m.Role, got)
		}
	}
	s.want(s.get(client), http.StatusOK, "Cancelled")
	if formOf(t, s.get(client).Body.String(), "cancel") != nil {
		t.Error("what is cancelled can be cancelled")
	}
}

// TestManageNeverActsByLink asks for the page by everything but its form.
func TestManageNeverActsByLink(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	token := formOf(t, s.get(link).Body.String(), "cancel").Get("token")
	query := "?action=cancel&token=" + token
	for _, method := range []string{"GET", "HEAD"} {
		s.want(s.visit(httptest.NewRequest(method, link+query, http.NoBody)), http.StatusOK)
	}
	for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
		if w := s.visit(httptest.NewRequest(method, link+query, http.NoBody)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	s.want(s.send(link, url.Values{"action": {"cancel"}}), http.StatusConflict, "not sent from this page")
	s.want(s.send(link+query, url.Values{"action": {"cancel"}}), http.StatusConflict, "not sent from this page")
	crossSite := httptest.NewRequest(http.MethodPost, link, strings.NewReader(url.Values{"action": {"cancel"}, "token": {token}}.Encode()))
	crossSite.Header.Set("Content-Type", formType)
	crossSite.Header.Set("Sec-Fetch-Site", "cross-site")
	s.want(s.visit(crossSite), http.StatusForbidden)
	s.want(s.get(link), http.StatusOK, "Confirmed")
}

// TestManageStale sends forms that are out of date.
func TestManageStale(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	form := formOf(t, s.get(link).Body.String(), "move")
	form.Set("start", "2027-03-08T14:00")
	s.want(s.send(link, form), http.StatusOK, "has been moved")
	s.want(s.send(link, form), http.StatusConflict, "sent twice", "Nothing was changed now")
	s.mails(2)

	form = formOf(t, s.get(link).Body.String(), "cancel")
	s.jump(testNow.Add(13 * time.Hour))
	s.want(s.send(link, form), http.StatusConflict, "open for too long")
	form = formOf(t, s.get(link).Body.String(), "cancel")
	s.want(s.send(link, form), http.StatusOK, "is cancelled")
	s.want(s.send(link, form), http.StatusConflict, "was cancelled already")
	s.mails(2)
}

// TestManagePast shows what is over, and does not change it.
func TestManagePast(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	form := formOf(t, s.get(link).Body.String(), "cancel")
	s.jump(time.Date(2027, time.March, 5, 10, 30, 0, 0, time.UTC))
	s.want(s.get(link), http.StatusOK, "in the past")
	s.want(s.send(link, form), http.StatusConflict, "is over")
	s.jump(testNow.AddDate(0, 1, 10))
	s.want(s.get(link), http.StatusGone, "time in which this link works is over")
}

func TestLinksThatLeadNowhere(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm"))
	s.book(goodJSON)
	confirm := linkIn(t, s.mails(1)[0])
	s.want(s.press(confirm, "confirm", nil), http.StatusOK)
	link := linkIn(t, s.mails(2)[0])
	form := formOf(t, s.get(link).Body.String(), "cancel")
	for name, nowhere := range map[string]string{
		"nothing":             "https://example.com/appointments/x",
		"cut":                 link[:len(link)-1],
		"longer":              link + "A",
		"other purpose":       strings.Replace(confirm, "/confirm/", "/appointments/", 1),
		"to confirm":          strings.Replace(link, "/appointments/", "/confirm/", 1),
		"the page's token":    "https://example.com/appointments/" + form.Get("token"),
		"with a path":         link + "/x",
		"very long":           link + strings.Repeat("A", 5000),
		"percent-encoded dot": link + "%2e%2e",
	} {
		t.Run(name, func(t *testing.T) {
			s.T = t
			s.want(s.get(nowhere), http.StatusNotFound, "not one of ours")
			s.want(s.send(nowhere, form), http.StatusNotFound)
		})
	}
	s.T = t
	if _, err := s.out.store.Erase(t.Context(), mustAddress(t, "ada@example.net")); err != nil {
		t.Fatal(err)
	}
	s.want(s.get(link), http.StatusGone, "There is no such appointment")
	if w := s.get("https://example.com/other"); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "link") {
		t.Errorf("another path was not handed on: %d", w.Code)
	}
}

// TestManageSwap uses the page token of one booking on the page of another.
func TestManageSwap(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	first := linkIn(t, s.mails(2)[0])
	s.book(strings.Replace(goodJSON, "ada@", "bob@", 1))
	second := linkIn(t, s.mails(2)[0])
	form := formOf(t, s.get(first).Body.String(), "cancel")
	s.want(s.send(second, form), http.StatusConflict, "not sent from this page")
	s.want(s.get(second), http.StatusOK, "Confirmed")
}

// TestManageOtherSites posts what a page of another site could send.
func TestManageOtherSites(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	mails := s.mails(2)
	client, host := linkIn(t, mails[0]), linkIn(t, mails[1])
	s.want(s.send(client, formOf(t, s.get(host).Body.String(), "cancel")), http.StatusConflict, "not sent from this page")
	form := formOf(t, s.get(client).Body.String(), "cancel")
	for origin, want := range map[string]int{
		"https://evil.example": http.StatusForbidden, "https://example.com.evil.example": http.StatusForbidden,
		"%": http.StatusForbidden,
	} {
		r := httptest.NewRequest(http.MethodPost, client, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", formType)
		r.Header.Set("Origin", origin)
		s.want(s.visit(r), want)
	}
	r := httptest.NewRequest(http.MethodPost, client, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", formType)
	r.Header.Set("Origin", "null")
	s.want(s.visit(r), http.StatusOK, "is cancelled")
}

// TestMoveRefused types times that cannot be.
func TestMoveRefused(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nnotice 2h\nhorizon 60d"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	for start, says := range map[string]string{
		"":                     "is missing",
		"soon":                 "is not",
		"2027-03-28T02:30":     "does not exist",
		"2027-03-01T09:30":     "past",
		"2027-03-01T11:30":     "at least 2 hours",
		"2027-05-01T10:00":     "at most 60 days",
		"2027-03-05T10:30":     "has already",
		"2099-01-01T10:00":     "",
		"<script>alert(1)":     "is not",
		"2027-03-05T10:30\r\n": "has already",
	} {
		w := s.press(link, "move", url.Values{"start": {start}, "note": {"<i>"}})
		s.want(w, http.StatusUnprocessableEntity, says, "aria-invalid", "&lt;i&gt;")
		if strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%q came back as it was", start)
		}
	}
	s.want(s.press(link, "cancel", url.Values{"note": {strings.Repeat("x", 2001)}}), http.StatusUnprocessableEntity, "longer than 2000")
	s.want(s.get(link), http.StatusOK, "Confirmed", "5 March 2027")
	s.want(s.press(link, "move", url.Values{"start": {"2027-04-30T23:59"}}), http.StatusOK, "has been moved")
	s.mails(2)
}

// TestMoveRestates keeps titles with the time in them true, and words of the
// first request as they are.
func TestMoveRestates(t *testing.T) {
	s := startSite(t, ownDirective(`manage /appointments
		summary "Exam at {http.ical_invite.start}"
		location "{http.request.uri.query.room}"`))
	r := post(jsonType, goodJSON)
	r.URL.RawQuery = "room=A101"
	if w, err := serve(t, s.h, r); err != nil || w.Code != http.StatusAccepted {
		t.Fatal(w.Code, err)
	}
	link := linkIn(t, s.mails(2)[0])
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-08T14:00"}}), http.StatusOK, "Exam at 2027-03-08 14:00", "A101")
	s.mails(2)
}

// TestMovesBounded keeps a link from becoming a mail cannon.
func TestMovesBounded(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	for i := range movesPerDay {
		start := time.Date(2027, time.March, 8+i%2, 10, 0, 0, 0, time.UTC).Format(fieldTime)
		s.want(s.press(link, "move", url.Values{"start": {start}}), http.StatusOK)
	}
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-20T10:00"}}), http.StatusTooManyRequests, "too often")
	s.want(s.press(link, "cancel", nil), http.StatusOK, "is cancelled")
}

// TestDownload reads the file as a calendar program does.
func TestDownload(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	w := s.get(link + "?format=ics")
	if got := w.Header().Get("Content-Type"); got != "text/calendar; charset=utf-8; method=PUBLISH" {
		t.Errorf("type %s", got)
	}
	body := w.Body.String()
	for _, line := range []string{"METHOD:PUBLISH\r\n", "DTSTART:20270305T093000Z\r\n", "SEQUENCE:0\r\n", "ORGANIZER;", "STATUS:CONFIRMED\r\n"} {
		if !strings.Contains(body, line) {
			t.Errorf("the file lacks %q:\n%s", line, body)
		}
	}
	if strings.Contains(body, "ATTENDEE") || strings.Contains(body, "/appointments/") {
		t.Errorf("the file has too much in it:\n%s", body)
	}
}

// TestKeyRotation opens links of before with the keys of after.
func TestKeyRotation(t *testing.T) {
	t.Setenv("TEST_KEY", strings.Repeat("k", 40))
	before := startSite(t, ownDirective("manage /appointments"))
	before.book(goodJSON)
	link := linkIn(t, before.mails(2)[0])
	text := link[strings.LastIndex(link, "/")+1:]
	for keys, good := range map[string]bool{"{env.TEST_KEY} stored": true, "{env.TEST_KEY}": false, "stored": true} {
		a := &App{Keys: strings.Fields(keys), signs: true}
		if err := a.resolveKeys(caddy.NewReplacer()); err != nil {
			t.Fatal(err)
		}
		ring, err := a.keyring(t.Context(), before.out.store)
		if err != nil {
			t.Fatal(err)
		}
		before.h.app.running.keys = ring
		if w := before.get(link); (w.Code == http.StatusOK) != good {
			t.Errorf("with key %s the link %s leads to %d", keys, text, w.Code)
		}
	}
}

// TestMovesSpareGuests moves a booking as often as its guest's limit allows.
func TestMovesSpareGuests(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nlimit recipient 6 24h\nfields {\nguests guests\n}"))
	s.book(`{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","guests":["victim@example.net"]}`)
	link := linkIn(t, s.mails(3)[0])
	for i, want := range []int{200, 200, 429} {
		start := time.Date(2027, time.March, 8+i, 10, 0, 0, 0, time.UTC).Format(fieldTime)
		s.want(s.press(link, "move", url.Values{"start": {start}}), want)
	}
}
