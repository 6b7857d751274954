package storetest

import (
	"context"
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func (x *suite) nextDue(of string) time.Time {
	x.Helper()
	due, err := x.s.NextDue(x.Context(), of)
	x.ok(err)
	return due
}

func testNextDue(x *suite) {
	x.equal("of nothing", x.nextDue(mailer).IsZero(), true)
	a := x.acceptance(x.event("one", 0), "ann@client.example", "hal@site.example")
	a.Messages[0].Due, a.Messages[1].Due = start.Add(time.Hour), start.Add(2*time.Hour)
	x.accept(a)
	x.equal("first", x.nextDue(mailer).Equal(start.Add(time.Hour)), true)
	x.equal("of another mailer", x.nextDue("other").IsZero(), true)

	// A newer one that is due waits for the older one that is not.
	x.accept(x.acceptance(x.event("one", 1), "ann@client.example"))
	x.equal("blocked ones do not count", x.nextDue(mailer).Equal(start.Add(time.Hour)), true)

	j, err := x.s.Claim(x.Context(), mailer, start.Add(time.Hour), 1, 3*time.Hour)
	x.ok(err)
	x.equal("the leased one does not count", x.nextDue(mailer).Equal(start.Add(2*time.Hour)), true)
	_, err = x.s.Claim(x.Context(), mailer, start.Add(2*time.Hour), 1, 3*time.Hour)
	x.ok(err)
	x.equal("end of the first lease", x.nextDue(mailer).Equal(start.Add(4*time.Hour)), true)
	x.settle(j[0], store.Sent, start)
	x.equal("the newer one's turn", x.nextDue(mailer).Equal(start), true)
}

// testChanged makes sure that everything that can make a message due wakes.
func testChanged(x *suite) {
	wakes := func(what string, f func()) {
		x.Helper()
		changed := x.s.Changed()
		select {
		case <-changed:
			x.Fatalf("%s: the channel was closed before", what)
		default:
		}
		f()
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			x.Fatalf("%s: nobody was woken", what)
		}
	}
	wakes("accept", func() { x.accept(x.acceptance(x.event("one", 0), "ann@client.example")) })
	j := x.claimOne(start)
	wakes("defer", func() { x.settle(j, store.Deferred, start) })
	j = x.claimOne(start.Add(time.Hour))
	wakes("give back", func() { x.settle(j, store.Queued, start.Add(time.Hour)) })
	wakes("move", func() {
		_, err := x.s.Move(x.Context(), mailer, "other")
		x.ok(err)
	})
}

func testLookup(x *suite) {
	_, _, err := x.s.Event(x.Context(), "unknown")
	x.is(err, store.ErrNotFound)
	_, _, err = x.s.Event(x.Context(), "")
	x.is(err, store.ErrNotFound)
	a := x.acceptance(x.event("one", 0), "hal@site.example", "ann@client.example")
	a.Messages[0].ID, a.Messages[1].ID = a.Messages[1].ID, a.Messages[0].ID
	x.accept(a)
	b := x.acceptance(x.event("one", 1), "ann@client.example")
	b.Messages[0].ID = "00000000-0000-7000-8000-000000000000"
	x.accept(b)
	x.accept(x.acceptance(x.event("one!", 0), "ann@client.example"))
	got := x.messages("one")
	want := []string{a.Messages[0].ID, a.Messages[1].ID, b.Messages[0].ID}
	x.equal("messages", len(got), len(want))
	for i := range want {
		x.equal("order of acceptance", got[i].ID, want[i])
	}
}

func testList(x *suite) {
	const events = 25
	for i := range events {
		x.accept(x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example", "hal@site.example"))
	}
	moved := x.acceptance(x.event("other", 0), "ann@client.example")
	moved.Messages[0].Mailer = "other"
	x.accept(moved)
	for _, j := range x.claim(start, 10) {
		x.settle(j, store.Failed, start)
	}
	count := func(f store.Filter) (n int) {
		x.Helper()
		for {
			page, err := x.s.List(x.Context(), f)
			x.ok(err)
			for _, m := range page {
				if m.ID <= f.After {
					x.Fatalf("%s comes after %s", m.ID, f.After)
				}
				f.After = m.ID
			}
			if n += len(page); len(page) == 0 {
				return n
			}
			if f.Limit > 0 && len(page) > f.Limit {
				x.Fatalf("page of %d, limit is %d", len(page), f.Limit)
			}
		}
	}
	x.equal("all", count(store.Filter{}), 2*events+1)
	x.equal("all, by 7", count(store.Filter{Limit: 7}), 2*events+1)
	x.equal("failed", count(store.Filter{State: store.Failed, Limit: 3}), 10)
	x.equal("queued here", count(store.Filter{State: store.Queued, Mailer: mailer, Limit: 4}), 2*events-10)
	x.equal("of the other mailer", count(store.Filter{Mailer: "other"}), 1)
	x.equal("of one event", count(store.Filter{UID: "e3", Limit: 1}), 2)
	x.equal("of one event, failed", count(store.Filter{UID: "e20", State: store.Failed}), 0)
	x.equal("of none", count(store.Filter{UID: "none"}), 0)
}

func testClosed(x *suite) {
	a := x.acceptance(x.event("one", 0), "ann@client.example")
	x.accept(a)
	x.ok(x.s.Close())
	x.calls(x.Context(), a, store.ErrClosed)
}

func testCancelledContext(x *suite) {
	a := x.acceptance(x.event("one", 0), "ann@client.example")
	x.accept(a)
	before := x.dump()
	ctx, cancel := context.WithCancel(x.Context())
	cancel()
	x.calls(ctx, x.acceptance(x.event("two", 0), "ann@client.example"), context.Canceled)
	x.equal("store afterwards", x.dump(), before)
}

// calls calls every method and expects one error.
func (x *suite) calls(ctx context.Context, a *store.Acceptance, want error) {
	x.Helper()
	_, err := x.s.Accept(ctx, a)
	x.is(err, want)
	_, err = x.s.Claim(ctx, mailer, start, 1, time.Minute)
	x.is(err, want)
	_, err = x.s.Extend(ctx, store.Lease{}, start)
	x.is(err, want)
	x.is(x.s.Settle(ctx, store.Outcome{State: store.Sent}), want)
	_, err = x.s.NextDue(ctx, mailer)
	x.is(err, want)
	_, _, err = x.s.Event(ctx, a.Event.UID)
	x.is(err, want)
	_, _, err = x.s.EventByID(ctx, "s", "i")
	x.is(err, want)
	_, _, err = x.s.Reply(ctx, "k", start)
	x.is(err, want)
	_, err = x.s.List(ctx, store.Filter{})
	x.is(err, want)
	_, err = x.s.Move(ctx, mailer, "other")
	x.is(err, want)
	_, err = x.s.Erase(ctx, x.address("ann@client.example"))
	x.is(err, want)
	_, err = x.s.Sweep(ctx, start, start)
	x.is(err, want)
	_, err = x.s.Stats(ctx)
	x.is(err, want)
}
