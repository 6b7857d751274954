package caddyicalmail

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestRetain: some time after an event's end nothing of it is left, and not
// earlier: neither the event nor its mails, keys and counters.
func TestRetain(t *testing.T) {
	h := newHandler(t, webhookDirective(t, "limit recipient 5 24h\nextra phone Telephone\nconsent privacy Privacy"))
	out := capture(t, h)
	out.fail = func(m *store.NewMessage) error {
		if m.Role == "host" {
			return errors.New("550 <grace@example.org> has no room for Ada")
		}
		return nil
	}
	for _, body := range []string{
		`{"id":"ada","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","phone":"Ada's","privacy":true}`,
		`{"id":"ada","action":"update","email":"ada.two@example.net","guests":"ada.guest@example.net"}`,
		`{"id":"series","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`,
		`{"id":"series","action":"cancel"}`,
	} {
		if w, err := serve(t, h, signed(body)); err != nil || w.Code != http.StatusAccepted {
			t.Fatalf("%s: %d, %v, %s", body, w.Code, err, w.Body)
		}
	}
	end := time.Date(2027, time.March, 5, 10, 30, 0, 0, time.UTC)
	settleAll(t, out.store, h.transport.key)
	if n := records(t, h.app.storePath, out.store, end.Add(time.Hour), end); n == 0 {
		t.Error("the event is forgotten too early, or the search finds nothing")
	}
	if n := records(t, h.app.storePath, out.store, end.Add(30*24*time.Hour), end.Add(time.Second)); n > 0 {
		t.Errorf("%d records tell of somebody after all that time", n)
	}
}

// settleAll ends what is still to be sent, as its lateness would in the end.
func settleAll(t *testing.T, s store.Store, mailer string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		open := 0
		messages, err := s.List(t.Context(), store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if !m.State.Terminal() {
				open++
			}
		}
		if open == 0 {
			return
		}
		jobs, err := s.Claim(t.Context(), mailer, testNow.AddDate(1, 0, 0), 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range jobs {
			if err := s.Settle(t.Context(), store.Outcome{Lease: j.Lease, State: store.Failed, Now: testNow}); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatal("some messages cannot be settled")
}

// records sweeps and then counts the records of the store's file that tell of
// somebody. The store is open meanwhile, so a copy is read.
func records(t *testing.T, path string, s store.Store, now, endedBefore time.Time) (n int) {
	t.Helper()
	if _, err := s.Sweep(t.Context(), now, endedBefore); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(copyOf(t, path), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				record := bytes.ToLower(append(bytes.Clone(k), v...))
				if bytes.Contains(record, []byte("ada")) || bytes.Contains(record, []byte("example.net")) {
					n++
				}
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func copyOf(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
