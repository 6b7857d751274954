package caddyicalmail

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// provider is a captcha provider on loopback. A response is right if it begins
// with "right", and only once.
type provider struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	used  map[string]bool
	// answer, if set, answers instead.
	answer http.HandlerFunc
}

func startProvider(t testing.TB) *provider {
	t.Helper()
	t.Setenv("TEST_CAPTCHA", "captcha secret")
	p := &provider{used: make(map[string]bool)}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	response := r.PostFormValue("response")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, response)
	switch {
	case p.answer != nil:
		p.answer(w, r)
	case r.PostFormValue("secret") != "captcha secret":
		_, _ = io.WriteString(w, `{"success":false,"error-codes":["invalid-input-secret"]}`)
	case !strings.HasPrefix(response, "right") || p.used[response]:
		_, _ = io.WriteString(w, `{"success":false,"error-codes":["timeout-or-duplicate"]}`)
	default:
		p.used[response] = true
		_, _ = io.WriteString(w, `{"success":true,"hostname":"example.com"}`)
	}
}

func (p *provider) questions() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

// turnstile is a directive that asks p.
func turnstile(p *provider, more string) string {
	return guarded("captcha turnstile {\nsecret {env.TEST_CAPTCHA}\nendpoint " + p.URL + "\n" + more + "\n}")
}

func TestCaptcha(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, turnstile(p, ""))
	out := capture(t, h)
	check := counts(t, "captcha", 3)
	for i, tt := range []struct {
		body   string
		status int
		asked  int
	}{
		{with(t, nil), 403, 0}, // nothing to ask about
		{with(t, map[string]any{"cf-turnstile-response": "wrong"}), 403, 1},
		{with(t, map[string]any{"cf-turnstile-response": strings.Repeat("x", 9000)}), 403, 0},
		{with(t, map[string]any{"cf-turnstile-response": "right", "email": "nobody"}), 422, 0}, // not used up
		{with(t, map[string]any{"cf-turnstile-response": "right"}), 202, 1},
	} {
		before := p.questions()
		w, err := serve(t, h, post(jsonType, tt.body))
		if err != nil || w.Code != tt.status || p.questions()-before != tt.asked {
			t.Errorf("%d: %v, %d %s, asked %d times", i, err, w.Code, w.Body, p.questions()-before)
		}
	}
	check()
	out.wait(t, 2)
}

// TestCaptchaOfRepeatedOrder: who is known gets the first answer again, with a
// response that nobody takes twice.
func TestCaptchaOfRepeatedOrder(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, turnstile(p, ""))
	out := capture(t, h)
	keyed := func(response, name string) *http.Request {
		r := post(jsonType, with(t, map[string]any{"cf-turnstile-response": response, "name": name}))
		r.Header.Set("Idempotency-Key", "k")
		return r
	}
	for i, tt := range []struct {
		r      *http.Request
		status int
		word   string
		asked  int
	}{
		{keyed("right1", "Ada"), 202, "queued", 1},
		{keyed("right1", "Ada"), 202, "queued", 0},
		{keyed("right1", "Eve"), 422, "other content", 0},
		{post(jsonType, with(t, map[string]any{"cf-turnstile-response": "right2", "name": "Bob"})), 202, "queued", 1},
		{post(jsonType, with(t, map[string]any{"cf-turnstile-response": "right2", "name": "Bob"})), 202, "duplicate", 0},
		{post(jsonType, with(t, map[string]any{"cf-turnstile-response": "right2", "name": "Eve"})), 403, "robot", 1},
	} {
		before := p.questions()
		w, err := serve(t, h, tt.r)
		if err != nil || w.Code != tt.status || !strings.Contains(w.Body.String(), tt.word) || p.questions()-before != tt.asked {
			t.Errorf("%d: %v, %d %s, asked %d times", i, err, w.Code, w.Body, p.questions()-before)
		}
	}
	out.wait(t, 4)
}

// TestCaptchaAfterCancelling: who books again what was cancelled is new.
func TestCaptchaAfterCancelling(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, turnstile(p, ""))
	out := capture(t, h)
	book := func(response string) (int, string) {
		w, err := serve(t, h, post(jsonType, with(t, map[string]any{"cf-turnstile-response": response})))
		if err != nil {
			t.Fatal(err)
		}
		var a answer
		_ = json.Unmarshal(w.Body.Bytes(), &struct {
			UID *string `json:"uid"`
		}{&a.UID})
		return w.Code, a.UID
	}
	_, uid := book("right1")
	e, _, err := out.store.Event(t.Context(), uid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cancel(t.Context(), out.store, &order{booking: &booking.Booking{}}, &e); err != nil {
		t.Fatal(err)
	}
	if status, _ := book("right1"); status != http.StatusForbidden {
		t.Errorf("without a new response: %d", status)
	}
	if status, again := book("right2"); status != http.StatusAccepted || again == uid {
		t.Errorf("with one: %d, the same event: %t", status, again == uid)
	}
}

// TestCaptchaLast: what is wrong with a recurrence is found before the
// response is used up.
func TestCaptchaLast(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, strings.TrimSuffix(turnstile(p, ""), "}")+"fields {\nrrule rrule\n}\n}")
	capture(t, h)
	body := with(t, map[string]any{"cf-turnstile-response": "right", "rrule": "FREQ=WEEKLY"}) // it never ends
	if w, err := serve(t, h, post(jsonType, body)); err != nil || w.Code != 422 || p.questions() != 0 {
		t.Errorf("%v, %d, asked %d times", err, w.Code, p.questions())
	}
}

// TestCaptchaTwiceAtOnce: of two equal bookings at once the second finds its
// response used, and the booking there.
func TestCaptchaTwiceAtOnce(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, turnstile(p, ""))
	capture(t, h)
	body := with(t, map[string]any{"cf-turnstile-response": "right"})
	p.answer = func(w http.ResponseWriter, _ *http.Request) {
		// The first booking is made while the second one asks.
		p.answer = nil
		p.mu.Unlock()
		defer p.mu.Lock()
		if w, err := serve(t, h, post(jsonType, body)); err != nil || w.Code != 202 {
			t.Errorf("the first: %v, %d", err, w.Code)
		}
		_, _ = io.WriteString(w, `{"success":false,"error-codes":["timeout-or-duplicate"]}`)
	}
	w, err := serve(t, h, post(jsonType, body))
	if err != nil || w.Code != 202 || !strings.Contains(w.Body.String(), "duplicate") {
		t.Errorf("the second: %v, %d %s", err, w.Code, w.Body)
	}
}

// TestCaptchaUnavailable: closed unless the operator says otherwise.
func TestCaptchaUnavailable(t *testing.T) {
	says := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"status":       says(500, `{"success":true}`),
		"garbage":      says(200, "<html>"),
		"huge":         says(200, `{"success":true}`+strings.Repeat(" ", 70000)),
		"redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) },
		"wrong secret": says(200, `{"success":false,"error-codes":["invalid-input-secret"]}`),
		"slow":         func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			p := startProvider(t)
			p.answer = answer
			body := with(t, map[string]any{"cf-turnstile-response": "right"})
			h := newHandler(t, turnstile(p, "timeout 200ms"))
			out := capture(t, h)
			logs := logged(h)
			check := counts(t, "captcha_unavailable", 1)
			w, err := serve(t, h, post(jsonType, body))
			if statusOf(err) != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("refuse: %v, %v", err, w.Header())
			}
			check()
			out.checkEmpty(t)
			if logs.FilterLevelExact(zapcore.ErrorLevel).Len() != 1 {
				t.Errorf("logged %v", logs.All())
			}
			for _, e := range logs.All() {
				if strings.Contains(strings.Join(values(e.ContextMap()), " "), "captcha secret") {
					t.Error("the log has the secret")
				}
			}
			h = newHandler(t, turnstile(p, "timeout 200ms\non_error allow"))
			out = capture(t, h)
			if w, err := serve(t, h, post(jsonType, body)); err != nil || w.Code != http.StatusAccepted {
				t.Errorf("allow: %v, %d", err, w.Code)
			}
			out.wait(t, 2)
		})
	}
}

func TestCaptchaBeforeTheBackEnd(t *testing.T) {
	p := startProvider(t)
	h := newHandler(t, strings.TrimSuffix(turnstile(p, ""), "}")+"pass_thru {\n}\n}")
	capture(t, h)
	for _, body := range []string{"", "{", with(t, nil), with(t, map[string]any{"cf-turnstile-response": "wrong"})} {
		if w, err := serveNext(h, post(jsonType, body), noBackEnd(t)); err != nil || w.Code != http.StatusForbidden {
			t.Errorf("%q: %v, %d", body, err, w.Code)
		}
	}
	body := with(t, map[string]any{"cf-turnstile-response": "right"})
	if w, err := serveNext(h, post(jsonType, body), notFound); err != nil || w.Code != http.StatusNotFound {
		t.Errorf("solved: %v, %d", err, w.Code)
	}
}

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
