package caddyicalmail

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// hookSite takes webhooks for one of two hosts, and has more options.
func hookSite(t *testing.T, options string) *site {
	t.Helper()
	return startSite(t, strings.Replace(webhookDirective(t, "base_url https://example.com\n"+options),
		`host grace@example.org "Dr. Grace Hopper"`,
		"hosts {\ngrace grace@example.org \"Dr. Grace Hopper\"\nalan alan@example.org Alan\n}", 1))
}

// hook sends a webhook, and fails the test unless it is taken.
func (s *site) hook(body string) *httptest.ResponseRecorder {
	s.Helper()
	w, err := serve(s, s.h, signed(body))
	if err != nil || w.Code != 202 || strings.Contains(w.Body.String(), statusSkipped) {
		s.Fatalf("%d %s (%v)", w.Code, w.Body, err)
	}
	return w
}

// join sets up another handler in the site's app, as a config with both has.
func (s *site) join(directive string) *site {
	s.Helper()
	h := newHandler(s, directive)
	h.now, h.app, h.transport = s.time.now, s.h.app, s.h.transport
	if err := h.app.register(h); err != nil {
		s.Fatal(err)
	}
	return &site{T: s.T, h: h, out: s.out, time: s.time}
}

// TestRedTeamFormerParty: whoever gave a part in an appointment up does not
// see or change it any more, by any link that they ever got.
func TestRedTeamFormerParty(t *testing.T) {
	s := hookSite(t, "manage /appointments")
	s.hook(`{"id":"1","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","host":"grace"}`)
	former := s.mails(2)
	s.hook(`{"id":"1","action":"update","name":"Bob","email":"bob@example.net","host":"alan","start":"2027-03-05T10:30"}`)
	links := map[string]string{} // by address
	for _, m := range s.mails(4) {
		if strings.Contains(strings.Join(textsOf(t, m), ""), "/appointments/") {
			links[m.To.String()] = linkIn(t, m)
		}
	}
	if len(links) != 2 {
		t.Errorf("links go to %v", links)
	}
	s.want(s.get(links["bob@example.net"]), 200, "Bob")
	s.want(s.get(links["alan@example.org"]), 200, "bob@example.net")
	for _, m := range former {
		s.want(s.get(linkIn(t, m)), 410, "no such appointment")
	}
	// Who comes back has the newer links only.
	s.hook(`{"id":"1","action":"update","name":"Ada","email":"ada@example.net","host":"alan","start":"2027-03-05T10:30"}`)
	s.mails(3)
	s.want(s.get(linkIn(t, former[0])), 410, "no such appointment")
	s.want(s.get(links["bob@example.net"]), 410, "no such appointment")
	s.want(s.get(links["alan@example.org"]), 200, "ada@example.net")
}

// TestRedTeamReusedID: a link does not lead to what has the same id as what it
// led to, and so the same UID.
func TestRedTeamReusedID(t *testing.T) {
	s := hookSite(t, "manage /appointments")
	s.hook(`{"id":"1","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","host":"grace"}`)
	ada := s.mails(2)[0]
	if _, err := s.out.store.Erase(t.Context(), ada.To); err != nil {
		t.Fatal(err)
	}
	s.jump(testNow.Add(time.Second))
	s.hook(`{"id":"1","name":"Bob","email":"bob@example.net","start":"2027-03-06T10:30","host":"grace"}`)
	bob := s.mails(2)[0]
	if bob.UID != ada.UID {
		t.Fatal("the test tests nothing")
	}
	s.want(s.get(linkIn(t, bob)), 200, "Bob")
	s.want(s.get(linkIn(t, ada)), 410, "no such appointment")
}

// TestRedTeamHandlerWithoutPages opens links to the events of a handler that
// had pages when it made them, on another's page.
func TestRedTeamHandlerWithoutPages(t *testing.T) {
	s := startSite(t, ownDirective("scope one\nmanage /appointments\nconfirm /confirm"))
	other := s.join(ownDirective("scope two\nmanage /appointments\nconfirm /confirm"))
	other.book(goodJSON)
	confirm := linkIn(t, other.mails(1)[0])
	page := s.get(confirm)
	s.want(page, 200, "Confirm your booking")
	other.h.Confirm = nil
	s.want(s.get(confirm), 410, "no such appointment")
	s.want(s.send(confirm, formOf(t, page.Body.String(), "confirm")), 410)
	other.h.Confirm = s.h.Confirm
	s.want(s.press(confirm, "confirm", nil), 200)
	link := linkIn(t, other.mails(2)[0])
	form := formOf(t, s.get(link).Body.String(), "cancel")
	other.h.Manage = nil
	s.want(s.get(link), 410, "no such appointment")
	s.want(s.send(link, form), 410)
	if n := s.listed(); n != 3 {
		t.Errorf("%d messages", n)
	}
}

// TestRedTeamOtherPath opens the link to a back end's booking below the path of
// a public form with the same scope, where it must not be cancelled unasked.
func TestRedTeamOtherPath(t *testing.T) {
	s := hookSite(t, "scope one\nmanage /back")
	s.hook(`{"id":"1","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","host":"grace"}`)
	link := linkIn(t, s.mails(2)[0])
	public := s.join(ownDirective("scope one\nmanage /appointments"))
	link = strings.Replace(link, "/back/", "/appointments/", 1)
	page := public.get(link)
	s.want(page, 200, "Ada")
	if formOf(t, page.Body.String(), "cancel") != nil || formOf(t, page.Body.String(), "move") != nil {
		t.Error("a back end's booking can be changed without asking it")
	}
}

// TestRedTeamHoneypotTimes: what would be refused is refused to robots too,
// who else would learn that they are not believed.
func TestRedTeamHoneypotTimes(t *testing.T) {
	s := startSite(t, ownDirective("honeypot website\nnotice 24h\nhorizon 7d"))
	for _, start := range []string{"2027-03-01T10:30", "2027-05-05T10:30", "2027-03-03T10:30", "2001-01-01T10:30", "2099-01-01T10:30"} {
		body := fmt.Sprintf(`{"name":"Ada","email":"ada@example.net","start":%q}`, start)
		trapped := s.book(strings.Replace(body, "{", `{"website":"x",`, 1))
		real := s.book(body)
		uid := func(w *httptest.ResponseRecorder) string { return anyUID.ReplaceAllString(w.Body.String(), "UID@") }
		if trapped.Code != real.Code || uid(trapped) != uid(real) {
			t.Errorf("%s: %d %s, really %d %s", start, trapped.Code, trapped.Body, real.Code, real.Body)
		}
	}
	if n := s.events(); n != 1 {
		t.Errorf("%d events", n)
	}
}

// TestRedTeamErasedMeanwhile erases a booking while its page is used. Nothing
// of it is shown any more.
func TestRedTeamErasedMeanwhile(t *testing.T) {
	for _, action := range []string{"cancel", "move"} {
		t.Run(action, func(t *testing.T) {
			s, b := startUpstream(t)
			s.book(goodJSON)
			link := linkIn(t, s.mails(2)[0])
			b.during = func() {
				if _, err := s.out.store.Erase(t.Context(), mustAddress(t, "ada@example.net")); err != nil {
					t.Error(err)
				}
			}
			w := s.press(link, action, url.Values{"start": {"2027-03-08T14:00"}})
			s.want(w, 410, "no such appointment")
			if strings.Contains(w.Body.String(), "Ada") {
				t.Errorf("the page tells of what was erased:\n%s", w.Body)
			}
		})
	}
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	form := formOf(t, s.get(link).Body.String(), "cancel")
	s.h.app.running.store = &racing{Store: s.out.store, before: func() {
		if _, err := s.out.store.Erase(t.Context(), mustAddress(t, "ada@example.net")); err != nil {
			t.Error(err)
		}
	}}
	s.want(s.send(link, form), 410, "no such appointment")
}

// racing does something just before every commit.
type racing struct {
	store.Store
	before func()
}

func (r *racing) Accept(ctx context.Context, a *store.Acceptance) (store.Receipt, error) {
	r.before()
	return r.Store.Accept(ctx, a)
}

// TestRedTeamMovesBeforeAsking: what a limit refuses is not asked of the back
// end, which would move the appointment alone.
func TestRedTeamMovesBeforeAsking(t *testing.T) {
	s, b := startUpstream(t)
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	for i := range movesPerDay + 2 {
		want := 200
		if i >= movesPerDay {
			want = 429
		}
		s.want(s.press(link, "move", url.Values{"start": {fmt.Sprintf("2027-03-08T14:%02d", i)}}), want)
	}
	if n := len(b.asked); n != movesPerDay {
		t.Errorf("the back end was asked %d times", n)
	}
	s.want(s.get(link), 200, "14:19")
}

// TestRedTeamStrangersGuests: who asks in a victim's name, and so gets ahead of
// the victim's own booking, cannot bring guests unseen.
func TestRedTeamStrangersGuests(t *testing.T) {
	s := startSite(t, ownDirective("confirm /confirm\nfields {\nguests guests\n}"))
	s.book(`{"name":"Mallory","email":"ada@example.net","start":"2027-03-05T10:30","guests":[{"name":"Nice Colleague","email":"mallory@evil.example"}]}`)
	link := linkIn(t, s.out.take(t, 1)[0])
	s.book(goodJSON)
	s.want(s.get(link), 200, "get an invitation too", "<bdi>mallory@evil.example</bdi>")
	if strings.Contains(s.get(link).Body.String(), "Nice Colleague") {
		t.Error("the page calls a guest what a stranger typed")
	}
	s.want(s.press(link, "confirm", nil), 200)
	if page := s.get(link).Body.String(); strings.Contains(page, "mallory@") {
		t.Error("the page goes on to list guests")
	}
}

// TestRedTeamPendingKeys: what expired unconfirmed can be asked for at once,
// and another mail is sent.
func TestRedTeamPendingKeys(t *testing.T) {
	s := startSite(t, ownDirective("confirm /confirm {\nexpires 1m\n}"))
	for range 3 {
		if w := s.book(goodJSON); w.Code != 202 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		s.out.take(t, 1)
		s.jump(s.time.now().Add(time.Minute))
	}
}

// events counts what the store has.
func (s *site) events() int {
	s.Helper()
	stats, err := s.out.store.Stats(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return stats.Events
}
