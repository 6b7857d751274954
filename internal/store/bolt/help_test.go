package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const testMailer = "smtp:mail.example:587"

var testStart = time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)

func testPath(t testing.TB) string { return filepath.Join(t.TempDir(), "outbox.db") }

func testAddress(t testing.TB, s string) booking.Address {
	t.Helper()
	a, err := booking.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// testAcceptance is a new event with one message of 5 KiB.
func testAcceptance(t testing.TB, uid string) *store.Acceptance {
	t.Helper()
	e := booking.Event{
		UID: uid, Status: booking.Confirmed, Start: testStart, End: testStart.Add(time.Hour),
		Summary: "Consultation", Scope: "s", Mailer: testMailer,
		Organizer: booking.Person{Address: testAddress(t, "booking@site.example")},
		Host:      booking.Person{Address: testAddress(t, "hal@site.example")},
		Client:    booking.Person{Address: testAddress(t, "ann.secret@client.example"), Name: "Ann Very Secret"},
	}
	return &store.Acceptance{
		Now: testStart, Event: e, Expect: store.New, ID: "id " + uid,
		Key: &store.Key{Key: "key " + uid, Expires: testStart.Add(time.Hour), Reply: []byte("reply to ann.secret@client.example")},
		Messages: []store.NewMessage{{
			ID: "m-" + uid, UID: uid, Method: methodRequest, Role: booking.RoleClient, Mailer: testMailer,
			From: e.Organizer.Address, To: e.Client.Address, Due: testStart, Expires: testStart.Add(time.Hour),
			Raw: testBody(uid),
		}},
	}
}

// testBody is 5 KiB that tell which message they belong to.
func testBody(uid string) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%-63.63s\n", "To: ann.secret@client.example "+uid)), 80)
}

func mustAccept(t testing.TB, s *Store, a *store.Acceptance) {
	t.Helper()
	if _, err := s.Accept(context.Background(), a); err != nil {
		t.Fatal(err)
	}
}

func mustClaim(t testing.TB, s *Store, now time.Time, max int) []store.Job {
	t.Helper()
	jobs, err := s.Claim(context.Background(), testMailer, now, max, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	return jobs
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}
