package caddyicalmail

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// solved asks for a challenge and solves it, as the widget does.
func solved(t testing.TB, h *Handler) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://example.com"+h.Captcha.Path, nil)
	w, err := serveOwn(h, r)
	if err != nil || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("challenge: %v, %d %v", err, w.Code, w.Header())
	}
	return solveChallenge(t, w.Body.Bytes())
}

const altchaOnly = "captcha altcha {\ncost 500\nexpires 10m\n}"

func TestProofOfWork(t *testing.T) {
	h := newHandler(t, guarded(altchaOnly))
	out := capture(t, h)
	proof := solved(t, h)
	booked := func(name, proof string) (int, string) {
		w, err := serve(t, h, post(jsonType, with(t, map[string]any{"altcha": proof, "name": name})))
		if err != nil {
			t.Fatal(err)
		}
		return w.Code, w.Body.String()
	}
	check := counts(t, "captcha", 4)
	if status, body := booked("Ada", ""); status != 403 {
		t.Errorf("none: %d %s", status, body)
	}
	if status, body := booked("Ada", proof[4:]); status != 403 {
		t.Errorf("garbage: %d %s", status, body)
	}
	if status, body := booked("", proof); status != 422 {
		t.Errorf("no name: %d %s", status, body)
	}
	if status, body := booked("Ada", proof); status != 202 {
		t.Errorf("solved: %d %s", status, body)
	}
	if status, body := booked("Ada", proof); status != 202 || !strings.Contains(body, "duplicate") {
		t.Errorf("sent twice: %d %s", status, body)
	}
	if status, body := booked("Eve", proof); status != 403 || strings.Contains(body, "too many") {
		t.Errorf("used again: %d %s", status, body)
	}
	late := solved(t, h)
	h.now = func() time.Time { return testNow.Add(10 * time.Minute) }
	if status, body := booked("Late", late); status != 403 {
		t.Errorf("too late: %d %s", status, body)
	}
	check()
	out.wait(t, 2)
}

// TestProofsAreSpentForGood: also another handler on the same store, and a
// later life of it, know what was used.
func TestProofsAreSpentForGood(t *testing.T) {
	h := newHandler(t, guarded(altchaOnly))
	capture(t, h)
	proof := solved(t, h)
	if w, err := serve(t, h, post(jsonType, with(t, map[string]any{"altcha": proof}))); err != nil || w.Code != 202 {
		t.Fatalf("%v, %d", err, w.Code)
	}
	again := newHandler(t, guarded("captcha altcha {\ncost 7\nexpires 2h\n}\nscope other"))
	again.app.storePath, again.app.transports = h.app.storePath, h.app.transports
	if err := again.app.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = again.app.Stop()
		_ = again.app.Cleanup()
	})
	if w, err := serve(t, again, post(jsonType, with(t, map[string]any{"altcha": proof}))); err != nil || w.Code != 403 {
		t.Errorf("%v, %d", err, w.Code)
	}
	if w, err := serve(t, again, post(jsonType, with(t, map[string]any{"altcha": solved(t, h)}))); err != nil || w.Code != 202 {
		t.Errorf("%v, %d %s", err, w.Code, w.Body)
	}
}

func TestProofBeforeTheBackEnd(t *testing.T) {
	h := newHandler(t, guarded(altchaOnly+"\npass_thru {\n}"))
	capture(t, h)
	body := with(t, map[string]any{"altcha": solved(t, h)})
	if w, err := serveNext(h, post(jsonType, body), notFound); err != nil || w.Code != http.StatusNotFound {
		t.Errorf("solved: %v, %d", err, w.Code)
	}
	if w, err := serveNext(h, post(jsonType, body), noBackEnd(t)); err != nil || w.Code != http.StatusForbidden {
		t.Errorf("used again: %v, %d", err, w.Code)
	}
}

func TestSpentChallenges(t *testing.T) {
	var s spentChallenges
	id := func(i int) (id [32]byte) {
		id[0], id[1], id[2] = byte(i), byte(i>>8), byte(i>>16)
		return id
	}
	for i := range maxSpent {
		if !s.spend(id(i), testNow, testNow.Add(time.Minute)) {
			t.Fatal(i)
		}
	}
	if s.spend(id(maxSpent), testNow, testNow.Add(time.Minute)) || s.spend(id(0), testNow.Add(time.Hour), testNow) {
		t.Error("it forgot, or grew")
	}
	if !s.spend(id(maxSpent), testNow.Add(time.Minute), testNow.Add(2*time.Minute)) || len(s.until) != 1 {
		t.Errorf("%d are remembered", len(s.until))
	}
}

func TestChallengeEndpoint(t *testing.T) {
	h := newHandler(t, guarded("captcha altcha {\npath /pow\n}\norigin https://www.example.org"))
	capture(t, h)
	r := httptest.NewRequest(http.MethodGet, "https://example.com/pow", nil)
	r.Header.Set("Origin", "https://www.example.org")
	w, err := serveOwn(h, r)
	var c map[string]any
	if decodeErr := json.Unmarshal(w.Body.Bytes(), &c); err != nil || decodeErr != nil || w.Code != 200 || c["algorithm"] != "SHA-256" ||
		c["maxnumber"] != 100000.0 || w.Header().Get(headerAllowOrigin) != "https://www.example.org" {
		t.Errorf("%v, %d %s %v", err, w.Code, w.Body, w.Header())
	}
	r = httptest.NewRequest(http.MethodPost, "https://example.com/pow", nil)
	if w, err := serveOwn(h, r); err != nil || w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %v, %d", err, w.Code)
	}
	r = httptest.NewRequest(http.MethodGet, "https://example.com/ical_invite/challenge", nil)
	if w, err := serveOwn(h, r); err != nil || w.Code != http.StatusNotFound {
		t.Errorf("other path: %v, %d", err, w.Code)
	}
}
