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

	"github.com/caddyserver/caddy/v2"

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
	s.time.set(testNow.Add(15 * time.Minute))
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
	s.time.set(testNow.Add(11 * time.Hour))
	s.want(s.send(link, form), http.StatusOK, "is confirmed")
	s.mails(2)

	s.book(strings.ReplaceAll(goodJSON, "05T10", "09T10"))
	link = linkIn(t, s.mails(1)[0])
	s.time.set(s.time.now().Add(24 * time.Hour))
	s.want(s.get(link), http.StatusGone, "is over")
}

// TestConfirmHeldCapped keeps robots from blocking a calendar.
func TestConfirmHeldCapped(t *testing.T) {
	s := startSite(t, ownDirective("confirm {\nmax_held 3\n}\nexclusive"))
	for i := range 4 {
		w := s.book(fmt.Sprintf(`{"name":"Bob","email":"bob%d@example.net","start":"2027-03-0%dT10:30"}`, i, i+4))
		want := http.StatusAccepted
		if i == 3 {
			want = http.StatusTooManyRequests
		}
		if w.Code != want {
			t.Errorf("booking %d: %d %s", i, w.Code, w.Body)
		}
		if retry := w.Header().Get("Retry-After"); i == 3 && retry != "900" {
			t.Errorf("Retry-After %s", retry)
		}
	}
	link := linkIn(t, s.mails(3)[0])
	s.want(s.press(link, "confirm", nil), http.StatusOK)
	if w := s.book(`{"name":"Bob","email":"bob9@example.net","start":"2027-03-09T10:30"}`); w.Code != http.StatusAccepted {
		t.Errorf("after one was confirmed: %d %s", w.Code, w.Body)
	}
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

// TestExclusiveTable books around one that is there.
func TestExclusiveTable(t *testing.T) {
	for _, tt := range []struct {
		name, start, end string
		status           int
	}{
		{"the same", "10:30", "11:30", 409},
		{"one minute before its end", "11:29", "12:00", 409},
		{"one minute into its start", "10:00", "10:31", 409},
		{"within", "10:45", "11:00", 409},
		{"around", "10:00", "12:00", 409},
		{"back to back before", "10:00", "10:30", 202},
		{"back to back after", "11:30", "12:00", 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, ownDirective("exclusive"))
			s.book(goodJSON)
			w := s.book(fmt.Sprintf(`{"name":"Bob","email":"bob@example.net","start":"2027-03-05T%s","end":"2027-03-05T%s"}`, tt.start, tt.end))
			if w.Code != tt.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// TestExclusiveRace lets a thousand clients want one slot.
func TestExclusiveRace(t *testing.T) {
	s := startSite(t, ownDirective("exclusive"))
	const clients = 1000
	statuses := make(chan int)
	for i := range clients {
		go func() {
			body := fmt.Sprintf(`{"name":"Bob","email":"bob%d@example.net","start":"2027-03-05T10:%02d"}`, i, i%30)
			w, err := serve(t, s.h, post(jsonType, body))
			if err != nil {
				t.Error(err)
			}
			statuses <- w.Code
		}()
	}
	count := map[int]int{}
	for range clients {
		count[<-statuses]++
	}
	if count[http.StatusAccepted] != 1 || count[http.StatusConflict] != clients-1 {
		t.Errorf("statuses %v", count)
	}
	s.mails(2)
	if n := s.listed(); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// TestExclusiveResources has one room for two hosts.
func TestExclusiveResources(t *testing.T) {
	s := startSite(t, `ical_invite {
		organizer booking@example.com
		hosts {
			grace grace@example.org
			linus linus@example.org
		}
		file unused
		timezone Europe/Berlin
		exclusive
		exclusive "room {http.ical_invite.host_key}"
		exclusive lab
	}`)
	body := `{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","host":"grace"}`
	if w := s.book(body); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := s.book(strings.Replace(body, "grace", "linus", 1)); w.Code != http.StatusConflict {
		t.Errorf("the lab is taken: %d %s", w.Code, w.Body)
	}
	s.h.Exclusive = s.h.Exclusive[:2]
	if w := s.book(strings.Replace(body, "grace", "linus", 1)); w.Code != http.StatusAccepted {
		t.Errorf("another host and room: %d %s", w.Code, w.Body)
	}
}

// TestExclusiveMove moves into a taken and a free slot, and leaves the old.
func TestExclusiveMove(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nexclusive"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	s.book(`{"name":"Bob","email":"bob@example.net","start":"2027-03-05T14:00"}`)
	other := linkIn(t, s.mails(2)[0])
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T13:30"}}), http.StatusConflict, "is taken already")
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T11:00"}}), http.StatusOK, "has been moved")
	s.want(s.press(other, "move", url.Values{"start": {"2027-03-05T10:00"}}), http.StatusOK, "has been moved")
	s.want(s.press(link, "cancel", nil), http.StatusOK)
	s.mails(6)
	if w := s.book(`{"name":"Eve","email":"eve@example.net","start":"2027-03-05T11:00"}`); w.Code != http.StatusAccepted {
		t.Errorf("a cancelled slot: %d %s", w.Code, w.Body)
	}
}

func TestWindow(t *testing.T) {
	s := startSite(t, ownDirective("notice 24h\nhorizon 7d"))
	for start, status := range map[string]int{
		"2027-03-02T09:59": 422, "2027-03-02T10:00": 202, "2027-03-08T23:59": 202, "2027-03-09T00:00": 422,
	} {
		w := s.book(`{"name":"Ada","email":"ada@example.net","start":"` + start + `"}`)
		if w.Code != status {
			t.Errorf("%s: %d %s", start, w.Code, w.Body)
		}
	}
}

// TestFormToken books with forms of all ages.
func TestFormToken(t *testing.T) {
	s := startSite(t, ownDirective("form_token /token {\nmin_age 5s\nmax_age 1h\n}"))
	w := s.get("https://example.com/token")
	text := w.Body.String()
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || text == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	with := func(token string, i int) string {
		return fmt.Sprintf(`{"name":"Ada","email":"ada%d@example.net","start":"2027-03-05T10:30","form_token":%q}`, i, token)
	}
	for i, tt := range []struct {
		age    time.Duration
		token  string
		status int
	}{
		{0, text, 403}, {4 * time.Second, text, 403}, {5 * time.Second, text, 202}, {time.Hour - time.Second, text, 202},
		{time.Hour, text, 403}, {time.Minute, "", 403}, {time.Minute, text[:20], 403}, {time.Minute, text + "A", 403},
	} {
		s.time.set(testNow.Add(tt.age))
		if w := s.book(with(tt.token, i)); w.Code != tt.status {
			t.Errorf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	s.time.set(testNow.Add(time.Minute))
	for i := range 5 {
		if w, want := s.book(with(text, 10+i)), 202; i < 3 && w.Code != want {
			t.Errorf("use %d: %d %s", i, w.Code, w.Body)
		} else if i >= 3 && w.Code == want {
			t.Errorf("use %d was taken", i)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "https://example.com/token", http.NoBody)
	r.Header.Set("Accept", "application/json")
	var reply struct{ Token string }
	if err := json.Unmarshal(s.visit(r).Body.Bytes(), &reply); err != nil || reply.Token == "" || reply.Token == text {
		t.Errorf("the JSON token is %q (%v)", reply.Token, err)
	}
}

// TestOwnConfigErrors sets up what cannot work.
func TestOwnConfigErrors(t *testing.T) {
	for options, says := range map[string]string{
		"manage /a":                              "need a base_url",
		"confirm":                                "need a base_url",
		"base_url https://example.com\nmanage a": "begin with a slash",
		"base_url https://example.com\nmanage /a/":                          "not end in a slash",
		"base_url https://example.com\nmanage /a*":                          "plain",
		"base_url example.com\nmanage /a":                                   "not a web address",
		"base_url https://example.com/?x\nmanage /a":                        "neither user",
		"base_url https://u:p@example.com\nmanage /a":                       "neither user",
		"base_url https://e.x\nmanage /a {\nsecret x\n}":                    "placeholder",
		"base_url https://e.x\nmanage /a {\non_cancel http://localhost/\n}": "need a secret",
		"base_url https://e.x\nconfirm {\nhold 16m\n}":                      "at most 15 minutes",
		"base_url https://e.x\nconfirm {\nexpires 30d\n}":                   "at most 7 days",
		"base_url https://e.x\nconfirm\npass_thru":                          "confirm is for",
		"exclusive\npass_thru":                                              "exclude each other",
		"exclusive\nexclusive":                                              "set twice",
		"exclusive {http.ical_invite.nmae}":                                 "unknown placeholder",
		"notice 2d\nhorizon 1d":                                             "must be longer",
		"form_token {\nmin_age 2h\nmax_age 1h\n}":                           "must be longer",
		"form_token /x /y":                                                  "argument",
	} {
		directive := strings.Replace(minimalDirective, "timezone", options+"\ntimezone", 1)
		if _, err := provisionHandler(t, directive); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one that says %q", options, err, says)
		}
	}
	a := &App{Keys: []string{"{env.TEST_SHORT}"}}
	t.Setenv("TEST_SHORT", "short")
	if err := a.resolveKeys(caddy.NewReplacer()); err == nil || strings.Contains(err.Error(), "short\"") {
		t.Errorf("a short key: %v", err)
	}
}
