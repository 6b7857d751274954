package storetest

import (
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// update accepts a change that supersedes.
func (x *suite) update(uid string, sequence int, to ...string) store.Receipt {
	x.Helper()
	a := x.acceptance(x.event(uid, sequence), to...)
	a.Supersede = true
	return x.accept(a)
}

// cancel accepts a cancellation that supersedes.
func (x *suite) cancel(uid string, sequence int, to ...string) store.Receipt {
	x.Helper()
	e := x.event(uid, sequence)
	e.Status = booking.Cancelled
	a := x.acceptance(e, to...)
	a.Supersede = true
	return x.accept(a)
}

func testSupersede(x *suite) {
	x.update("one", 0, "ann@client.example")
	r := x.update("one", 1, "ANN@client.example")
	x.equal("queued", r.Queued, 1)
	x.equal("superseded", r.Superseded, 1)
	x.equal("states", x.states("one"), "superseded queued")
	j := x.claimOne(start)
	x.equal("sequence", j.Sequence, 1)
	x.settle(j, store.Sent, start)
	x.claimNone(start.Add(time.Hour))

	// Without Supersede nothing is replaced, and other events never are.
	x.accept(x.acceptance(x.event("two", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("two", 1), "ann@client.example"))
	x.update("three", 0, "ann@client.example")
	x.equal("states", x.states("two"), "queued queued")
	x.equal("both are replaced", x.update("two", 2, "ann@client.example").Superseded, 2)

	// Messages of one acceptance do not replace each other.
	x.update("four", 0, "ann@client.example", "ann@client.example")
	x.equal("states", x.states("four"), "queued queued")
}

func testSupersedeClaimed(x *suite) {
	x.update("one", 0, "ann@client.example")
	j := x.claimOne(start)
	x.equal("superseded in flight", x.update("one", 1, "ann@client.example").Superseded, 0)
	x.claimNone(start)
	x.settle(j, store.Deferred, start)
	x.claimNone(start)
	j = x.claimOne(start.Add(time.Minute))
	x.equal("order", j.Sequence, 0)

	// The lease runs out: nobody knows how far the delivery came. Only the
	// message behind it, which was never claimed, can be replaced.
	late := x.acceptance(x.event("one", 2), "ann@client.example")
	late.Supersede, late.Now = true, start.Add(24*time.Hour)
	x.equal("superseded after the lease ran out", x.accept(late).Superseded, 1)
	x.equal("states", x.states("one"), "deferred superseded queued")
}

func testSupersedeAttempted(x *suite) {
	x.update("one", 0, "ann@client.example")
	j := x.claimOne(start)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Deferred, Now: start, Due: start, Attempted: true}))
	x.equal("superseded after DATA", x.update("one", 1, "ann@client.example").Superseded, 0)
	x.equal("states", x.states("one"), "deferred queued")
	j = x.claimOne(start)
	x.equal("order", j.Sequence, 0)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Queued, Now: start, Due: start}))
	x.equal("still attempted after giving back", x.messages("one")[0].Attempted, true)

	// Refused before DATA: the recipient cannot have seen it.
	x.update("two", 0, "hal@site.example")
	jobs := x.claim(start, 10)
	for _, j := range jobs {
		x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Deferred, Now: start, Due: start}))
	}
	x.equal("superseded before DATA", x.update("two", 1, "hal@site.example").Superseded, 1)
}

func testSupersedeCancel(x *suite) {
	const to = "ann@client.example"
	// The invitation was never attempted: nothing is sent.
	x.update("never", 0, to)
	r := x.cancel("never", 1, to)
	x.equal("queued", r.Queued, 0)
	x.equal("superseded", r.Superseded, 1)
	x.equal("states", x.states("never"), "superseded")
	e, _, err := x.s.Event(x.Context(), "never")
	x.ok(err)
	x.equal("status", e.Status, booking.Cancelled)
	x.claimNone(start)

	// Nor after updates which were not attempted either.
	x.update("updated", 0, to)
	x.update("updated", 1, to)
	x.equal("queued", x.cancel("updated", 2, to).Queued, 0)

	// It was sent: the recipient must hear of the end, and not of updates.
	x.update("sent", 0, to)
	x.settle(x.claimOne(start), store.Sent, start)
	x.update("sent", 1, to)
	r = x.cancel("sent", 2, to)
	x.equal("queued", r.Queued, 1)
	x.equal("superseded", r.Superseded, 1)
	j := x.claimOne(start)
	x.equal("method", j.Method, "CANCEL")
	x.settle(j, store.Sent, start)

	// It is in flight: both are sent, in order.
	x.update("flying", 0, to)
	j = x.claimOne(start)
	x.equal("queued", x.cancel("flying", 1, to).Queued, 1)
	x.claimNone(start)
	x.settle(j, store.Sent, start)
	j = x.claimOne(start)
	x.equal("method", j.Method, "CANCEL")
	x.settle(j, store.Sent, start)

	// Without Supersede, or without any invitation, it is not for us to judge.
	x.accept(x.acceptance(x.event("plain", 0), to))
	e = x.event("plain", 1)
	e.Status = booking.Cancelled
	x.equal("queued", x.accept(x.acceptance(e, to)).Queued, 1)
	x.accept(x.acceptance(x.event("silent", 0)))
	x.equal("queued", x.cancel("silent", 1, to).Queued, 1)
}

func testSupersedeEach(x *suite) {
	all := []string{"ann@client.example", "bob@guest.example", "hal@site.example"}
	x.update("one", 0, all...)
	x.settle(x.claim(start, 1)[0], store.Sent, start) // Ann's
	j := x.claim(start, 1)[0]                         // Bob's
	r := x.cancel("one", 1, all...)
	x.equal("queued", r.Queued, 2)
	x.equal("superseded", r.Superseded, 1)
	x.equal("states", x.states("one"), "sent queued superseded queued queued")
	x.settle(j, store.Failed, start)
	for _, j := range x.claim(start, 10) {
		x.equal("method", j.Method, "CANCEL")
		if j.To.String() == "hal@site.example" {
			x.Fatal("a CANCEL to somebody who never heard of the event")
		}
	}
}

// testSupersedeRace claims and supersedes the same messages at once. A
// message that was claimed must never turn out to be superseded.
func testSupersedeRace(x *suite) {
	const events = 60
	first, second := make([]*store.Acceptance, events), make([]*store.Acceptance, events)
	for i := range events {
		uid := fmt.Sprint("e", i)
		first[i] = x.acceptance(x.event(uid, 0), "ann@client.example")
		second[i] = x.acceptance(x.event(uid, 1), "ann@client.example")
		second[i].Supersede = true
		x.accept(first[i])
	}
	claimed := make(chan store.Job, 2*events)
	x.together(events+4, func(i int) {
		if i < events {
			if _, err := x.s.Accept(x.Context(), second[i]); err != nil {
				x.Error(err)
			}
			return
		}
		for range events {
			jobs, err := x.s.Claim(x.Context(), mailer, start, 1, time.Hour)
			if err != nil {
				x.Error(err)
			}
			for _, j := range jobs {
				claimed <- j
			}
		}
	})
	close(claimed)
	for j := range claimed {
		for _, m := range x.messages(j.UID) {
			if m.ID == j.ID && m.State == store.Superseded {
				x.Fatalf("message %s was claimed and superseded", j.ID)
			}
		}
		if len(j.Raw) == 0 {
			x.Fatalf("message %s was claimed without its body", j.ID)
		}
	}
}
