package outbox

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/bolt"
)

func TestDeliversAtOnce(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		ids := b.accept("main", 24*time.Hour, "a@example.com", "b@example.com")
		b.after(time.Millisecond)
		for _, id := range ids {
			if b.seen.count(id+" sent") != 1 {
				t.Errorf("%s is not sent: %v", id, b.seen.settled)
			}
		}
	})
}

func TestRetrySchedule(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(*store.NewMessage) error { return fail(Temporary, 451) })
		id := b.accept("main", 72*time.Hour, "a@example.com")[0]
		b.after(80 * time.Hour)
		got := b.server.of(id)
		want := []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 4 * time.Hour}
		if len(got) < 15 {
			t.Fatalf("%d attempts", len(got))
		}
		for i := 1; i < len(want); i++ {
			wait := got[i] - got[i-1]
			if wait < want[i]*8/10 || wait > want[i]*12/10+time.Second {
				t.Errorf("attempt %d came %s after the one before, want %s ± 20 %%", i+1, wait, want[i])
			}
		}
		if last := got[len(got)-1]; last > 72*time.Hour || b.seen.count(id+" failed") != 1 {
			t.Errorf("last attempt after %s, settled %v", last, b.seen.settled)
		}
	})
}

func TestClassesOfFailure(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		settle string
	}{
		{"550", fail(Permanent, 550), "failed"},
		{"450", fail(Temporary, 450), "deferred"},
		{"an error without a class", errors.New("oops"), "deferred"},
		{"no connection", fail(Unreachable, 0), "queued"},
		{"login refused", fail(Refused, 535), "queued"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run(t, Options{}, func(b *bench) {
				b.server.set(func(*store.NewMessage) error { return tt.err })
				id := b.accept("main", 72*time.Hour, "a@example.com")[0]
				b.after(10 * time.Millisecond)
				if b.seen.count(id+" "+tt.settle) != 1 {
					t.Errorf("settled %v, want %s", b.seen.settled, tt.settle)
				}
			})
		})
	}
}

// TestOneRecipientHoldsUpNobody: others are sent while one is refused for now.
func TestOneRecipientHoldsUpNobody(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(m *store.NewMessage) error {
			if m.To.String() == "bad@example.com" {
				return fail(Temporary, 450)
			}
			return nil
		})
		for range 50 {
			b.accept("main", 72*time.Hour, "bad@example.com", "good@example.com")
		}
		b.after(time.Second)
		sent := 0
		for _, s := range b.seen.settled {
			if s[len(s)-4:] == "sent" {
				sent++
			}
		}
		if sent != 50 {
			t.Errorf("%d of 50 sent", sent)
		}
	})
}

// TestUnreachable: while there is no connection, one message probes, nothing
// is used up, and all go as soon as the server is back.
func TestUnreachable(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(*store.NewMessage) error { return fail(Unreachable, 0) })
		for range 100 {
			b.accept("main", 72*time.Hour, "a@example.com")
		}
		b.after(3 * time.Hour)
		if n := len(b.server.attempts); n < 150 || n > 300 {
			t.Errorf("%d probes in three hours", n)
		}
		b.server.set(nil)
		b.after(time.Minute + time.Second)
		stats, err := b.store.Stats(context.Background())
		if err != nil || stats.Mailers["main"].Queued+stats.Mailers["main"].Deferred > 0 {
			t.Errorf("after the server came back: %+v, %v", stats, err)
		}
		if b.seen.suspended > 0 {
			t.Error("an unreachable server is no suspension")
		}
	})
}

func TestSuspension(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(*store.NewMessage) error { return fail(Refused, 535) })
		for range 20 {
			b.accept("main", 72*time.Hour, "a@example.com")
		}
		b.after(2 * time.Hour)
		if b.seen.suspended != 1 || b.seen.resumed != 0 {
			t.Errorf("suspended %d times, resumed %d times", b.seen.suspended, b.seen.resumed)
		}
		if n := len(b.server.attempts); n > 20 {
			t.Errorf("%d logins in two hours", n)
		}
		b.server.set(nil)
		b.after(16 * time.Minute)
		if b.seen.resumed != 1 {
			t.Errorf("resumed %d times", b.seen.resumed)
		}
		stats, _ := b.store.Stats(context.Background())
		if m := stats.Mailers["main"]; m.Queued+m.Deferred+m.Failed > 0 {
			t.Errorf("left over: %+v", m)
		}
	})
}

// TestFairBetweenMailers: a server that says nothing holds up only its own.
func TestFairBetweenMailers(t *testing.T) {
	stalled, well := new(server), new(server)
	release := make(chan struct{})
	lanes := map[string]Lane{"stalled": {stalled, 2}, "well": {well, 2}}
	run(t, Options{Lanes: lanes, Workers: 3}, func(b *bench) {
		released := make(chan struct{}) // made in the bubble
		stalled.set(func(*store.NewMessage) error { <-released; return nil })
		for range 10 {
			b.accept("stalled", 72*time.Hour, "a@example.com")
		}
		for range 10 {
			b.accept("well", 72*time.Hour, "a@example.com")
		}
		b.after(time.Second)
		if len(well.attempts) != 10 || stalled.most != 2 {
			t.Errorf("%d delivered by the well one, %d at once at the stalled one", len(well.attempts), stalled.most)
		}
		close(released)
		b.after(time.Second)
	})
	close(release)
}

func TestConnectionsAreFewerWhenTold(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(*store.NewMessage) error {
			time.Sleep(time.Second)
			return fail(Temporary, 421)
		})
		for range 40 {
			b.accept("main", 72*time.Hour, "a@example.com")
		}
		b.after(20 * time.Second)
		b.server.mu.Lock()
		most := b.server.most
		b.server.most = 0
		b.server.mu.Unlock()
		b.after(5 * time.Second)
		if most != 4 || b.server.most != 1 {
			t.Errorf("%d connections at first, %d after many 421; want 4 and 1", most, b.server.most)
		}
	})
}

// TestExpired: a message is never sent after its time, and the one before it
// is not held up.
func TestExpired(t *testing.T) {
	run(t, Options{}, func(b *bench) {
		b.server.set(func(*store.NewMessage) error { return fail(Unreachable, 0) })
		late := b.accept("main", time.Hour, "late@example.com")[0]
		b.after(2 * time.Hour)
		b.server.set(nil)
		fresh := b.accept("main", time.Hour, "fresh@example.com")[0]
		b.after(5 * time.Minute)
		if b.seen.count(late+" failed") != 1 || b.seen.count(fresh+" sent") != 1 {
			t.Errorf("settled %v", b.seen.settled[max(0, len(b.seen.settled)-3):])
		}
	})
}

// TestStopBreaksOff: at the end of patience a delivery is broken off, and the
// message goes back as it was.
func TestStopBreaksOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		seen := new(recorder)
		b := &bench{t: t, store: s, seen: seen}
		hangs := deliverFunc(func(ctx context.Context) error {
			<-ctx.Done()
			return &Failure{Class: Temporary, Err: ctx.Err()}
		})
		b.outbox = Start(s, Options{Lanes: map[string]Lane{"main": {hangs, 1}}, Observer: seen})
		b.accept("main", time.Hour, "a@example.com")
		b.after(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		began := time.Now()
		b.outbox.Stop()
		b.outbox.Wait(ctx)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("stopping took %s", took)
		}
		messages, err := s.List(context.Background(), store.Filter{})
		if err != nil || len(messages) != 1 || messages[0].State != store.Queued || messages[0].Attempts != 0 {
			t.Errorf("left %+v, %v", messages, err)
		}
	})
}

type deliverFunc func(ctx context.Context) error

func (f deliverFunc) Deliver(ctx context.Context, _ *store.NewMessage) error { return f(ctx) }

// deafStore is a store that cannot record outcomes for a while.
type deafStore struct {
	store.Store
	mu   sync.Mutex
	deaf bool
}

func (s *deafStore) Settle(ctx context.Context, o ...store.Outcome) error {
	s.mu.Lock()
	deaf := s.deaf
	s.mu.Unlock()
	if deaf {
		return errors.New("disk is full")
	}
	return s.Store.Settle(ctx, o...)
}

// TestStopsSendingWhenItCannotSettle: each worker sends at most the message
// whose outcome it cannot record, and never the same one again.
func TestStopsSendingWhenItCannotSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	synctest.Test(t, func(t *testing.T) {
		inner, err := bolt.Open(path, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer inner.Close()
		s := &deafStore{Store: inner, deaf: true}
		b := &bench{t: t, store: s, server: new(server), seen: new(recorder)}
		b.outbox = Start(s, Options{Lanes: map[string]Lane{"main": {b.server, 3}}, Observer: b.seen})
		for range 20 {
			b.accept("main", 72*time.Hour, "a@example.com")
		}
		b.after(time.Hour)
		if n := len(b.server.attempts); n != 3 {
			t.Errorf("%d messages were sent without being recorded, want 3", n)
		}
		s.mu.Lock()
		s.deaf = false
		s.mu.Unlock()
		b.after(time.Minute)
		ids := map[string]int{}
		for _, a := range b.server.attempts {
			ids[a.id]++
		}
		if len(ids) != 20 || len(b.server.attempts) != 20 {
			t.Errorf("%d messages in %d attempts, want 20 in 20", len(ids), len(b.server.attempts))
		}
		b.outbox.Stop()
		b.outbox.Wait(context.Background())
	})
}

func TestRetryDelay(t *testing.T) {
	var waits []time.Duration
	for range 1000 {
		waits = append(waits, retryDelay(2))
	}
	if lo, hi := slices.Min(waits), slices.Max(waits); lo < 4*time.Minute || hi > 6*time.Minute || hi-lo < time.Minute {
		t.Errorf("second retry after %s to %s", lo, hi)
	}
}
