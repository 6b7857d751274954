package caddyicalmail

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	logtest "go.uber.org/zap/zaptest/observer"
)

// guarded is minimalDirective with more options.
func guarded(options string) string {
	return strings.TrimSuffix(minimalDirective, "}") + options + "\n}"
}

// result is how often a result was counted.
func result(t testing.TB, word string) float64 {
	t.Helper()
	var m dto.Metric
	if err := bookings.WithLabelValues(word).Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetCounter().GetValue()
}

// counts checks that the rest of a test adds to the count of a result.
func counts(t testing.TB, word string, n float64) func() {
	t.Helper()
	before := result(t, word)
	return func() {
		t.Helper()
		if got := result(t, word) - before; got != n {
			t.Errorf("%s was counted %v times, want %v", word, got, n)
		}
	}
}

// with adds fields to goodJSON.
func with(t testing.TB, fields map[string]any) string {
	t.Helper()
	body := map[string]any{"name": "Ada", "email": "ada@example.net", "start": "2027-03-05T10:30"}
	maps.Copy(body, fields)
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// logged makes a handler's log readable.
func logged(h *Handler) *logtest.ObservedLogs {
	core, logs := logtest.New(zapcore.InfoLevel)
	h.logger = zap.New(core)
	return logs
}

// noBackEnd fails the test if the request gets as far as the back end.
func noBackEnd(t testing.TB) caddyhttp.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) error {
		t.Error("the back end was asked")
		return nil
	}
}

// serveNext is serve with a next handler.
func serveNext(h *Handler, r *http.Request, next caddyhttp.Handler) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	err := h.ServeHTTP(w, caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil), next)
	return w, err
}

var (
	anyUID    = regexp.MustCompile(`[0-9a-f-]{36}(@|%40)`)
	unlikeOne = map[string]string{"redirect": "redirect /thanks?{http.ical_invite.uid}", "page": ""}
)

// TestHoneypotLooksLikeSuccess compares the answer to a trapped booking with
// that to a real one, byte by byte but for the UID.
func TestHoneypotLooksLikeSuccess(t *testing.T) {
	for name, options := range unlikeOne {
		for _, tt := range []struct{ contentType, body, trap string }{
			{jsonType, goodJSON, strings.TrimSuffix(goodJSON, "}") + `,"website":"x"}`},
			{formType, goodForm, goodForm + "&website=https%3A%2F%2Fspam.example"},
		} {
			t.Run(name+" "+tt.contentType, func(t *testing.T) {
				h := newHandler(t, guarded("honeypot website\n"+options))
				out := capture(t, h)
				check := counts(t, "honeypot", 1)
				trapped, err := serve(t, h, post(tt.contentType, tt.trap))
				if err != nil {
					t.Fatal(err)
				}
				out.checkEmpty(t)
				check()
				real, err := serve(t, h, post(tt.contentType, tt.body))
				if err != nil {
					t.Fatal(err)
				}
				same := func(w *httptest.ResponseRecorder) string {
					var b strings.Builder
					if err := w.Header().Write(&b); err != nil {
						t.Fatal(err)
					}
					return anyUID.ReplaceAllString(b.String()+w.Body.String(), "UID@")
				}
				if trapped.Code != real.Code || same(trapped) != same(real) {
					t.Errorf("trapped: %d %s\nreal: %d %s", trapped.Code, same(trapped), real.Code, same(real))
				}
				out.wait(t, 2)
			})
		}
	}
}

func TestHoneypotAndMistakes(t *testing.T) {
	h := newHandler(t, guarded("honeypot website"))
	out := capture(t, h)
	for body, status := range map[string]int{
		with(t, map[string]any{"website": "x", "email": "nobody"}): 422,
		with(t, map[string]any{"website": ""}):                     202,
		with(t, map[string]any{"website": nil, "name": "Bob"}):     202,
	} {
		if w, err := serve(t, h, post(jsonType, body)); err != nil || w.Code != status {
			t.Errorf("%s: %v, %d", body, err, w.Code)
		}
	}
	out.wait(t, 4)
}

func TestHoneypotBeforeTheBackEnd(t *testing.T) {
	h := newHandler(t, guarded("honeypot website\npass_thru {\n}"))
	out := capture(t, h)
	for _, body := range []string{with(t, map[string]any{"website": "x"}), `{"website":"x"}`} {
		w, err := serveNext(h, post(jsonType, body), noBackEnd(t))
		if err != nil || w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"status":"queued"`) {
			t.Errorf("%v, %d %s", err, w.Code, w.Body)
		}
	}
	out.checkEmpty(t)
}

func TestLists(t *testing.T) {
	h := newHandler(t, guarded("deny trash.example eve@example.com\nallow example.net gmail.com eve@example.com trash.example\nfields {\nguests guests\nemail mail\n}"))
	out := capture(t, h)
	for _, tt := range []struct {
		email  string
		guests []string
		field  string
	}{
		{"ada@example.net", nil, ""},
		{"ada@mail.example.net", nil, ""},
		{"ada@example.org", nil, "mail"},
		{"x@trash.example", nil, "mail"},
		{"x@sub.TRASH.example", nil, "mail"},
		{"Eve+1@example.com", nil, "mail"},
		{"ada@example.net", []string{"bob@gmail.com"}, ""},
		{"ada@example.net", []string{"bob@gmail.com", "x@trash.example"}, "guests"},
	} {
		body := with(t, map[string]any{"mail": tt.email, "guests": tt.guests})
		w, err := serve(t, h, post(jsonType, body))
		if err != nil {
			t.Fatal(err)
		}
		var got problem
		if w.Code == 422 {
			err = json.Unmarshal(w.Body.Bytes(), &got)
		}
		if err != nil || tt.field == "" && w.Code != http.StatusAccepted ||
			tt.field != "" && (w.Code != 422 || len(got.Errors) != 1 || got.Errors[0].Field != tt.field) {
			t.Errorf("%s with %v: %d %s", tt.email, tt.guests, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "trash") || strings.Contains(w.Body.String(), "deny") {
			t.Errorf("the answer says why: %s", w.Body)
		}
	}
	out.wait(t, 7)
}

// TestListsBeforeTheBackEnd: a mistake elsewhere in the body does not hide the
// address, and a body without one is the back end's business.
func TestListsBeforeTheBackEnd(t *testing.T) {
	h := newHandler(t, guarded("deny trash.example\npass_thru {\n}"))
	capture(t, h)
	check := counts(t, "denied", 1)
	w, err := serveNext(h, post(jsonType, `{"email":"x@trash.example","start":"whenever"}`), noBackEnd(t))
	if err != nil || w.Code != 422 {
		t.Errorf("%v, %d", err, w.Code)
	}
	check()
	for _, body := range []string{`{"id":1}`, ""} {
		if w, err := serveNext(h, post(jsonType, body), notFound); err != nil || w.Code != http.StatusNotFound {
			t.Errorf("%q: %v, %d", body, err, w.Code)
		}
	}
	h.MaxSize = 1000
	for body, status := range map[string]int{
		`{`: 400, `{"email":"a@example.net","email":"x@trash.example"}`: 400,
		`{"email":"x@trash.example","pad":"` + strings.Repeat("x", 1000) + `"}`: 413,
	} {
		if w, err := serveNext(h, post(jsonType, body), noBackEnd(t)); err != nil || w.Code != status {
			t.Errorf("%.20q: %v, %d", body, err, w.Code)
		}
	}
	packed := post(jsonType, "\x1f\x8b")
	packed.Header.Set("Content-Encoding", "gzip")
	if w, err := serveNext(h, packed, noBackEnd(t)); err != nil || w.Code != 415 {
		t.Errorf("gzip: %v, %d", err, w.Code)
	}
	r := post(jsonType, `{"email":"x@trash.example"}`)
	r.Method = http.MethodPut
	if w, err := serveNext(h, r, notFound); err != nil || w.Code != http.StatusNotFound {
		t.Errorf("PUT: %v, %d", err, w.Code)
	}
}

// TestRefusalsAreLogged: one line with a word and a status, and nothing that
// anybody typed.
func TestRefusalsAreLogged(t *testing.T) {
	h := newHandler(t, guarded("honeypot website\norigin\ndeny trash.example\nlimit recipient 1 24h\nmax_size 1KB"))
	capture(t, h)
	logs := logged(h)
	cross := post(jsonType, goodJSON)
	cross.Header.Set("Origin", "https://evil.example")
	reused := func(name string) *http.Request {
		r := post(jsonType, with(t, map[string]any{"name": name, "email": "bob@example.net"}))
		r.Header.Set("Idempotency-Key", "k")
		return r
	}
	for _, tt := range []struct {
		r      *http.Request
		reason reason
		status int
	}{
		{cross, reasonOrigin, 403},
		{post(jsonType, "{"), reasonMalformed, 400},
		{post("text/plain", "x"), reasonMediaType, 415},
		{post(jsonType, strings.Repeat(" ", 2000)), reasonTooLarge, 413},
		{post(jsonType, `{"secretkey":1}`), reasonFields, 422},
		{post(jsonType, with(t, map[string]any{"email": "eve@trash.example"})), reasonDenied, 422},
		{post(jsonType, goodJSON), "", 202},
		{post(jsonType, with(t, map[string]any{"name": "Eve"})), reasonLimitRecipient, 429},
		{reused("Bob"), "", 202},
		{reused("Rob"), reasonKeyReused, 422},
		{post(jsonType, with(t, map[string]any{"website": "x"})), reasonHoneypot, 202},
	} {
		before := 0.0
		if tt.reason != "" {
			before = result(t, string(tt.reason))
		}
		logs.TakeAll()
		w, err := serve(t, h, tt.r)
		if err != nil || w.Code != tt.status {
			t.Errorf("%s: %v, %d %s", tt.reason, err, w.Code, w.Body)
		}
		if tt.reason == "" {
			continue
		}
		if result(t, string(tt.reason)) != before+1 {
			t.Errorf("%s is not counted", tt.reason)
		}
		entries := logs.TakeAll()
		if len(entries) != 1 || entries[0].Level != zapcore.InfoLevel || entries[0].ContextMap()["reason"] != string(tt.reason) {
			t.Errorf("%s: logged %v", tt.reason, entries)
		}
		for _, e := range entries {
			if text := e.Message + " " + strings.Join(values(e.ContextMap()), " "); strings.ContainsAny(text, "@") || strings.Contains(text, "secretkey") {
				t.Errorf("%s: the log says %s", tt.reason, text)
			}
		}
	}
}

func values(fields map[string]any) (texts []string) {
	for _, v := range fields {
		encoded, _ := json.Marshal(v)
		texts = append(texts, string(encoded))
	}
	return texts
}

func TestGuardConfigErrors(t *testing.T) {
	const verify = "verify standard_webhooks {\nsecret {env.TEST_WEBHOOK}\n}\nfields {\nid id\n}\n"
	t.Setenv("TEST_WEBHOOK", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	t.Setenv("TEST_CAPTCHA", "secret")
	file := t.TempDir() + "/list"
	for _, tt := range []struct{ options, want string }{
		{"honeypot email", "is a field of the booking"},
		{"honeypot a\nhoneypot b", "honeypot is set twice"},
		{verify + "honeypot website", "the signature is the guard"},
		{verify + "origin", "the signature is the guard"},
		{verify + "deny trash.example", "the signature is the guard"},
		{verify + "captcha altcha", "the signature is the guard"},
		{"origin *", "name each site"},
		{"origin https://*.example.com", "name each site"},
		{"origin example.com", "must be like https://"},
		{"origin ftp://example.com", "must be like https://"},
		{"origin https://example.com/book", "nothing behind the host"},
		{"origin\norigin", "origin is set twice"},
		{"origin {env.TEST_NOT_SET}", "TEST_NOT_SET"},
		{"deny", "wrong argument count"},
		{"deny file", "wrong argument count"},
		{"deny nonsense", "neither an address nor a domain"},
		{"deny a.example a.example", "deny a.example is set twice"},
		{"allow file " + file, "no such file"},
		{"captcha", "wrong argument count"},
		{"captcha recaptcha", "needs a secret"},
		{"captcha friendly", `not "friendly"`},
		{"captcha turnstile {\nsecret hunter2\n}", "must be a placeholder"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\nsite x\n}", "unrecognized captcha turnstile option"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\npath /x\n}", "unrecognized captcha turnstile option"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\nmin_score 0.5\n}", "min_score is for recaptcha"},
		{"captcha hcaptcha {\nsecret {env.TEST_CAPTCHA}\naction x\n}", "has no action"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\nendpoint http://example.com/\n}", "must be https"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\ntimeout 1m\n}", "at most 25s"},
		{"captcha turnstile {\nsecret {env.TEST_CAPTCHA}\nfield name\n}", "is a field of the booking"},
		{"captcha recaptcha {\nsecret {env.TEST_CAPTCHA}\nmin_score 2\n}", "at most 1"},
		{"captcha recaptcha {\nsecret {env.TEST_CAPTCHA}\non_error shrug\n}", "is one of refuse, allow"},
		{"captcha altcha {\nsecret {env.TEST_CAPTCHA}\n}", "unrecognized captcha altcha option"},
		{"captcha altcha {\npath challenge\n}", "begin with a slash"},
		{"captcha altcha {\ncost 1000000000\n}", "cost must be"},
		{"captcha altcha {\nexpires 48h\n}", "expires must be"},
		{"captcha altcha\ncaptcha altcha", "captcha is set twice"},
	} {
		if _, err := provisionHandler(t, guarded(tt.options)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.options, err, tt.want)
		}
	}
}

// statusOK is a back end that takes everything.
var statusOK = caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusOK)
	return nil
})
