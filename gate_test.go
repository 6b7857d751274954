package caddyicalmail

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

const passThruOnly = `ical_invite {
	organizer booking@example.com
	host grace@example.org
	file unused
	timezone Europe/Berlin
	pass_thru {
		on_failure error
	}
}`

// through sends goodJSON through h to a back end, and returns what the client
// sees and what the handler returned.
func through(h *Handler, next caddyhttp.HandlerFunc) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	r := caddyhttp.PrepareRequest(post(jsonType, goodJSON), caddy.NewReplacer(), w, nil)
	return w, h.ServeHTTP(w, r, next)
}

func TestOnlyMatchingAnswersCount(t *testing.T) {
	h := newHandler(t, passThruOnly)
	out := capture(t, h)
	for _, status := range []int{301, 400, 404, 409, 500} {
		w, err := through(h, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Ical-Invite", "send")
			w.WriteHeader(status)
			_, err := w.Write([]byte("no"))
			return err
		})
		if err != nil || w.Code != status || w.Body.String() != "no" || w.Header().Get(statusHeader) != "" || w.Header().Get("Ical-Invite") != "" {
			t.Errorf("%d: %v, %d, %v", status, err, w.Code, w.Header())
		}
	}
	// Nothing in the chain answered.
	if _, err := through(h, func(http.ResponseWriter, *http.Request) error { return nil }); err != nil {
		t.Error(err)
	}
	theirs := caddyhttp.Error(http.StatusBadGateway, errors.New("no upstream"))
	_, err := through(h, func(http.ResponseWriter, *http.Request) error { return theirs })
	if got := (caddyhttp.HandlerError{}); !errors.As(err, &got) || got.ID != theirs.ID {
		t.Errorf("the next handler's error came back as %v", err)
	}
	out.checkEmpty(t)
}

// TestHeaderWaitsForTheCommit: when the client sees a 2xx, the event is in
// the store.
func TestHeaderWaitsForTheCommit(t *testing.T) {
	h := newHandler(t, passThruOnly)
	out := capture(t, h)
	w, err := through(h, func(w http.ResponseWriter, _ *http.Request) error {
		if err := http.NewResponseController(w).Flush(); err != nil { // an implicit 200
			t.Error(err)
		}
		stats, err := out.store.Stats(t.Context())
		if err != nil || stats.Events != 1 {
			t.Errorf("after the header: %d events, %v", stats.Events, err)
		}
		_, err = w.Write([]byte("done"))
		return err
	})
	if err != nil || w.Code != 200 || w.Header().Get(statusHeader) != "queued" || w.Body.String() != "done" || !w.Flushed {
		t.Errorf("%v, %d, %v, %q", err, w.Code, w.Header(), w.Body)
	}
}

func TestFailurePolicy(t *testing.T) {
	answer := func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Set-Cookie", "session=1")
		w.Header().Set("Content-Length", "4")
		w.WriteHeader(http.StatusCreated)
		_, err := w.Write([]byte("done"))
		return err
	}
	h := newHandler(t, passThruOnly)
	out := capture(t, h)
	if err := out.store.Close(); err != nil {
		t.Fatal(err)
	}
	w, err := through(h, answer)
	var handlerErr caddyhttp.HandlerError
	if !errors.As(err, &handlerErr) || handlerErr.StatusCode != http.StatusServiceUnavailable || w.Body.Len() > 0 ||
		w.Header().Get("Set-Cookie") != "" || w.Header().Get("Content-Length") != "" || w.Header().Get("Retry-After") == "" {
		t.Errorf("error: %v, %v, %q", err, w.Header(), w.Body)
	}
	h.PassThru.OnFailure = onFailurePass
	w, err = through(h, answer)
	if err != nil || w.Code != http.StatusCreated || w.Body.String() != "done" || w.Header().Get(statusHeader) != "failed" {
		t.Errorf("pass: %v, %d, %v, %q", err, w.Code, w.Header(), w.Body)
	}
}

// TestProxyPanics: the answer's body breaks after a 201. What was booked is
// booked, and the panic goes on.
func TestProxyPanics(t *testing.T) {
	for name, directive := range map[string]string{"header only": passThruOnly, "answer read": behindBackEnd} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(t, directive)
			out := capture(t, h)
			w := httptest.NewRecorder()
			r := caddyhttp.PrepareRequest(post(jsonType, goodJSON), caddy.NewReplacer(), w, nil)
			func() {
				defer func() {
					if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
						t.Errorf("the panic became %v", err)
					}
				}()
				_ = h.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
					w.WriteHeader(http.StatusCreated)
					_, _ = w.Write([]byte(`{"booking":{"id":"1",`))
					panic(http.ErrAbortHandler)
				}))
			}()
			if w.Code != http.StatusCreated || w.Header().Get(statusHeader) != "queued" {
				t.Errorf("%d, %v", w.Code, w.Header())
			}
			out.wait(t, 2)
		})
	}
}

// TestLargeAnswer: an answer that is too large to be understood goes through
// whole, and the request's data are used.
func TestLargeAnswer(t *testing.T) {
	h := newHandler(t, behindBackEnd)
	out := capture(t, h)
	large := `{"booking":{"id":"1"},"x":"` + strings.Repeat("y", 200<<10) + `"}`
	w := ask(t, h, &backEnd{status: 200, body: large}, "POST", "/", goodJSON)
	if w.Body.String() != large || w.Header().Get(statusHeader) != "queued" {
		t.Errorf("%d of %d bytes, %v", w.Body.Len(), len(large), w.Header())
	}
	out.wait(t, 2)
}

func TestBodyReachesTheBackEndWhole(t *testing.T) {
	for _, size := range []int{0, 1, 1000, defaultMaxSize - 1, defaultMaxSize, defaultMaxSize + 1, 3 * defaultMaxSize} {
		h := newHandler(t, behindBackEnd)
		capture(t, h)
		body := strings.Repeat("\x00\xff", (size+1)/2)[:size]
		b := &backEnd{status: 200}
		if w := ask(t, h, b, "POST", "/", body); b.got != body || w.Header().Get(statusHeader) != "skipped" {
			t.Errorf("%d bytes: the back end got %d, status %q", size, len(b.got), w.Header().Get(statusHeader))
		}
	}
}

func TestControlHeaders(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers map[string]string
		want    string
	}{
		{"skip", map[string]string{"Ical-Invite": "skip"}, "skipped"},
		{"send", map[string]string{"Ical-Invite": "send", "Ical-Invite-Start": "2027-04-01T10:00", "Ical-Invite-Name": "Grace"}, "queued"},
		{"bad action", map[string]string{"Ical-Invite": "explode"}, "skipped"},
		{"bad start", map[string]string{"Ical-Invite-Start": "tomorrow"}, "skipped"},
		{"bad email", map[string]string{"Ical-Invite-Email": "a@b\r\nBcc: x"}, "skipped"},
		{"unknown", map[string]string{"Ical-Invite-Color": "red"}, "skipped"},
		{"cancel without id", map[string]string{"Ical-Invite": "cancel"}, "skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, passThruOnly)
			capture(t, h)
			w := ask(t, h, &backEnd{status: 200, headers: tt.headers}, "POST", "/", goodJSON)
			if got := w.Header().Get(statusHeader); got != tt.want {
				t.Errorf("status %q, want %q", got, tt.want)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Ical-Invite") && name != statusHeader {
					t.Errorf("the client sees %s", name)
				}
			}
		})
	}
}

// TestOtherAnswersAreStripped: also an answer to a GET tells nobody what the
// back end says to us, however it is sent.
func TestOtherAnswersAreStripped(t *testing.T) {
	h := newHandler(t, passThruOnly)
	for name, send := range map[string]func(http.ResponseWriter){
		"header": func(w http.ResponseWriter) { w.WriteHeader(http.StatusTeapot) },
		"write":  func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
		"flush":  func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
		"copy":   func(w http.ResponseWriter) { _, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("x")) },
	} {
		w := httptest.NewRecorder()
		r := caddyhttp.PrepareRequest(httptest.NewRequest(http.MethodGet, "/bookings/1", nil), caddy.NewReplacer(), w, nil)
		err := h.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Ical-Invite-Id", "1")
			w.Header().Set("X-Other", "1")
			send(w)
			return nil
		}))
		got := w.Result().Header
		if err != nil || got.Get("Ical-Invite-Id") != "" || got.Get("X-Other") != "1" {
			t.Errorf("%s: %v, %v", name, err, got)
		}
	}
}

func TestClientsCannotSteer(t *testing.T) {
	h := newHandler(t, passThruOnly)
	capture(t, h)
	r := post(jsonType, goodJSON)
	r.Header.Set("Ical-Invite-Email", "victim@example.net")
	r.Header.Set("Ical-Invite", "skip")
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
	err := h.ServeHTTP(w, r, caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		for name := range r.Header {
			if strings.HasPrefix(http.CanonicalHeaderKey(name), "Ical-Invite") {
				t.Errorf("the back end got %s", name)
			}
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}))
	if err != nil || w.Header().Get(statusHeader) != "queued" {
		t.Errorf("%v, %v", err, w.Header())
	}
}
