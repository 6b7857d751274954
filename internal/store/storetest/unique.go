package storetest

import (
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// testUnique gives bookings two keys: each of them answers for the whole.
func testUnique(x *suite) {
	known := func(name string, content byte) *store.Key {
		return &store.Key{Key: name, Fingerprint: [32]byte{content}, Expires: start.Add(time.Hour), Reply: []byte("by " + name)}
	}
	book := func(uid string, key, unique *store.Key) *store.Acceptance {
		a := x.occupying(uid, slot(room, 0, 60))
		a.Key, a.Unique = key, unique
		return a
	}
	replayed := func(a *store.Acceptance, want string) {
		x.Helper()
		before := x.dump()
		r := x.accept(a)
		x.equal("replayed", r.Replayed, true)
		x.equal("reply", string(r.Reply), want)
		x.equal("store afterwards", x.dump(), before)
	}
	x.accept(book("one", known("k", 1), known("u", 2)))
	replayed(book("two", known("k", 1), known("u", 2)), "by k")
	replayed(book("two", known("k", 1), known("u", 9)), "by k") // the first that is known
	replayed(book("two", known("k2", 1), known("u", 2)), "by u")
	replayed(book("two", nil, known("u", 2)), "by u")
	replayed(book("two", known("u", 2), nil), "by u") // they are of one kind
	_, _, err := x.s.Reply(x.Context(), "k2", start)
	x.is(err, store.ErrNotFound) // nothing was written
	x.refused(book("two", known("k", 9), known("u", 2)), store.ErrKeyReused)
	x.refused(book("two", known("k2", 1), known("u", 9)), store.ErrKeyReused)
	for _, name := range []string{"k", "u"} {
		_, reply, err := x.s.Reply(x.Context(), name, start)
		x.ok(err)
		x.equal("kept reply", string(reply), "by "+name)
	}

	// Both go with the event.
	_, err = x.s.Erase(x.Context(), x.address("ann@client.example"))
	x.ok(err)
	x.gone("one", "", "k")
	x.gone("one", "", "u")
}

func testUniqueUnlessCancelled(x *suite) {
	unique := &store.Key{Key: "u", Expires: start.Add(time.Hour), UnlessCancelled: true, Reply: []byte("first")}
	a := x.acceptance(x.event("one", 0))
	a.Unique = unique
	x.accept(a)
	off := x.event("one", 1)
	off.Status = booking.Cancelled
	x.accept(x.acceptance(off))
	again := x.acceptance(x.event("two", 0))
	again.Unique = unique
	x.equal("replayed after the cancel", x.accept(again).Replayed, false)
	x.equal("replayed for the new event", x.accept(again).Replayed, true)
}

// testUniqueWhileHeld lets a key answer for as long as its event is held.
func testUniqueWhileHeld(x *suite) {
	unique := &store.Key{Key: "u", Expires: start.Add(10 * time.Hour), WhileHeld: true, Reply: []byte("first")}
	held := func(uid string, now time.Time) *store.Acceptance {
		a := x.acceptance(x.event(uid, 0))
		a.Now, a.Unique = now, unique
		a.Hold = &store.Hold{Until: start.Add(time.Hour)}
		return a
	}
	x.accept(held("one", start))
	x.equal("replayed while it is held", x.accept(held("two", start.Add(59*time.Minute))).Replayed, true)
	x.equal("replayed when its time is up", x.accept(held("three", start.Add(time.Hour))).Replayed, false)

	firm := x.acceptance(x.event("four", 0))
	x.accept(&store.Acceptance{Now: start, Event: firm.Event, Expect: store.New, Hold: &store.Hold{Until: start.Add(time.Hour)}, Unique: &store.Key{
		Key: "v", Expires: start.Add(10 * time.Hour), WhileHeld: true, Reply: []byte("first")}})
	x.accept(&store.Acceptance{Now: start, Event: firm.Event, Expect: 0, Confirm: true})
	again := x.acceptance(x.event("five", 0))
	again.Unique = &store.Key{Key: "v", Expires: start.Add(10 * time.Hour), WhileHeld: true, Reply: []byte("second")}
	x.equal("replayed once it is firm", x.accept(again).Replayed, false)
}
