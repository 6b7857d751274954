package caddyicalmail

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// testNow is when all tests of this package take place.
var testNow = time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC)

// minimalDirective is all that a handler needs, and a zone.
const minimalDirective = `ical_invite {
	organizer booking@example.com "Practice Dr. Hopper"
	host grace@example.org "Dr. Grace Hopper"
	file {$TEST_DIR:unused}
	timezone Europe/Berlin
}`

// newHandler provisions a handler from a directive.
func newHandler(t testing.TB, directive string) *Handler {
	t.Helper()
	h, err := provisionHandler(t, directive)
	if err != nil {
		t.Fatalf("provisioning: %v", err)
	}
	h.now = func() time.Time { return testNow }
	h.app.now = h.now
	h.logger = zap.NewNop()
	return h
}

func provisionHandler(t testing.TB, directive string) (*Handler, error) {
	t.Helper()
	h := new(Handler)
	if err := h.UnmarshalCaddyfile(caddyfile.NewTestDispenser(directive)); err != nil {
		return nil, err
	}
	ctx, err := caddy.ProvisionContext(&caddy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Provision(ctx); err != nil {
		return nil, err
	}
	return h, h.Validate()
}

// outgoing is a mailer that keeps what it is given.
type outgoing struct {
	mu      sync.Mutex
	arrived chan struct{}
	mails   []store.NewMessage
	fail    func(*store.NewMessage) error
	store   store.Store
}

func (o *outgoing) describe() string { return "test" }
func (o *outgoing) close()           {}

func (o *outgoing) Deliver(_ context.Context, m *store.NewMessage) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		if err := o.fail(m); err != nil {
			return err
		}
	}
	o.mails = append(o.mails, *m)
	o.arrived <- struct{}{}
	return nil
}

// wait returns the first n messages, the client's before the host's before
// the guests'.
func (o *outgoing) wait(t testing.TB, n int) []store.NewMessage {
	t.Helper()
	for range n {
		select {
		case <-o.arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("messages are missing")
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	mails := slices.Clone(o.mails)
	slices.SortFunc(mails, func(a, b store.NewMessage) int { return strings.Compare(a.ID, b.ID) })
	return mails
}

// checkEmpty fails the test if anything was accepted.
func (o *outgoing) checkEmpty(t testing.TB) {
	t.Helper()
	stats, err := o.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	messages, err := o.store.List(t.Context(), store.Filter{})
	if err != nil || stats.Events > 0 || len(messages) > 0 {
		t.Errorf("the store has %d events and %d messages (%v)", stats.Events, len(messages), err)
	}
}

// capture starts the handler's app with a store of its own, and with a mailer
// that keeps what it is given.
func capture(t testing.TB, h *Handler) *outgoing {
	t.Helper()
	o := &outgoing{arrived: make(chan struct{}, 1000)}
	h.app.storePath = filepath.Join(t.TempDir(), "outbox.db")
	h.app.observer.logger = zap.NewNop()
	h.app.transports = map[string]*transport{h.transport.key: {mailer: o, key: h.transport.key, connections: 2}}
	if err := h.app.Start(); err != nil {
		t.Fatal(err)
	}
	o.store = h.app.running.store
	t.Cleanup(func() {
		if err := errors.Join(h.app.Stop(), h.app.Cleanup()); err != nil {
			t.Error(err)
		}
		// Cleanup goes on in the background; the directory must outlive it.
		h.app.running.outbox.Wait(context.Background())
		for h.app.running.life.enter() {
			h.app.running.life.leave()
			runtime.Gosched()
		}
	})
	return o
}

// notFound is the next handler: it was not our request.
var notFound = caddyhttp.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) error {
	w.WriteHeader(http.StatusNotFound)
	return nil
})

// serve sends a request through h as Caddy's server would, and returns what
// the handler wrote and returned.
func serve(t testing.TB, h *Handler, r *http.Request) (*httptest.ResponseRecorder, error) {
	t.Helper()
	w := httptest.NewRecorder()
	repl := caddy.NewReplacer()
	r = caddyhttp.PrepareRequest(r, repl, w, nil)
	err := h.ServeHTTP(w, r, notFound)
	return w, err
}

// post is a POST request with a body of a media type.
func post(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://example.com/book", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

// checkMail fails the test if the linter finds anything in a message.
func checkMail(t testing.TB, m store.NewMessage) {
	t.Helper()
	findings := lint.Mail(m.Raw, lint.Options{Recipient: m.To.String(), Sender: m.From.String()})
	for _, f := range findings {
		t.Errorf("%s's mail: %s", m.Role, f)
	}
	if len(findings) > 0 {
		t.Logf("%s", m.Raw)
	}
}

// checkHostileMail is checkMail for mails with texts that are meant to be
// ugly: html in the notes is shown to the host as it is, and that is all that
// may be found.
func checkHostileMail(t testing.TB, m store.NewMessage) {
	t.Helper()
	for _, f := range lint.Mail(m.Raw, lint.Options{Recipient: m.To.String(), Sender: m.From.String()}) {
		if !acceptable(f) {
			t.Errorf("%s's mail: %s\n%s", m.Role, f, m.Raw)
		}
	}
}

func acceptable(f lint.Finding) bool {
	return f.Severity == lint.SeverityWarning && strings.HasPrefix(f.Text, "DESCRIPTION holds html")
}

func mustAddress(t testing.TB, s string) booking.Address {
	t.Helper()
	a, err := booking.ParseAddress(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return a
}

// sampleEvent is a confirmed event with everything in it.
func sampleEvent(t testing.TB) *booking.Event {
	t.Helper()
	start := time.Date(2027, time.March, 5, 9, 30, 0, 0, time.UTC)
	return &booking.Event{
		UID:         "0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com",
		Status:      booking.Confirmed,
		Created:     testNow,
		Modified:    testNow,
		Start:       start,
		End:         start.Add(time.Hour),
		ClientZone:  "America/New_York",
		HostZone:    "Europe/Berlin",
		Summary:     "Ada Lovelace and Dr. Grace Hopper",
		Location:    "Main St 1; 2nd floor, room \\7",
		Description: "Please bring your card.\nRing twice.",
		Organizer:   booking.Person{Address: mustAddress(t, "booking@example.com"), Name: "Practice Dr. Hopper"},
		Host:        booking.Person{Address: mustAddress(t, "grace@example.org"), Name: "Dr. Grace Hopper"},
		Client:      booking.Person{Address: mustAddress(t, "ada@example.net"), Name: "Lovelace, Ada"},
		Guests:      []booking.Person{{Address: mustAddress(t, "charles@example.net"), Name: "Charles"}},
		Notes:       "First visit.\nSee https://example.net/history",
		Extra:       []booking.Answer{{Label: "Telephone", Value: "+44 20 7946 0000"}},
		Scope:       "test",
		Mailer:      "test",
	}
}
