package caddyicalmail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// book posts a JSON booking and returns the response and, on success, the answer.
func book(t testing.TB, h *Handler, key, body string) (*httptest.ResponseRecorder, answer) {
	t.Helper()
	r := post(jsonType, body)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w, err := serve(t, h, r)
	if handlerErr, ok := errors.AsType[caddyhttp.HandlerError](err); ok {
		w.Code = handlerErr.StatusCode
	}
	var a answer
	if w.Code == http.StatusAccepted {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
	}
	return w, a
}

func bookingOf(email, start string) string {
	return fmt.Sprintf(`{"name":"Ada","email":%q,"start":%q}`, email, start)
}

func TestIdempotencyKey(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	w1, first := book(t, h, "key-1", goodJSON)
	w2, second := book(t, h, "key-1", goodJSON)
	if w1.Code != 202 || w2.Code != 202 || w1.Body.String() != w2.Body.String() || w2.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("first %d %s, second %d %s", w1.Code, w1.Body, w2.Code, w2.Body)
	}
	if w, _ := book(t, h, "key-1", bookingOf("eve@example.net", "2027-03-05T10:30")); w.Code != 422 {
		t.Errorf("the key with other content: %d", w.Code)
	}
	if _, third := book(t, h, "key-2", goodJSON); third.UID == first.UID || second.UID != first.UID {
		t.Error("another key is another booking, the same key is the same")
	}
	out.wait(t, 4)
	h.now = func() time.Time { return testNow.Add(keyLife + time.Second) }
	if _, later := book(t, h, "key-1", goodJSON); later.UID == first.UID {
		t.Error("the key is known for longer than a day")
	}
	for _, bad := range []string{strings.Repeat("x", 256), "tab\there", "ünïcode"} {
		if w, _ := book(t, h, bad, goodJSON); w.Code != 400 {
			t.Errorf("key %q: %d", bad, w.Code)
		}
	}
}

func TestTwinBooking(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	_, first := book(t, h, "", goodJSON)
	_, twin := book(t, h, "", goodJSON)
	if first.Status != "queued" || twin.Status != "duplicate" || twin.UID != first.UID {
		t.Errorf("first %+v, twin %+v", first, twin)
	}
	if _, other := book(t, h, "", bookingOf("ada@example.net", "2027-03-05T10:31")); other.Status != "queued" {
		t.Errorf("another time: %+v", other)
	}
	out.wait(t, 4)
	h.now = func() time.Time { return testNow.Add(twinLife + time.Second) }
	if _, later := book(t, h, "", goodJSON); later.Status != "queued" {
		t.Errorf("after ten minutes: %+v", later)
	}
}

// TestDoubleClick: many identical requests at once are one booking.
func TestDoubleClick(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	var wg sync.WaitGroup
	var mu sync.Mutex
	uids := map[string]int{}
	for range 50 {
		wg.Go(func() {
			_, a := book(t, h, "", goodJSON)
			mu.Lock()
			uids[a.UID]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(uids) != 1 {
		t.Errorf("%d bookings", len(uids))
	}
	out.wait(t, 2)
}

func TestRecipientLimit(t *testing.T) {
	h := newHandler(t, minimalDirective)
	capture(t, h)
	spellings := []string{"victim@gmail.com", "Victim@gmail.com", "v.ictim@gmail.com", "victim+1@gmail.com", "v.i.c.tim+x@googlemail.com"}
	taken, refused := 0, (*httptest.ResponseRecorder)(nil)
	for i := range 20 {
		w, _ := book(t, h, "", bookingOf(spellings[i%len(spellings)], fmt.Sprintf("2027-03-05T10:%02d", i)))
		if w.Code == http.StatusAccepted {
			taken++
		} else {
			refused = w
		}
	}
	if taken != 10 || refused.Code != http.StatusTooManyRequests {
		t.Fatalf("%d taken, then %d", taken, refused.Code)
	}
	if seconds, err := strconv.Atoi(refused.Header().Get("Retry-After")); err != nil || seconds < 3600 || seconds > 25*3600 {
		t.Errorf("Retry-After %q", refused.Header().Get("Retry-After"))
	}
	if strings.Contains(refused.Body.String(), "ictim") {
		t.Errorf("the answer names the address: %s", refused.Body)
	}
	if w, _ := book(t, h, "", bookingOf("somebody@example.net", "2027-03-05T10:30")); w.Code != http.StatusAccepted {
		t.Errorf("somebody else: %d", w.Code)
	}
	h.now = func() time.Time { return testNow.Add(25 * time.Hour) }
	if w, _ := book(t, h, "", bookingOf("victim@gmail.com", "2027-03-05T12:30")); w.Code != http.StatusAccepted {
		t.Errorf("a day later: %d", w.Code)
	}
}

func TestTotalLimit(t *testing.T) {
	h := newHandler(t, strings.Replace(minimalDirective, "timezone", "limit total 3 1h\n limit recipient 2 1h\n timezone", 1))
	capture(t, h)
	for i, want := range []int{202, 202, 429, 202, 429} {
		email := "ada@example.net"
		if i > 2 {
			email = fmt.Sprintf("other%d@example.net", i)
		}
		if w, _ := book(t, h, "", bookingOf(email, fmt.Sprintf("2027-03-05T10:%02d", i))); w.Code != want {
			t.Errorf("booking %d: %d, want %d", i, w.Code, want)
		}
	}
}

// TestStoreDown: when the store cannot take it, the client is told to come
// back, and the site's error routes answer.
func TestStoreDown(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	if err := out.store.Close(); err != nil {
		t.Fatal(err)
	}
	w, _ := book(t, h, "", goodJSON)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Body.Len() > 0 {
		t.Errorf("%d, Retry-After %q, body %q", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}

// TestExpiry: a message is retried for retry_for, but not past the event.
func TestExpiry(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	book(t, h, "", bookingOf("soon@example.net", "2027-03-01T12:00"))
	book(t, h, "", bookingOf("later@example.net", "2027-06-01T12:00"))
	for _, m := range out.wait(t, 4) {
		want := testNow.Add(72 * time.Hour)
		if strings.Contains(string(m.Raw), "soon@example.net") {
			want = time.Date(2027, time.March, 1, 12, 0, 0, 0, time.UTC)
		}
		if !m.Expires.Equal(want) {
			t.Errorf("expires %s, want %s", m.Expires, want)
		}
	}
}

// TestEventRemembersItsOrigin: what was configured is stored with the event.
func TestEventRemembersItsOrigin(t *testing.T) {
	h := newHandler(t, strings.Replace(minimalDirective, "timezone", "location \"Room {http.ical_invite.host}\"\n timezone", 1))
	out := capture(t, h)
	_, a := book(t, h, "", goodJSON)
	out.wait(t, 2)
	e, messages, err := out.store.Event(t.Context(), a.UID)
	if err != nil {
		t.Fatal(err)
	}
	if e.Location != "Room Dr. Grace Hopper" || e.Mailer != h.transport.key || e.Scope != "booking@example.com|grace@example.org" ||
		e.Organizer.Address.String() != "booking@example.com" || e.HostZone != "Europe/Berlin" || len(messages) != 2 {
		t.Errorf("stored %+v with %d messages", e, len(messages))
	}
	if _, _, err := out.store.Event(t.Context(), "unknown"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown UID: %v", err)
	}
}

// TestScopesShareNoKeys: the same slot with another host is another booking,
// also if both have one organizer and one store.
func TestScopesShareNoKeys(t *testing.T) {
	first := newHandler(t, minimalDirective)
	out := capture(t, first)
	second := newHandler(t, strings.Replace(minimalDirective, "grace@", "alan@", 1))
	second.app.running = first.app.running
	for _, key := range []string{"", "key-1"} {
		_, a := book(t, first, key, goodJSON)
		_, b := book(t, second, key, goodJSON)
		if a.Status != "queued" || b.Status != "queued" || a.UID == b.UID {
			t.Errorf("key %q: %+v and %+v", key, a, b)
		}
	}
	out.wait(t, 8)
}
