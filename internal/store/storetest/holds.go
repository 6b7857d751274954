package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// The times of a held event of the tests.
var (
	slotsUntil = start.Add(15 * time.Minute)
	heldUntil  = start.Add(24 * time.Hour)
)

// holding makes a new held event.
func (x *suite) holding(uid string, slots ...store.Slot) *store.Acceptance {
	x.Helper()
	a := x.occupying(uid, slots...)
	a.Event.Status = booking.Pending
	a.Hold = &store.Hold{Until: heldUntil, SlotsUntil: slotsUntil, Counter: "held", Max: 3}
	return a
}

// confirming makes an event firm, with the slots that it held.
func (x *suite) confirming(now time.Time, uid string, sequence int) *store.Acceptance {
	x.Helper()
	a := x.acceptance(x.event(uid, sequence), "ann@client.example")
	a.Now, a.Confirm = now, true
	return a
}

// heldBack makes sure that one more held event is refused until then.
func (x *suite) heldBack(now, until time.Time, a *store.Acceptance) {
	x.Helper()
	a.Now = now
	before := x.dump()
	_, err := x.s.Accept(x.Context(), a)
	refusal := x.limited(err)
	x.equal("name", refusal.Name, store.LimitHeld)
	x.equal("retry after", refusal.RetryAfter, until.Sub(now))
	x.equal("store after a refusal", x.dump(), before)
}

func testHoldExpiry(x *suite) {
	x.accept(x.holding("one", slot(room, 0, 60)))
	x.taken(start, slot(room, 59, 61))
	x.taken(slotsUntil.Add(-time.Microsecond), slot(room, 59, 61))
	x.free(slotsUntil, slot(room, 59, 61))
	e, _, err := x.s.Event(x.Context(), "one")
	x.ok(err)
	x.equal("status", e.Status, booking.Pending)

	// Slots that are held stay held when the event changes otherwise.
	x.accept(x.acceptance(x.event("one", 1)))
	x.taken(start, slot(room, 0, 60))
	x.free(slotsUntil, slot(room, 0, 60))
	x.accept(x.moving("one", 2, slot(room, 30, 90)))
	x.free(start, slot(room, 0, 30))
	x.taken(start, slot(room, 0, 31))
	x.free(slotsUntil, slot(room, 30, 90))
}

func testHoldConfirm(x *suite) {
	later := slotsUntil.Add(time.Hour)
	for i, uid := range []string{"in time", "late", "overtaken"} {
		x.accept(x.holding(uid, slot(room, 100*i, 100*i+60)))
	}
	x.accept(x.confirming(start, "in time", 1))
	x.taken(later, slot(room, 0, 60))
	x.accept(x.confirming(later, "late", 1))
	x.taken(later, slot(room, 100, 160))

	// A rival came after the slot's time was up.
	rival := x.occupying("rival", slot(room, 259, 300))
	x.refused(rival, store.ErrSlotTaken)
	rival.Now = slotsUntil
	x.accept(rival)
	x.refused(x.confirming(later, "overtaken", 1), store.ErrSlotTaken)
	other := x.confirming(later, "overtaken", 1)
	other.Slots = []store.Slot{slot(room, 400, 460)}
	x.accept(other)
	x.free(later, slot(room, 200, 259))
	x.taken(later, slot(room, 459, 460))
}

func testHoldConfirmOnce(x *suite) {
	x.accept(x.holding("one", slot(room, 0, 60)))
	x.accept(x.confirming(start, "one", 1))
	x.refused(x.confirming(start, "one", 1), store.ErrStale) // the SEQUENCE is another
	x.refused(x.confirming(start, "one", 2), store.ErrStale) // it is not held
	x.accept(x.occupying("firm", slot(room, 60, 120)))
	x.refused(x.confirming(start, "firm", 1), store.ErrStale)
	x.refused(x.confirming(start, "unknown", 1), store.ErrStale)
	x.refused(x.confirming(start, "new", 0), store.ErrStale)

	x.accept(x.holding("two", slot("room b", 0, 60)))
	x.refused(x.confirming(heldUntil, "two", 1), store.ErrStale)
	x.accept(x.confirming(heldUntil.Add(-time.Microsecond), "two", 1))

	x.accept(x.holding("many", slot("room c", 0, 60)))
	var won atomic.Int32
	var all []*store.Acceptance
	for range 50 {
		all = append(all, x.confirming(start, "many", 1))
	}
	x.together(len(all), func(i int) {
		if _, err := x.s.Accept(x.Context(), all[i]); err == nil {
			won.Add(1)
		}
	})
	x.equal("confirmed", won.Load(), int32(1))
}

// testHoldRivals holds one slot for two, one after the other, who both come
// back to confirm it.
func testHoldRivals(x *suite) {
	x.accept(x.holding("one", slot(room, 0, 60)))
	two := x.holding("two", slot(room, 30, 90))
	x.refused(two, store.ErrSlotTaken)
	two.Now, two.Hold.SlotsUntil = slotsUntil, slotsUntil.Add(15*time.Minute)
	x.accept(two)
	x.refused(x.confirming(slotsUntil, "one", 1), store.ErrSlotTaken) // it is held for the other
	after := two.Hold.SlotsUntil
	x.accept(x.confirming(after, "one", 1)) // and now for nobody
	x.refused(x.confirming(after, "two", 1), store.ErrSlotTaken)
	x.taken(after, slot(room, 0, 60))
	x.free(after, slot(room, 60, 90))
}

func testHoldCap(x *suite) {
	for i := range 3 {
		a := x.holding(fmt.Sprint("held", i), slot(room, 100*i, 100*i+60))
		a.Hold.SlotsUntil = slotsUntil.Add(time.Duration(i) * time.Minute)
		x.accept(a)
	}
	one := func() *store.Acceptance { return x.holding("more-"+x.nextID(), slot(room, 900, 960)) }
	x.heldBack(start, slotsUntil, one())
	x.heldBack(slotsUntil.Add(-time.Microsecond), slotsUntil, one())

	// Without slots nothing is kept, and another counter counts for itself.
	none := x.holding("without slots")
	none.Hold.Max = 0
	x.accept(none)
	other := x.holding("other counter", slot(room, 800, 860))
	other.Hold.Counter = "other"
	x.accept(other)
	lower := one()
	lower.Hold.Max = 1
	x.heldBack(start, slotsUntil.Add(2*time.Minute), lower)
	never := one()
	never.Hold.Max = 0
	never.Hold.Counter = "never"
	never.Now = start
	_, err := x.s.Accept(x.Context(), never)
	x.equal("with a maximum of 0", x.limited(err).RetryAfter > 0, true)

	// Confirming, cancelling, freeing and erasing let one more in each.
	release := func(what string, f func()) {
		x.Helper()
		x.heldBack(start, slotsUntil, one())
		f()
		a := x.holding("after "+what, slot(what, 0, 60))
		x.accept(a)
	}
	release("confirming", func() { x.accept(x.confirming(start, "held1", 1)) })
	release("cancelling", func() {
		e := x.event("held2", 1)
		e.Status = booking.Cancelled
		x.accept(x.acceptance(e))
	})
	release("freeing", func() {
		a := x.moving("after confirming", 1)
		a.Slots = []store.Slot{}
		x.accept(a)
	})
	release("erasing", func() {
		a := x.acceptance(x.event("after cancelling", 1))
		a.Event.Client.Address = x.address("zoe@client.example")
		a.Messages = nil
		x.accept(a)
		n, err := x.s.Erase(x.Context(), x.address("zoe@client.example"))
		x.ok(err)
		x.equal("erased", n, 1)
	})
	x.heldBack(start, slotsUntil, one())

	// Time does it, too.
	late := one()
	late.Now, late.Hold.SlotsUntil = slotsUntil, slotsUntil.Add(time.Hour)
	x.accept(late)
}

// testHoldCapRace holds many slots at once under one limit.
func testHoldCapRace(x *suite) {
	var all []*store.Acceptance
	for i := range 100 {
		all = append(all, x.holding(fmt.Sprint("e", i), slot(room, 100*i, 100*i+60)))
	}
	var won atomic.Int32
	x.together(len(all), func(i int) {
		if _, err := x.s.Accept(x.Context(), all[i]); err == nil {
			won.Add(1)
		}
	})
	x.equal("held", won.Load(), int32(3))
}

func testHoldSweep(x *suite) {
	sent := func(a *store.Acceptance) {
		x.accept(a)
		for _, j := range x.claim(start, 10) {
			x.settle(j, store.Sent, start)
		}
	}
	sent(x.withKey(x.holding("forgotten", slot(room, 0, 60)), "f"))
	sent(x.withKey(x.holding("confirmed", slot(room, 100, 160)), "c"))
	sent(x.confirming(start, "confirmed", 1))
	x.accept(x.holding("unsent", slot(room, 200, 260)))
	sweep := func(now time.Time, want int) {
		x.Helper()
		n, err := x.s.Sweep(x.Context(), now, start)
		x.ok(err)
		x.equal("swept", n, want)
	}
	sweep(heldUntil.Add(-time.Microsecond), 0)
	x.taken(start, slot(room, 0, 60))
	j := x.claimOne(start)
	sweep(heldUntil, 1)
	x.gone("forgotten", "f", "key-f")
	x.free(start, slot(room, 0, 60)) // also by a clock that is late
	x.taken(start, slot(room, 100, 160))
	x.equal("of the confirmed one", x.states("confirmed"), "sent sent")
	x.taken(start, slot(room, 200, 260))
	x.settle(j, store.Sent, start)
	sweep(heldUntil, 1)
	x.free(start, slot(room, 200, 260))
	sweep(heldUntil.AddDate(1, 0, 0), 0)

	// Nothing of it counts any more.
	for i := range 3 {
		x.accept(x.holding(fmt.Sprint("again", i), slot(room, 300+i, 301+i)))
	}
	x.heldBack(start, slotsUntil, x.holding("more", slot(room, 400, 460)))

	// A held event is erased with what it kept.
	_, err := x.s.Erase(x.Context(), x.address("ann@client.example"))
	x.ok(err)
	x.free(start, slot(room, 300, 303))
	x.taken(start, slot(room, 100, 160))
}

// testCheckOrder makes sure of the order of the checks, since each has an
// answer of its own.
func testCheckOrder(x *suite) {
	limit := store.Limit{Name: "full", Counter: "full", Max: 0, Window: time.Hour}
	x.accept(x.withKey(x.occupying("one", slot(room, 0, 60)), "1"))
	wrong := func(uid string) *store.Acceptance {
		a := x.holding(uid, slot(room, 0, 60))
		a.Hold.Max, a.Limits = 0, []store.Limit{limit}
		return a
	}
	replay := x.withKey(wrong("one"), "1")
	replay.Event.Status = booking.Confirmed
	x.equal("replayed", x.accept(replay).Replayed, true)
	x.refused(wrong("one"), store.ErrStale)
	x.refused(wrong("two"), store.ErrSlotTaken)
	a := wrong("two")
	a.Slots[0] = slot(room, 60, 120)
	_, err := x.s.Accept(x.Context(), a)
	x.equal("limit", x.limited(err).Name, store.LimitHeld)
	a.Hold.Max = 1
	_, err = x.s.Accept(x.Context(), a)
	x.equal("limit", x.limited(err).Name, "full")
	a.Limits = nil
	x.accept(a)
}
