package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const room = "room a"

// slot is a span of minutes after the first slot of the tests.
func slot(resource string, from, to int) store.Slot {
	first := start.Add(24 * time.Hour)
	minutes := func(n int) time.Time { return first.Add(time.Duration(n) * time.Minute) }
	return store.Slot{Resource: resource, Start: minutes(from), End: minutes(to)}
}

// occupying makes a new event that occupies slots.
func (x *suite) occupying(uid string, slots ...store.Slot) *store.Acceptance {
	x.Helper()
	a := x.acceptance(x.event(uid, 0), "ann@client.example")
	a.Slots = slots
	return a
}

// moving changes an event so that it occupies other slots.
func (x *suite) moving(uid string, sequence int, slots ...store.Slot) *store.Acceptance {
	x.Helper()
	a := x.occupying(uid, slots...)
	a.Expect, a.Event.Sequence, a.Messages[0].Sequence = sequence-1, sequence, sequence
	return a
}

// probe books slots at a time, and says how that ended. It leaves them as free
// as they were.
func (x *suite) probe(now time.Time, slots ...store.Slot) error {
	x.Helper()
	a := x.acceptance(x.event("probe-"+x.nextID(), 0))
	a.Now, a.Slots = now, slots
	_, err := x.s.Accept(x.Context(), a)
	if err != nil {
		return err
	}
	off := x.acceptance(x.event(a.Event.UID, 1))
	off.Event.Status, off.Now = booking.Cancelled, now
	x.accept(off)
	return nil
}

func (x *suite) taken(now time.Time, slots ...store.Slot) {
	x.Helper()
	x.is(x.probe(now, slots...), store.ErrSlotTaken)
}

func (x *suite) free(now time.Time, slots ...store.Slot) {
	x.Helper()
	x.ok(x.probe(now, slots...))
}

func testSlotOverlap(x *suite) {
	x.accept(x.occupying("one", slot(room, 0, 60)))
	shifted := func(s store.Slot, from, to time.Duration) store.Slot {
		s.Start, s.End = s.Start.Add(from), s.End.Add(to)
		return s
	}
	tests := []struct {
		name  string
		slot  store.Slot
		taken bool
	}{
		{"touching before", slot(room, -60, 0), false},
		{"touching after", slot(room, 60, 120), false},
		{"long before", slot(room, -600, -540), false},
		{"long after", slot(room, 600, 660), false},
		{"same", slot(room, 0, 60), true},
		{"one minute before", slot(room, -60, 1), true},
		{"one minute after", slot(room, 59, 120), true},
		{"a microsecond before", shifted(slot(room, -60, 0), 0, time.Microsecond), true},
		{"a microsecond after", shifted(slot(room, 60, 120), -time.Microsecond, 0), true},
		{"containing", slot(room, -60, 120), true},
		{"containing from the start", slot(room, 0, 61), true},
		{"containing up to the end", slot(room, -1, 60), true},
		{"contained", slot(room, 29, 30), true},
		{"contained at the start", slot(room, 0, 1), true},
		{"contained at the end", slot(room, 59, 60), true},
		{"other resource", slot("room b", 0, 60), false},
		{"resource that begins alike", slot(room+"a", 0, 60), false},
		{"resource of other case", slot("Room A", 0, 60), false},
	}
	for _, test := range tests {
		err := x.probe(start, test.slot)
		if got := errors.Is(err, store.ErrSlotTaken); got != test.taken || err != nil && !got {
			x.Errorf("%s: got %v, want taken: %v", test.name, err, test.taken)
		}
	}
	x.accept(x.occupying("before", slot(room, -60, 0)))
	x.accept(x.occupying("after", slot(room, 60, 120)))
	x.taken(start, slot(room, -1, 0))
	x.taken(start, slot(room, 119, 121))
}

// testSlotRace lets many want one slot: one gets it, and the others leave no
// trace.
func testSlotRace(x *suite) {
	const rivals = 200
	var all []*store.Acceptance
	for i := range rivals {
		a := x.occupying(fmt.Sprint("e", i), slot(room, i%3, 60+i%5))
		a.ID = fmt.Sprint("id", i)
		a.Key = &store.Key{Key: fmt.Sprint("key", i), Expires: start.Add(time.Hour)}
		a.Limits = []store.Limit{{Name: "l", Counter: "c", Max: 2, Window: time.Hour}}
		all = append(all, a)
	}
	var won atomic.Int32
	x.together(rivals, func(i int) {
		switch _, err := x.s.Accept(x.Context(), all[i]); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, store.ErrSlotTaken):
			x.Error(err)
		}
	})
	x.equal("winners", won.Load(), int32(1))
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events", stats.Events, 1)
	x.equal("messages", stats.Mailers[mailer].Queued, 1)
	known := 0
	for i := range rivals {
		if _, _, err := x.s.Reply(x.Context(), all[i].Key.Key, start); err == nil {
			known++
		}
	}
	x.equal("keys", known, 1)
	// One was counted, so that one more is within the limit.
	x.ok(x.try(start, all[0].Limits...))
	_ = x.limited(x.try(start, all[0].Limits...))
}

func testSlotResources(x *suite) {
	x.accept(x.occupying("one", slot("hal", 0, 60), slot("room a", 0, 90)))
	x.refused(x.occupying("two", slot("hal", 60, 120), slot("room a", 60, 120)), store.ErrSlotTaken)
	x.free(start, slot("hal", 60, 120)) // all or nothing: it took nothing
	x.accept(x.occupying("two", slot("hal", 60, 120), slot("room b", 60, 120)))
	x.taken(start, slot("room a", 89, 90))
	x.taken(start, slot("hal", 119, 130))
	x.free(start, slot("room a", 90, 120), slot("room b", 0, 60))

	// An event is not in its own way.
	x.accept(x.occupying("itself", slot("room c", 0, 60), slot("room c", 30, 90), slot("room c", 0, 60), slot("room c", 10, 20)))
	x.taken(start, slot("room c", 89, 90))
	x.free(start, slot("room c", 90, 91))

	// Nor is one that occupies nothing in anybody's.
	x.accept(x.occupying("nothing"))
}

func testSlotMove(x *suite) {
	x.accept(x.occupying("one", slot(room, 0, 60)))
	x.accept(x.occupying("two", slot(room, 120, 180)))
	x.accept(x.moving("one", 1, slot(room, 30, 90)))
	x.free(start, slot(room, 0, 30))
	x.taken(start, slot(room, 60, 90))

	x.refused(x.moving("one", 2, slot(room, 121, 150)), store.ErrSlotTaken)
	x.refused(x.moving("one", 2, slot(room, 0, 60), slot(room, 179, 190)), store.ErrSlotTaken)
	x.taken(start, slot(room, 30, 90))
	x.free(start, slot(room, 0, 30))

	// Nil leaves things as they are, and an empty slice frees.
	x.accept(x.acceptance(x.event("one", 2)))
	x.taken(start, slot(room, 30, 31))
	free := x.moving("one", 3)
	free.Slots = []store.Slot{}
	x.accept(free)
	x.free(start, slot(room, 0, 120))
	x.accept(x.moving("one", 4, slot("room b", 0, 60)))
	x.taken(start, slot("room b", 0, 60))
	x.free(start, slot(room, 0, 120))
}

func testSlotCancel(x *suite) {
	x.accept(x.occupying("one", slot(room, 0, 60), slot("room b", 0, 60)))
	off := x.moving("one", 1, slot(room, 0, 60)) // whatever is said
	off.Event.Status = booking.Cancelled
	x.accept(off)
	x.free(start, slot(room, 0, 60), slot("room b", 0, 60))
	x.accept(x.occupying("two", slot(room, 0, 60)))
	x.is(x.tryMove("one", 2, slot(room, 59, 61)), store.ErrSlotTaken)
}

func (x *suite) tryMove(uid string, sequence int, slots ...store.Slot) error {
	x.Helper()
	_, err := x.s.Accept(x.Context(), x.moving(uid, sequence, slots...))
	return err
}

// testSlotSeries books what recurs: all times or none.
func testSlotSeries(x *suite) {
	const week = 7 * 24 * 60
	series := func(from, n int) (all []store.Slot) {
		for i := range n {
			all = append(all, slot(room, from+i*week, from+i*week+60))
		}
		return all
	}
	x.accept(x.occupying("rival", slot(room, 100*week+30, 100*week+60)))
	x.refused(x.occupying("series", series(0, 200)...), store.ErrSlotTaken)
	x.free(start, series(0, 100)...)
	x.accept(x.occupying("series", series(60, 200)...)) // touches the rival
	x.taken(start, slot(room, 199*week+119, 199*week+130))
	x.taken(start, slot(room, 60, 61))
	x.accept(x.occupying("between", series(120, 200)...))
	x.refused(x.moving("series", 1, series(90, 200)...), store.ErrSlotTaken)
	x.accept(x.moving("series", 1, series(180, 200)...))
	x.free(start, series(60, 200)...)
	x.accept(x.moving("series", 2, series(210, 200)...)) // overlaps only itself

	most := make([]store.Slot, 0, store.MaxSlots)
	for i := range store.MaxSlots {
		most = append(most, slot("room b", 10*i, 10*i+5))
	}
	x.accept(x.occupying("most", most...))
	for i := range most {
		most[i].Start, most[i].End = most[i].Start.Add(time.Minute), most[i].End.Add(time.Minute)
	}
	x.accept(x.moving("most", 1, most...))
	x.taken(start, slot("room b", 10*store.MaxSlots-5, 10*store.MaxSlots))
}

func testSlotNonsense(x *suite) {
	spoil := map[string]func(a *store.Acceptance){
		"no length":          func(a *store.Acceptance) { a.Slots[1].End = a.Slots[1].Start },
		"end before start":   func(a *store.Acceptance) { a.Slots[1].End = a.Slots[1].Start.Add(-1) },
		"no resource":        func(a *store.Acceptance) { a.Slots[1].Resource = "" },
		"resource not UTF-8": func(a *store.Acceptance) { a.Slots[1].Resource = "\xff" },
		"no start":           func(a *store.Acceptance) { a.Slots[1].Start = time.Time{} },
		"no end to it":       func(a *store.Acceptance) { a.Slots[1].End = start.AddDate(5000, 0, 0) },
		"too many":           func(a *store.Acceptance) { a.Slots = make([]store.Slot, store.MaxSlots+1) },
		"held and confirmed": func(a *store.Acceptance) { a.Hold, a.Confirm = &store.Hold{Until: start.Add(time.Hour)}, true },
		"held for longer than there": func(a *store.Acceptance) {
			a.Hold = &store.Hold{Until: start.Add(time.Hour), SlotsUntil: start.Add(time.Hour + 1), Max: 1}
		},
		"held afterwards": func(a *store.Acceptance) {
			a.Hold, a.Expect, a.Event.Sequence = &store.Hold{Until: start.Add(time.Hour)}, 0, 1
			a.Event.UID, a.Messages = "one", nil
		},
	}
	x.accept(x.occupying("one", slot("room b", 0, 60)))
	for name, f := range spoil {
		a := x.occupying("two", slot(room, 0, 60), slot("secret", 120, 180))
		f(a)
		before := x.dump()
		_, err := x.s.Accept(x.Context(), a)
		if err == nil || errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrSlotTaken) {
			x.Errorf("%s: got %v", name, err)
		}
		x.equal(name+": store afterwards", x.dump(), before)
	}
	x.free(start, slot(room, 0, 60), slot("secret", 120, 180))
}

// testSlotsOutlive makes sure that what is in the host's calendar stays taken
// until it is over, also when nobody knows any more who booked it.
func testSlotsOutlive(x *suite) {
	x.accept(x.occupying("one", slot(room, 0, 60), slot(room, 120, 180)))
	a := x.occupying("ended", slot("room b", 0, 60), slot("room b", 1000*60, 1001*60))
	a.Messages = nil
	x.accept(a)
	n, err := x.s.Erase(x.Context(), x.address("ann@client.example"))
	x.ok(err)
	x.equal("erased", n, 2)
	x.taken(start, slot(room, 59, 61))
	x.taken(start, slot("room b", 0, 60))

	end := slot(room, 0, 60).End
	_, err = x.s.Sweep(x.Context(), end, end)
	x.ok(err)
	x.taken(start, slot(room, 59, 61))
	_, err = x.s.Sweep(x.Context(), end, end.Add(time.Microsecond))
	x.ok(err)
	x.free(start, slot(room, 0, 60))
	x.free(start, slot("room b", 0, 60))
	x.taken(start, slot(room, 120, 121))
	x.taken(start, slot("room b", 1000*60, 1001*60))

	// The same UID again is the same appointment.
	x.accept(x.occupying("one", slot(room, 150, 210)))
	x.free(start, slot(room, 120, 150))
	_, err = x.s.Sweep(x.Context(), end, start.AddDate(1, 0, 0))
	x.ok(err)
	x.free(start, slot(room, 0, 600), slot("room b", 0, 2000*60))
}
