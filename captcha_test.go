package caddyicalmail

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

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
	for _, body := range []string{"", with(t, nil), with(t, map[string]any{"cf-turnstile-response": "wrong"})} {
		if w, err := serveNext(h, post(jsonType, body), noBackEnd(t)); err != nil || w.Code != http.StatusForbidden {
			t.Errorf("%q: %v, %d", body, err, w.Code)
		}
	}
	body := with(t, map[string]any{"cf-turnstile-response": "right"})
	if w, err := serveNext(h, post(jsonType, body), notFound); err != nil || w.Code != http.StatusNotFound {
		t.Errorf("solved: %v, %d", err, w.Code)
	}
}
