package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func testClaimOrder(x *suite) {
	offsets := []int{3, 1, 4, 0, 9, 2}
	for i, minutes := range offsets {
		a := x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example")
		a.Messages[0].Due = start.Add(time.Duration(minutes) * time.Minute)
		x.accept(a)
	}
	other := x.acceptance(x.event("other", 0), "ann@client.example")
	other.Messages[0].Mailer = mailer + "x" // must not be taken for ours
	x.accept(other)

	x.claimNone(start.Add(-time.Microsecond))
	x.equal("claimed with max 0", len(x.claim(start.Add(time.Hour), 0)), 0)
	jobs := x.claim(start.Add(4*time.Minute), 2)
	jobs = append(jobs, x.claim(start.Add(4*time.Minute), 10)...)
	x.equal("claimed", len(jobs), 5)
	for i, j := range jobs {
		x.equal("due", j.Due.Sub(start), time.Duration(i)*time.Minute)
		x.equal("lease", j.Lease.MessageID, j.ID)
		x.equal("until", j.Lease.Until.Equal(start.Add(5*time.Minute)), true)
		x.equal("body", string(j.Raw), "Message-ID: <"+j.ID+">\r\n\r\nfor ann@client.example\r\n")
	}
	foreign, err := x.s.Claim(x.Context(), mailer+"x", start, 10, time.Minute)
	x.ok(err)
	x.equal("claimed of the other mailer", len(foreign), 1)
	none, err := x.s.Claim(x.Context(), "", start, 10, time.Minute)
	x.ok(err)
	x.equal("claimed of no mailer", len(none), 0)
}

// testClaimRace lets many workers and bookers at one mailer: every message is
// handed out once.
func testClaimRace(x *suite) {
	const events, workers = 120, 8
	var mu sync.Mutex
	seen := make(map[string]int)
	var all []*store.Acceptance
	for i := range events {
		all = append(all, x.acceptance(x.event(fmt.Sprint("e", i), 0), "ann@client.example", "hal@site.example"))
	}
	x.together(workers+4, func(i int) {
		if i >= workers {
			for n := i - workers; n < events; n += 4 {
				if _, err := x.s.Accept(x.Context(), all[n]); err != nil {
					x.Error(err)
				}
			}
			return
		}
		for {
			jobs, err := x.s.Claim(x.Context(), mailer, start, 3, time.Minute)
			if err != nil {
				x.Error(err)
				return
			}
			mu.Lock()
			for _, j := range jobs {
				seen[j.ID]++
			}
			finished := len(seen) >= 2*events
			mu.Unlock()
			for _, j := range jobs {
				err := x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Sent, Now: start})
				if err != nil {
					x.Error(err)
				}
			}
			if finished || x.Failed() {
				return
			}
			if len(jobs) == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})
	for id, n := range seen {
		if n != 1 {
			x.Errorf("message %s was handed out %d times", id, n)
		}
	}
}

func testOneInFlight(x *suite) {
	for sequence := range 3 {
		x.accept(x.acceptance(x.event("one", sequence), "ann@client.example"))
	}
	first := x.claimOne(start)
	x.equal("sequence", first.Sequence, 0)
	x.settle(first, store.Deferred, start)
	x.claimNone(start.Add(time.Second)) // the deferred one blocks the newer ones
	retry := x.claimOne(start.Add(time.Minute))
	x.equal("retried", retry.ID, first.ID)
	x.settle(retry, store.Failed, start.Add(time.Minute))
	second := x.claimOne(start.Add(time.Minute))
	x.equal("sequence", second.Sequence, 1)
	x.settle(second, store.Sent, start.Add(time.Minute))
	third := x.claimOne(start.Add(time.Minute))
	x.equal("sequence", third.Sequence, 2)
	x.settle(third, store.Sent, start.Add(time.Minute))
	x.claimNone(start.Add(time.Hour))

	// Other recipients and other events do not wait, and case is no difference.
	x.accept(x.acceptance(x.event("two", 0), "ann@client.example", "hal@site.example"))
	x.accept(x.acceptance(x.event("three", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("three", 1), "ANN@client.example"))
	x.equal("claimed of three chains", len(x.claim(start.Add(time.Hour), 10)), 3)
}

// testLateOlder stores a message with a lower SEQUENCE after a higher one.
func testLateOlder(x *suite) {
	a := x.acceptance(x.event("one", 0), "ann@client.example")
	a.Messages[0].Sequence = 5
	x.accept(a)
	b := x.acceptance(x.event("one", 1), "ann@client.example")
	x.accept(b)
	j := x.claimOne(start)
	x.equal("the lower SEQUENCE goes first", j.Sequence, 1)

	c := x.acceptance(x.event("one", 2), "ann@client.example")
	c.Messages[0].Sequence = 0
	x.accept(c)
	x.claimNone(start) // one is in flight already
	x.settle(j, store.Deferred, start)
	j = x.claimOne(start.Add(time.Hour))
	x.equal("then the lowest", j.Sequence, 0)
}

func testLease(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example"))
	first := x.claimOne(start)
	x.claimNone(start.Add(time.Minute - time.Microsecond))
	second := x.claimOne(start.Add(time.Minute))
	if first.Lease.Token == second.Lease.Token {
		x.Fatal("two leases with one token")
	}
	late := store.Outcome{Lease: first.Lease, State: store.Sent, Now: start}
	before := x.dump()
	x.is(x.s.Settle(x.Context(), late), store.ErrLeaseLost)
	_, err := x.s.Extend(x.Context(), first.Lease, start.Add(time.Hour))
	x.is(err, store.ErrLeaseLost)
	x.equal("store after a late settle", x.dump(), before)
	x.settle(second, store.Sent, start)
	x.is(x.s.Settle(x.Context(), store.Outcome{Lease: second.Lease, State: store.Failed, Now: start}), store.ErrLeaseLost)
	x.is(x.s.Settle(x.Context(), store.Outcome{Lease: store.Lease{MessageID: "unknown"}, State: store.Failed, Now: start}), store.ErrLeaseLost)
	x.equal("state", x.states("one"), "sent")
}

func testExtend(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example"))
	j := x.claimOne(start)
	l, err := x.s.Extend(x.Context(), j.Lease, start.Add(time.Hour))
	x.ok(err)
	x.equal("until", l.Until.Equal(start.Add(time.Hour)), true)
	x.claimNone(start.Add(time.Hour - time.Microsecond))
	_, err = x.s.Extend(x.Context(), store.Lease{MessageID: j.ID, Token: j.Lease.Token + 1}, start)
	x.is(err, store.ErrLeaseLost)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: l, State: store.Sent, Now: start}))
	_, err = x.s.Extend(x.Context(), l, start.Add(time.Hour))
	x.is(err, store.ErrLeaseLost)
}

func testSettle(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("two", 0), "ann@client.example"))
	x.accept(x.acceptance(x.event("three", 0), "ann@client.example"))
	jobs := x.claim(start, 10)
	at := start.Add(time.Minute)
	x.ok(x.s.Settle(x.Context()))
	if err := x.s.Settle(x.Context(), store.Outcome{Lease: jobs[0].Lease, State: store.Superseded}); err == nil {
		x.Fatal("no error for a state that is no outcome")
	}
	lost := store.Lease{MessageID: jobs[0].ID, Token: jobs[0].Lease.Token + 100}
	err := x.s.Settle(x.Context(),
		store.Outcome{Lease: lost, State: store.Failed, Now: at},
		store.Outcome{Lease: jobs[0].Lease, State: store.Sent, Now: at, Code: 250},
		store.Outcome{Lease: jobs[1].Lease, State: store.Deferred, Now: at, Due: at.Add(time.Hour), Code: 451, Error: "greylisted ✗"},
		store.Outcome{Lease: jobs[2].Lease, State: store.Failed, Now: at, Attempted: true, Code: 550, Error: "refused"},
	)
	x.is(err, store.ErrLeaseLost)
	sent, deferred, failed := x.messages("one")[0], x.messages("two")[0], x.messages("three")[0]
	x.equal("sent", sent.State, store.Sent)
	x.equal("sent: attempts", sent.Attempts, 1)
	x.equal("sent: attempted", sent.Attempted, true)
	x.equal("sent: settled", sent.Settled.Equal(at), true)
	x.equal("sent: code", sent.Code, 250)
	x.equal("deferred", deferred.State, store.Deferred)
	x.equal("deferred: due", deferred.Due.Equal(at.Add(time.Hour)), true)
	x.equal("deferred: error", deferred.Error, "greylisted ✗")
	x.equal("deferred: attempted", deferred.Attempted, false)
	x.equal("deferred: settled", deferred.Settled.IsZero(), true)
	x.equal("failed", failed.State, store.Failed)
	x.equal("failed: attempted", failed.Attempted, true)
	x.equal("failed: code", failed.Code, 550)
	x.claimNone(at)
	retry := x.claimOne(at.Add(time.Hour))
	x.equal("attempts", retry.Attempts, 1)
	x.equal("body of the retry", string(retry.Raw), string(jobs[1].Raw))
}

func testGiveBack(x *suite) {
	x.accept(x.acceptance(x.event("one", 0), "ann@client.example"))
	before := x.dump()
	j := x.claimOne(start)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Queued, Now: start, Due: j.Due}))
	x.equal("store after giving back", x.dump(), before)
	j = x.claimOne(start)
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Queued, Now: start, Due: start.Add(time.Hour)}))
	x.claimNone(start)
	j = x.claimOne(start.Add(time.Hour))
	x.equal("attempts", j.Attempts, 0)
	x.settle(j, store.Deferred, start.Add(time.Hour))
	j = x.claimOne(start.Add(2 * time.Hour))
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: store.Queued, Now: start, Due: j.Due}))
	x.equal("a deferred one given back", x.states("one"), "deferred")
	x.equal("its attempts", x.messages("one")[0].Attempts, 1)
}
