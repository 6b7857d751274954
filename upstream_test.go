package caddyicalmail

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/webhook"
)

const upstreamSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// askedBackEnd is a back end that is asked before links act.
type askedBackEnd struct {
	t      *testing.T
	mu     sync.Mutex
	status int
	during func()
	asked  []upstreamRequest
	ids    []string
}

func (b *askedBackEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		b.t.Error(err)
	}
	v, err := webhook.NewStandard([]string{upstreamSecret})
	if err != nil {
		b.t.Error(err)
	}
	id, err := v.Verify(r.Header, body, testNow)
	if err != nil {
		b.t.Errorf("the signature: %v", err)
	}
	var request upstreamRequest
	if err := json.Unmarshal(body, &request); err != nil {
		b.t.Error(err)
	}
	b.asked, b.ids = append(b.asked, request), append(b.ids, id)
	if b.during != nil {
		b.during()
	}
	if b.status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(b.status)
}

func (b *askedBackEnd) answer(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

func startUpstream(t *testing.T, options ...string) (*site, *askedBackEnd) {
	t.Helper()
	t.Setenv("TEST_SECRET", upstreamSecret)
	b := &askedBackEnd{t: t, status: http.StatusNoContent}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return startSite(t, ownDirective(`manage /appointments {
		on_cancel `+server.URL+`/cancel
		on_reschedule `+server.URL+`/move
		secret {env.TEST_SECRET}
		timeout 500ms
	}
	`+strings.Join(options, "\n"))), b
}

// TestUpstreamAgrees asks the back end first, with all it needs to know.
func TestUpstreamAgrees(t *testing.T) {
	s, b := startUpstream(t)
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-08T14:00"}, "note": {"Train"}}), http.StatusOK, "has been moved")
	s.want(s.press(link, "cancel", nil), http.StatusOK, "is cancelled")
	s.mails(4)
	if len(b.asked) != 2 || b.asked[0].Type != "ical_invite.reschedule" || b.asked[1].Type != "ical_invite.cancel" {
		t.Fatalf("asked %+v", b.asked)
	}
	data := b.asked[0].Data
	if data.By != booking.RoleClient || data.Sequence != 1 || data.Note != "Train" || data.UID == "" ||
		!data.Start.Equal(time.Date(2027, time.March, 8, 13, 0, 0, 0, time.UTC)) || !data.End.Equal(data.Start.Add(time.Hour)) {
		t.Errorf("data %+v", data)
	}
}

// TestUpstreamRefuses changes nothing unless the back end answers 2xx.
func TestUpstreamRefuses(t *testing.T) {
	s, b := startUpstream(t)
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	for status, want := range map[int]int{409: 409, 404: 409, 500: 502, 302: 502} {
		b.answer(status)
		s.want(s.press(link, "cancel", nil), want, "othing was changed", "Confirmed")
		s.want(s.press(link, "move", url.Values{"start": {"2027-03-08T14:00"}}), want, "5 March 2027")
	}
	b.answer(200)
	release := make(chan struct{})
	b.mu.Lock()
	b.during = func() { <-release }
	b.mu.Unlock()
	s.want(s.press(link, "cancel", nil), http.StatusBadGateway, "does not answer")
	if n := s.listed(); n != 2 {
		t.Errorf("%d messages", n)
	}
	close(release)
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.ids)
	if ids := slices.Compact(b.ids); len(ids) != 2 {
		t.Errorf("asking again has another id: %v", ids)
	}
}

// TestUpstreamActsItself is a back end that cancels through this very handler
// before it answers.
func TestUpstreamActsItself(t *testing.T) {
	s, b := startUpstream(t)
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	b.during = func() {
		uid := b.asked[len(b.asked)-1].Data.UID
		before, _, err := s.out.store.Event(t.Context(), uid)
		if err != nil {
			t.Error(err)
		}
		o := &order{request: httptest.NewRequest(http.MethodDelete, "/", http.NoBody), booking: new(booking.Booking), vouched: true}
		if _, err := s.h.cancel(t.Context(), s.out.store, o, &before); err != nil {
			t.Error(err)
		}
	}
	s.want(s.press(link, "cancel", nil), http.StatusOK, "is cancelled")
	s.mails(2)
	if n := s.listed(); n != 4 {
		t.Errorf("%d messages: somebody was told twice", n)
	}
}

// TestManageBehindBackEnd offers only what the back end can be asked about.
func TestManageBehindBackEnd(t *testing.T) {
	t.Setenv("TEST_SECRET", upstreamSecret)
	for options, offers := range map[string]string{
		"manage /a\npass_thru": "",
		"manage /a {\non_cancel http://localhost/x\nsecret {env.TEST_SECRET}\n}\npass_thru":     "cancel",
		"manage /a {\non_reschedule http://localhost/x\nsecret {env.TEST_SECRET}\n}\npass_thru": "move",
		"manage /a": "cancel move",
	} {
		h := newHandler(t, ownDirective(options))
		v := &visit{handler: h, event: sampleEvent(t)}
		if v.canCancel() != strings.Contains(offers, "cancel") || v.canMove() != strings.Contains(offers, "move") {
			t.Errorf("%q offers cancel %v, move %v", options, v.canCancel(), v.canMove())
		}
		v.event.RRule = "FREQ=DAILY;COUNT=2"
		if v.canMove() {
			t.Errorf("%q offers to move a series", options)
		}
	}
}
