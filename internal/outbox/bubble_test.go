package outbox

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/bolt"
)

// The tests of the outbox run in a bubble with a clock of its own (synctest),
// on a real bolt store, so that hours of retries take no time.

// server is a mailer that behaves as a test says.
type server struct {
	mu       sync.Mutex
	behave   func(m *store.NewMessage) error
	attempts []attempt
	active   int
	most     int
}

type attempt struct {
	id string
	at time.Duration // since the test began
}

func (s *server) Deliver(ctx context.Context, m *store.NewMessage) error {
	s.mu.Lock()
	s.active++
	s.most = max(s.most, s.active)
	s.attempts = append(s.attempts, attempt{m.ID, time.Since(epoch)})
	behave := s.behave
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.active--
		s.mu.Unlock()
	}()
	if behave == nil {
		return nil
	}
	return behave(m)
}

func (s *server) set(behave func(m *store.NewMessage) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behave = behave
}

// of returns when a message was attempted.
func (s *server) of(id string) []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var times []time.Duration
	for _, a := range s.attempts {
		if a.id == id {
			times = append(times, a.at)
		}
	}
	return times
}

// epoch is when every bubble begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// recorder is an observer that keeps what it is told.
type recorder struct {
	mu                 sync.Mutex
	settled            []string
	suspended, resumed int
	trouble            int
}

func (r *recorder) Settled(job *store.Job, o store.Outcome, _ *Failure, _ time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled = append(r.settled, job.ID+" "+string(o.State))
}
func (r *recorder) Suspended(string, *Failure)    { r.mu.Lock(); r.suspended++; r.mu.Unlock() }
func (r *recorder) Resumed(string)                { r.mu.Lock(); r.resumed++; r.mu.Unlock() }
func (r *recorder) Trouble(string, string, error) { r.mu.Lock(); r.trouble++; r.mu.Unlock() }
func (r *recorder) Swept(int)                     {}

func (r *recorder) count(entry string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.settled {
		if s == entry {
			n++
		}
	}
	return n
}

// bench is a store with an outbox on it.
type bench struct {
	t      *testing.T
	store  store.Store
	server *server
	seen   *recorder
	outbox *Outbox
	count  int
}

// run runs a test in a bubble.
func run(t *testing.T, options Options, test func(*bench)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, store: s, server: new(server), seen: new(recorder)}
		if options.Lanes == nil {
			options.Lanes = map[string]Lane{"main": {Mailer: b.server, Connections: 4}}
		}
		options.Observer = b.seen
		b.outbox = Start(s, options)
		test(b)
		b.outbox.Stop()
		b.outbox.Wait(context.Background())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// accept stores an event with one message for each recipient, and returns the
// ids of the messages.
func (b *bench) accept(mailer string, life time.Duration, recipients ...string) []string {
	b.t.Helper()
	b.count++
	now := time.Now()
	uid := fmt.Sprintf("event-%d@example.com", b.count)
	a := &store.Acceptance{Now: now, Expect: store.New, Event: booking.Event{
		UID: uid, Status: booking.Confirmed, Start: now.Add(life), End: now.Add(life), Mailer: mailer, Scope: "test",
	}}
	var ids []string
	for i, r := range recipients {
		address, err := booking.ParseAddress(r)
		if err != nil {
			b.t.Fatal(err)
		}
		id := fmt.Sprintf("%05d-%d", b.count, i)
		ids = append(ids, id)
		a.Messages = append(a.Messages, store.NewMessage{
			ID: id, UID: uid, Method: "REQUEST", Mailer: mailer, To: address, From: address,
			Due: now, Expires: now.Add(life), Raw: []byte("mail"),
		})
	}
	if _, err := b.store.Accept(context.Background(), a); err != nil {
		b.t.Fatal(err)
	}
	return ids
}

// after lets time pass, and then everything that is due come to rest.
func (b *bench) after(d time.Duration) {
	time.Sleep(d) // the bubble's time
	synctest.Wait()
}

func fail(class Class, code int) error {
	return &Failure{Class: class, Code: code, Err: errors.New("told to fail")}
}
