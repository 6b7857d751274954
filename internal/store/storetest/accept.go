package storetest

import (
	"bytes"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func testAccept(x *suite) {
	e := x.event("one@site.example", 0)
	a := x.acceptance(e, "ann@client.example", "hal@site.example")
	a.ID = "booking-1"
	a.Key = &store.Key{Key: "k", Expires: start.Add(time.Hour), Reply: []byte("reply")}
	r := x.accept(a)
	x.equal("queued", r.Queued, 2)
	x.equal("superseded", r.Superseded, 0)
	x.equal("replayed", r.Replayed, false)

	got, messages, err := x.s.Event(x.Context(), e.UID)
	x.ok(err)
	if !reflect.DeepEqual(got, e) {
		x.Fatalf("got event\n%+v, want\n%+v", got, e)
	}
	x.equal("messages", len(messages), 2)
	for i, m := range messages {
		want := a.Messages[i]
		x.equal("ID", m.ID, want.ID)
		x.equal("recipient", m.To, want.To)
		x.equal("sender", m.From, want.From)
		x.equal("role", m.Role, want.Role)
		x.equal("method", m.Method, want.Method)
		x.equal("state", m.State, store.Queued)
		x.equal("accepted", m.Accepted.Equal(start), true)
		x.equal("due", m.Due.Equal(want.Due), true)
		x.equal("expires", m.Expires.Equal(want.Expires), true)
		x.equal("body in a listing", len(m.Raw), 0)
	}
	_, reply, err := x.s.Reply(x.Context(), "k", start)
	x.ok(err)
	x.equal("reply", string(reply), "reply")
}

func testNonsense(x *suite) {
	e := x.event("one@site.example", 0)
	x.accept(x.acceptance(e, "ann@client.example"))
	stored := x.messages(e.UID)[0].ID
	spoil := map[string]func(a *store.Acceptance){
		"no UID":        func(a *store.Acceptance) { a.Event.UID, a.Messages[0].UID, a.Messages[1].UID = "", "", "" },
		"no message ID": func(a *store.Acceptance) { a.Messages[1].ID = "" },
		"same ID twice": func(a *store.Acceptance) { a.Messages[1].ID = a.Messages[0].ID },
		"known ID":      func(a *store.Acceptance) { a.Messages[1].ID = stored },
		"other event":   func(a *store.Acceptance) { a.Messages[1].UID = e.UID },
	}
	for name, f := range spoil {
		a := x.acceptance(x.event("two@site.example", 0), "ann@client.example", "hal@site.example")
		f(a)
		before := x.dump()
		if _, err := x.s.Accept(x.Context(), a); err == nil {
			x.Errorf("%s: no error", name)
		}
		x.equal(name+": store afterwards", x.dump(), before)
		_, _, err := x.s.Event(x.Context(), "two@site.example")
		x.is(err, store.ErrNotFound)
	}
}

func testKey(x *suite) {
	e := x.event("one@site.example", 0)
	a := x.acceptance(e, "ann@client.example")
	a.Key = &store.Key{Key: "scope/Ünïcode", Fingerprint: [32]byte{1}, Expires: start.Add(time.Hour), Reply: []byte{0, 1, 0xFF}}
	x.accept(a)

	again := x.acceptance(x.event("two@site.example", 0), "ann@client.example")
	again.Key = &store.Key{Key: a.Key.Key, Fingerprint: [32]byte{1}, Expires: start.Add(2 * time.Hour), Reply: []byte("other")}
	again.Limits = []store.Limit{{Name: "none", Counter: "c", Max: 0, Window: time.Hour}}
	r := x.accept(again)
	x.equal("replayed", r.Replayed, true)
	x.equal("reply", bytes.Equal(r.Reply, a.Key.Reply), true)
	x.equal("queued by a replay", r.Queued, 0)
	_, _, err := x.s.Event(x.Context(), "two@site.example")
	x.is(err, store.ErrNotFound)

	other := *again
	other.Key = &store.Key{Key: a.Key.Key, Fingerprint: [32]byte{2}, Expires: start.Add(time.Hour)}
	x.refused(&other, store.ErrKeyReused)
	fingerprint, reply, err := x.s.Reply(x.Context(), a.Key.Key, start)
	x.ok(err)
	x.equal("fingerprint", fingerprint, [32]byte{1})
	x.equal("kept reply", bytes.Equal(reply, a.Key.Reply), true)

	_, _, err = x.s.Reply(x.Context(), a.Key.Key, start.Add(time.Hour))
	x.is(err, store.ErrNotFound)
	_, _, err = x.s.Reply(x.Context(), "unknown", start)
	x.is(err, store.ErrNotFound)
	late := x.acceptance(x.event("three@site.example", 0), "ann@client.example")
	late.Now = start.Add(time.Hour)
	late.Key = &store.Key{Key: a.Key.Key, Fingerprint: [32]byte{3}, Expires: start.Add(2 * time.Hour), Reply: []byte("new")}
	x.equal("replay of an expired key", x.accept(late).Replayed, false)
	_, reply, err = x.s.Reply(x.Context(), a.Key.Key, late.Now)
	x.ok(err)
	x.equal("new reply", string(reply), "new")
}

func testUnlessCancelled(x *suite) {
	e := x.event("one@site.example", 0)
	a := x.acceptance(e, "ann@client.example")
	a.Key = &store.Key{Key: "same", Fingerprint: [32]byte{1}, Expires: start.Add(time.Hour), UnlessCancelled: true, Reply: []byte("first")}
	x.accept(a)
	again := x.acceptance(x.event("two@site.example", 0), "ann@client.example")
	again.Key = a.Key
	x.equal("replayed before the cancel", x.accept(again).Replayed, true)

	cancel := x.event("one@site.example", 1)
	cancel.Status = booking.Cancelled
	x.accept(x.acceptance(cancel, "ann@client.example"))
	strict := *again
	key := *a.Key
	key.UnlessCancelled = false
	strict.Key = &key
	x.equal("a key without UnlessCancelled", x.accept(&strict).Replayed, true)
	x.equal("replayed after the cancel", x.accept(again).Replayed, false)
	x.equal("replayed for the new event", x.accept(again).Replayed, true)
}

// testKeyRace sends one booking many times at once: one is taken.
func testKeyRace(x *suite) {
	var taken atomic.Int32
	var all []*store.Acceptance
	for i := range 50 {
		a := x.acceptance(x.event("uid"+string(rune('A'+i)), 0), "ann@client.example")
		a.Key = &store.Key{Key: "double click", Fingerprint: [32]byte{1}, Expires: start.Add(time.Hour), Reply: []byte{byte(i)}}
		all = append(all, a)
	}
	x.together(len(all), func(i int) {
		r, err := x.s.Accept(x.Context(), all[i])
		if err != nil {
			x.Error(err)
		}
		if !r.Replayed {
			taken.Add(1)
		}
	})
	x.equal("bookings taken", taken.Load(), int32(1))
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events", stats.Events, 1)
}

func testExpect(x *suite) {
	e := x.event("one@site.example", 0)
	missing := x.acceptance(e, "ann@client.example")
	missing.Expect = 0
	x.refused(missing, store.ErrStale)
	x.accept(x.acceptance(e, "ann@client.example"))
	x.refused(x.acceptance(e, "ann@client.example"), store.ErrStale)
	x.refused(x.acceptance(x.event(e.UID, 2), "ann@client.example"), store.ErrStale)
	x.accept(x.acceptance(x.event(e.UID, 1), "ann@client.example"))
	got, _, err := x.s.Event(x.Context(), e.UID)
	x.ok(err)
	x.equal("sequence", got.Sequence, 1)
}

// testExpectRace lets 50 updaters race for each SEQUENCE.
func testExpectRace(x *suite) {
	const updaters, rounds = 50, 5
	x.accept(x.acceptance(x.event("one@site.example", 0), "ann@client.example"))
	for sequence := 1; sequence <= rounds; sequence++ {
		var won atomic.Int32
		var all []*store.Acceptance
		for range updaters {
			all = append(all, x.acceptance(x.event("one@site.example", sequence), "ann@client.example"))
		}
		x.together(updaters, func(i int) {
			_, err := x.s.Accept(x.Context(), all[i])
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, store.ErrStale) {
				x.Error(err)
			}
		})
		x.equal("winners", won.Load(), int32(1))
	}
	x.equal("messages", len(x.messages("one@site.example")), rounds+1)
}

func testID(x *suite) {
	a := x.acceptance(x.event("one@site.example", 0), "ann@client.example")
	a.ID = "42"
	x.accept(a)
	b := x.acceptance(x.event("two@site.example", 0), "ann@client.example")
	b.ID = "42"
	x.refused(b, store.ErrStale)
	b.Event.Scope = "other"
	x.accept(b)
	for scope, uid := range map[string]string{"consult": "one@site.example", "other": "two@site.example"} {
		e, messages, err := x.s.EventByID(x.Context(), scope, "42")
		x.ok(err)
		x.equal("event of the scope", e.UID, uid)
		x.equal("messages", len(messages), 1)
	}
	_, _, err := x.s.EventByID(x.Context(), "consult", "43")
	x.is(err, store.ErrNotFound)
	_, _, err = x.s.EventByID(x.Context(), "consult", "")
	x.is(err, store.ErrNotFound)

	x.accept(x.acceptance(x.event("one@site.example", 1), "ann@client.example"))
	e, _, err := x.s.EventByID(x.Context(), "consult", "42")
	x.ok(err)
	x.equal("sequence found by the id after an update without one", e.Sequence, 1)

	// The parts of the identity must not run into each other.
	c := x.acceptance(x.event("three@site.example", 0), "ann@client.example")
	c.Event.Scope, c.ID = "a", "b/c"
	x.accept(c)
	d := x.acceptance(x.event("four@site.example", 0), "ann@client.example")
	d.Event.Scope, d.ID = "a/b", "c"
	x.accept(d)
}

// together runs f n times at once.
func (x *suite) together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}
