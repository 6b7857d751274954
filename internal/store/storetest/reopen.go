package storetest

import (
	"reflect"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// testReopen puts everything into a store and looks for all of it afterwards.
func testReopen(x *suite, reopen Reopen) {
	l := store.Limit{Name: "l", Counter: "c", Max: 1, Window: 24 * time.Hour}
	a := x.withKey(x.acceptance(x.event("one", 0), "ann@client.example", "hal@site.example"), "1")
	a.Limits = []store.Limit{l}
	x.accept(a)
	x.accept(x.acceptance(x.event("one", 1), "ann@client.example"))
	x.accept(x.acceptance(x.event("two", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("three", 0), "ann@client.example"))
	for _, j := range x.claim(start, 10) {
		state := map[string]store.State{"one": store.Deferred, "two": store.Sent, "three": store.Failed}[j.UID]
		x.settle(j, state, start)
	}
	before := x.dump()
	event, _, err := x.s.Event(x.Context(), "one")
	x.ok(err)

	x.s = reopen(x.T, x.s)
	x.equal("messages and figures", x.dump(), before)
	got, _, err := x.s.EventByID(x.Context(), "consult", "1")
	x.ok(err)
	x.equal("event", reflect.DeepEqual(got, event), true)
	_ = x.limited(x.try(start, l))
	_, reply, err := x.s.Reply(x.Context(), "key-1", start)
	x.ok(err)
	x.equal("reply", string(reply), "one")
	again := x.withKey(x.acceptance(x.event("four", 0)), "1")
	x.equal("replayed", x.accept(again).Replayed, true)
	x.claimNone(start)
	x.equal("next due", x.nextDue(mailer).Equal(start.Add(time.Minute)), true)
	jobs := x.claim(start.Add(time.Minute), 10)
	x.equal("claimed", len(jobs), 2)
	for _, j := range jobs {
		x.equal("sequence", j.Sequence, 0)
		x.equal("body", len(j.Raw) > 0, true)
		x.settle(j, store.Sent, start)
	}
	x.equal("the blocked one", x.claimOne(start).Sequence, 1)
	x.update("fresh", 0, "ann@client.example")
	x.s = reopen(x.T, x.s) // with a lease outstanding
	x.claim(start.Add(time.Hour), 10)
}

// testOutstanding closes a store while a message is leased. Its holder may
// have come to DATA, so it is due again but cannot be superseded. A message
// that was given back in order can.
func testOutstanding(x *suite, reopen Reopen) {
	x.update("given back", 0, "ann@client.example")
	j := x.claimOne(start)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Queued, Now: start, Due: start}))
	x.s = reopen(x.T, x.s)
	x.equal("superseded after a clean close", x.update("given back", 1, "ann@client.example").Superseded, 1)
	x.settle(x.claimOne(start), store.Sent, start)

	x.update("held", 0, "ann@client.example")
	lost := x.claimOne(start)
	x.s = reopen(x.T, x.s)
	x.equal("superseded although it may have been sent", x.update("held", 1, "ann@client.example").Superseded, 0)
	x.equal("states", x.states("held"), "queued queued")
	j = x.claimOne(start.Add(time.Hour))
	x.equal("order", j.Sequence, 0)
	x.is(x.s.Settle(x.Context(), store.Outcome{Lease: lost.Lease, State: store.Sent, Now: start}), store.ErrLeaseLost)
	x.settle(j, store.Sent, start)
}

// testReopenSlots looks for slots and holds afterwards.
func testReopenSlots(x *suite, reopen Reopen) {
	x.accept(x.occupying("firm", slot(room, 0, 60)))
	for i, uid := range []string{"held", "confirmed", "other"} {
		x.accept(x.holding(uid, slot("room b", 100*i, 100*i+60)))
	}
	x.accept(x.confirming(start, "confirmed", 1))
	x.accept(x.holding("third", slot("room b", 300, 360)))
	x.s = reopen(x.T, x.s)
	x.taken(start, slot(room, 59, 61))
	x.taken(start, slot("room b", 0, 60))
	x.free(slotsUntil, slot("room b", 0, 60))
	x.taken(slotsUntil, slot("room b", 100, 160))
	x.heldBack(start, slotsUntil, x.holding("more", slot(room, 600, 660)))
	x.refused(x.confirming(start, "confirmed", 2), store.ErrStale)
	x.accept(x.confirming(start, "held", 1))
	x.accept(x.moving("firm", 1, slot(room, 30, 90)))
	x.free(start, slot(room, 0, 30))
}
