package storetest

import (
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func testMove(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example", "hal@site.example"))
	x.accept(x.acceptance(x.event("one", 1), "ann@client.example")) // blocked
	x.accept(x.acceptance(x.event("two", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("done", 0), "ann@client.example"))
	for _, j := range x.claim(start, 10) {
		switch {
		case j.UID == "done":
			x.settle(j, store.Sent, start)
		case j.UID == "two":
			x.settle(j, store.Deferred, start)
		case j.Role == booking.RoleClient:
			x.settle(j, store.Queued, start.Add(-time.Minute))
		}
	}
	for range 300 { // more than one step
		x.accept(x.acceptance(x.event("more"+x.nextID(), 0), "ann@client.example"))
	}
	n, err := x.s.Move(x.Context(), mailer, "new")
	x.ok(err)
	x.equal("moved", n, 304)
	x.claimNone(start.Add(time.Hour))
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("queued", stats.Mailers["new"].Queued, 303)
	x.equal("deferred", stats.Mailers["new"].Deferred, 1)
	x.equal("left", stats.Mailers[mailer].Queued, 0)
	later := start.Add(2 * time.Hour) // the lease to Hal has run out
	jobs, err := x.s.Claim(x.Context(), "new", later, 1000, time.Minute)
	x.ok(err)
	x.equal("claimed of the new mailer", len(jobs), 303)
	for _, j := range jobs {
		x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Sent, Now: later}))
	}
	jobs, err = x.s.Claim(x.Context(), "new", later, 1000, time.Minute)
	x.ok(err)
	x.equal("the blocked one", len(jobs), 1)
	n, err = x.s.Move(x.Context(), "unknown", "new")
	x.ok(err)
	x.equal("moved of nothing", n, 0)
}

// gone makes sure that nothing of an event can be found.
func (x *suite) gone(uid, id, key string) {
	x.Helper()
	_, _, err := x.s.Event(x.Context(), uid)
	x.is(err, store.ErrNotFound)
	_, _, err = x.s.EventByID(x.Context(), "consult", id)
	x.is(err, store.ErrNotFound)
	_, _, err = x.s.Reply(x.Context(), key, start)
	x.is(err, store.ErrNotFound)
	all, err := x.s.List(x.Context(), store.Filter{UID: uid})
	x.ok(err)
	x.equal("messages left", len(all), 0)
}

func (x *suite) withKey(a *store.Acceptance, id string) *store.Acceptance {
	a.ID = id
	a.Key = &store.Key{Key: "key-" + id, Expires: start.Add(time.Hour), Reply: []byte(a.Event.UID)}
	return a
}

func testErase(x *suite) {
	x.accept(x.withKey(x.acceptance(x.event("client", 0), "ann@client.example", "hal@site.example"), "c"))
	guest := x.event("guest", 0)
	guest.Client.Address = x.address("zoe@client.example")
	guest.Guests = []booking.Person{{Address: x.address("Ann@CLIENT.example"), Name: "Ann"}}
	x.accept(x.withKey(x.acceptance(guest, "zoe@client.example", "Ann@client.example"), "g"))
	host := x.event("host", 0)
	host.Client.Address, host.Host.Address = x.address("zoe@client.example"), x.address("ann@client.example")
	x.accept(x.withKey(x.acceptance(host, "zoe@client.example", "ann@client.example"), "h"))
	x.settle(x.claim(start, 1)[0], store.Failed, start)

	n, err := x.s.Erase(x.Context(), x.address("aNN@client.EXAMPLE"))
	x.ok(err)
	x.equal("erased", n, 2)
	x.gone("client", "c", "key-c")
	x.gone("guest", "g", "key-g")
	x.equal("messages of the host's own event", len(x.messages("host")), 2)
	n, err = x.s.Erase(x.Context(), x.address("ann@client.example"))
	x.ok(err)
	x.equal("erased again", n, 0)
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events", stats.Events, 1)
	x.equal("queued", stats.Mailers[mailer].Queued, 2)
	x.equal("failed", stats.Mailers[mailer].Failed, 0)
	x.accept(x.withKey(x.acceptance(x.event("client", 0), "ann@client.example"), "c"))
}

func testEraseInFlight(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example"))
	j := x.claimOne(start)
	_, err := x.s.Erase(x.Context(), x.address("ann@client.example"))
	x.ok(err)
	x.is(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Deferred, Now: start, Due: start}), store.ErrLeaseLost)
	x.claimNone(start.Add(time.Hour))
	x.equal("next due", x.nextDue(mailer).IsZero(), true)
}

// testEraseFormerGuest erases a guest who was taken off the event again.
func testEraseFormerGuest(x *suite) {
	e := x.event("one", 0)
	e.Guests = []booking.Person{{Address: x.address("bob@guest.example")}}
	x.accept(x.acceptance(e, "ann@client.example", "bob@guest.example"))
	x.accept(x.acceptance(x.event("one", 1), "ann@client.example"))
	n, err := x.s.Erase(x.Context(), x.address("bob@guest.example"))
	x.ok(err)
	x.equal("erased", n, 1)
	x.gone("one", "", "")
}

func testSweep(x *suite) {
	for i := range 300 {
		x.accept(x.withKey(x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example"), fmt.Sprint("id", i)))
	}
	for _, j := range x.claim(start, 299) {
		state := store.Sent
		if j.UID == "e7" {
			state = store.Failed
		}
		x.settle(j, state, start)
	}
	future := x.event("future", 0)
	future.End = start.Add(48 * time.Hour)
	x.accept(x.acceptance(future))
	end := start.Add(25 * time.Hour)
	n, err := x.s.Sweep(x.Context(), start, end)
	x.ok(err)
	x.equal("swept at the very end", n, 0)
	n, err = x.s.Sweep(x.Context(), start, end.Add(time.Microsecond))
	x.ok(err)
	x.equal("swept", n, 299)
	x.gone("e7", "id7", "key-id7")
	x.equal("the unsettled one is kept", x.states("e299"), "queued")
	j := x.claimOne(start)
	n, err = x.s.Sweep(x.Context(), start, end.Add(time.Second))
	x.ok(err)
	x.equal("swept in flight", n, 0)
	x.settle(j, store.Sent, start)
	n, err = x.s.Sweep(x.Context(), start, end.Add(time.Second))
	x.ok(err)
	x.equal("swept once it was settled", n, 1)
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events", stats.Events, 1)
	x.equal("mailers", len(stats.Mailers), 0)
}

// testSweepUnwanted is about messages whose mailer is gone.
func testSweepUnwanted(x *suite) {
	a := x.acceptance(x.event("gone", 0), "ann@client.example")
	a.Messages[0].Mailer = "gone"
	a.Messages[0].Expires = start.Add(25 * time.Hour)
	x.accept(a)
	n, err := x.s.Sweep(x.Context(), start.Add(26*time.Hour), start.Add(25*time.Hour))
	x.ok(err)
	x.equal("swept while it was wanted", n, 0)
	n, err = x.s.Sweep(x.Context(), start.Add(26*time.Hour), start.Add(25*time.Hour+time.Second))
	x.ok(err)
	x.equal("swept when its time was over", n, 1)
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("events and mailers", stats.Events+len(stats.Mailers), 0)
}

func testSweepExpired(x *suite) {
	l := store.Limit{Name: "l", Counter: "c", Max: 1, Window: time.Hour}
	a := x.withKey(x.acceptance(x.event("one", 0)), "1")
	a.Limits = []store.Limit{l}
	x.accept(a)
	_, err := x.s.Sweep(x.Context(), start.Add(59*time.Minute), start)
	x.ok(err)
	_, _, err = x.s.Reply(x.Context(), "key-1", start)
	x.ok(err)
	_ = x.limited(x.try(start.Add(59*time.Minute), l)) // it must still count
	_, err = x.s.Sweep(x.Context(), start.Add(2*time.Hour), start)
	x.ok(err)
	_, _, err = x.s.Reply(x.Context(), "key-1", start) // the clock goes back: it is gone
	x.is(err, store.ErrNotFound)
	x.ok(x.try(start.Add(2*time.Hour), l))
	_, _, err = x.s.Event(x.Context(), "one")
	x.ok(err)
}

func testStats(x *suite) {
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	x.equal("mailers of an empty store", len(stats.Mailers), 0)
	for i := range 4 {
		a := x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example")
		a.Now = start.Add(time.Duration(10-i) * time.Minute)
		x.accept(a)
	}
	gone := x.acceptance(x.event("gone", 0), "ann@client.example")
	gone.Messages[0].Mailer = "gone"
	x.accept(gone)
	expect := func(what string, want store.MailerStats) {
		x.Helper()
		stats, err := x.s.Stats(x.Context())
		x.ok(err)
		got := stats.Mailers[mailer]
		x.equal(what+": oldest", got.Oldest.Equal(want.Oldest), true)
		got.Oldest, want.Oldest = time.Time{}, time.Time{}
		x.equal(what, got, want)
		x.equal("events", stats.Events, 5)
		x.equal("of the mailer that is gone", stats.Mailers["gone"].Queued, 1)
		if stats.Bytes <= 0 {
			x.Fatal("no size")
		}
	}
	expect("all queued", store.MailerStats{Queued: 4, Oldest: start.Add(7 * time.Minute)})
	jobs := x.claim(start, 4)
	expect("all leased", store.MailerStats{Queued: 4, Oldest: start.Add(7 * time.Minute)})
	for i, state := range []store.State{store.Sent, store.Failed, store.Deferred, store.Queued} {
		x.settle(jobs[i], state, start)
	}
	// Claimed in order of acceptance: e2 is deferred, e3 is queued.
	expect("settled", store.MailerStats{Queued: 1, Deferred: 1, Failed: 1, Oldest: start.Add(7 * time.Minute)})
}
