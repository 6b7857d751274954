package caddyicalmail

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestEraseRefusals has a row for every request that is not one to erase an
// address. No answer and no error repeats what was sent.
func TestEraseRefusals(t *testing.T) {
	const good = `{"address":"ada@example.net"}`
	for _, tt := range []struct {
		name, method, contentType, body string
		status                          int
		want                            error
	}{
		{"GET", http.MethodGet, jsonType, good, 405, errAdminMethod},
		{"DELETE", http.MethodDelete, jsonType, good, 405, errAdminMethod},
		{"form", http.MethodPost, formType, "address=ada@example.net", 415, errAdminType},
		{"no type", http.MethodPost, "", good, 415, errAdminType},
		{"empty", http.MethodPost, jsonType, "", 400, errAdminBody},
		{"text", http.MethodPost, jsonType, "ada@example.net", 400, errAdminBody},
		{"list", http.MethodPost, jsonType, `["ada@example.net"]`, 400, errAdminBody},
		{"number", http.MethodPost, jsonType, `{"address":1}`, 400, errAdminBody},
		{"other key", http.MethodPost, jsonType, `{"ada@example.net":""}`, 400, errAdminBody},
		{"two values", http.MethodPost, jsonType, good + good, 400, errAdminBody},
		{"rubbish after it", http.MethodPost, jsonType, good + "ada@", 400, errAdminBody},
		{"too large", http.MethodPost, jsonType, `{"address":"` + strings.Repeat("ada@", 10000) + `"}`, 400, errAdminBody},
		{"no address", http.MethodPost, jsonType, `{}`, 400, errAdminAddress},
		{"no e-mail address", http.MethodPost, jsonType, `{"address":"ada at example.net"}`, 400, errAdminAddress},
		{"display name", http.MethodPost, jsonType, `{"address":"Ada <ada@example.net>"}`, 400, errAdminAddress},
		{"no app", http.MethodPost, jsonType, good, 404, errAdminApp},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(tt.method, pathErase, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			w := httptest.NewRecorder()
			err := adminAPI{}.erase(w, r)
			var refused caddy.APIError
			if !errors.As(err, &refused) || refused.HTTPStatus != tt.status || !errors.Is(refused.Err, tt.want) || w.Body.Len() > 0 {
				t.Errorf("got %v, wrote %q", err, w.Body)
			}
			if strings.Contains(err.Error(), "ada") {
				t.Errorf("the error repeats what was sent: %v", err)
			}
		})
	}
}

// TestErase erases everybody who is or was part of a booking, whatever has
// become of it, be it unconfirmed or unsent, and nobody else.
func TestErase(t *testing.T) {
	h := newHandler(t, webhookDirective(t, ""))
	out := capture(t, h)
	log := new(lockedBuffer)
	h.app.observer.logger = zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg"}), zapcore.AddSync(log), zap.DebugLevel))
	for _, body := range []string{
		`{"id":"client","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`,
		`{"id":"guest","name":"Bob","email":"bob@example.net","start":"2027-03-05T10:30","guests":"ADA@example.net"}`,
		`{"id":"former","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`,
		`{"id":"former","action":"update","email":"cid@example.net"}`,
		`{"id":"removed","name":"Bob","email":"bob@example.net","start":"2027-03-05T10:30","guests":"ada@example.net"}`,
		`{"id":"removed","action":"update","guests":""}`,
		`{"id":"cancelled","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`,
		`{"id":"cancelled","action":"cancel"}`,
		`{"id":"other","name":"Ada","email":"not.ada@example.net","start":"2027-03-05T10:30"}`,
	} {
		if w, err := serve(t, h, signed(body)); err != nil || w.Code != http.StatusAccepted {
			t.Fatalf("%s: %d, %v, %s", body, w.Code, err, w.Body)
		}
	}
	pending := sampleEvent(t)
	pending.Status, pending.Guests = booking.Pending, nil
	unsent := store.NewMessage{ID: uuid.NewString(), UID: pending.UID, Method: "REQUEST", Role: booking.RoleClient, Mailer: "gone",
		From: pending.Organizer.Address, To: pending.Client.Address, Due: testNow, Expires: pending.End, Raw: []byte("Ada")}
	if _, err := out.store.Accept(t.Context(), &store.Acceptance{
		Now: testNow, Event: *pending, Expect: store.New, Messages: []store.NewMessage{unsent},
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{6, 0} {
		if n, err := h.app.erase(t.Context(), mustAddress(t, "Ada@Example.net")); err != nil || n != want {
			t.Errorf("%d events erased, %v, want %d", n, err, want)
		}
	}
	left, err := out.store.List(t.Context(), store.Filter{})
	if err != nil || len(left) != 2 {
		t.Errorf("%d messages are left, %v, want those of the other booking", len(left), err)
	}
	if _, _, err := out.store.EventByID(t.Context(), h.scope(), "other"); err != nil {
		t.Errorf("the other booking: %v", err)
	}
	if text := log.String(); strings.Contains(strings.ToLower(text), "ada") || !strings.Contains(text, "an address was erased") {
		t.Errorf("the log says %s", text)
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
