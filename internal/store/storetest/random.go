package storetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// model is a run of random bookings and deliveries with what must hold.
type model struct {
	*suite
	random   *rand.Rand
	now      time.Time
	sequence map[string]int
	flying   map[string]store.Job // by event and recipient
	last     map[string]int       // SEQUENCE settled last, by event and recipient
}

// testRandom books, changes, cancels, delivers, gives back, loses and moves at
// random. What each chain hands out must be in order, one at a time, and the
// figures must agree with the list.
func testRandom(x *suite) {
	m := &model{
		suite: x, random: rand.New(rand.NewPCG(3, 4)), now: start,
		sequence: make(map[string]int), flying: make(map[string]store.Job), last: make(map[string]int),
	}
	for step := range 400 {
		m.now = m.now.Add(time.Duration(m.random.IntN(20)) * time.Second)
		switch m.random.IntN(5) {
		case 0, 1:
			m.book()
		case 2, 3:
			m.claim()
		default:
			m.settleOne()
		}
		if step%40 == 0 {
			m.compare()
		}
	}
	m.drain()
	m.compare()
}

func (m *model) book() {
	m.Helper()
	uid := fmt.Sprint("event", m.random.IntN(6))
	sequence, known := m.sequence[uid]
	if known {
		sequence++
	}
	e := m.event(uid, sequence)
	if known && m.random.IntN(4) == 0 {
		e.Status = booking.Cancelled
	}
	a := m.acceptance(e, "ann@client.example", "hal@site.example")
	a.Now, a.Supersede = m.now, m.random.IntN(3) > 0
	for i := range a.Messages {
		a.Messages[i].Due = m.now.Add(time.Duration(m.random.IntN(30)) * time.Second)
	}
	m.accept(a)
	m.sequence[uid] = sequence
}

func (m *model) claim() {
	m.Helper()
	hold := time.Duration(30+m.random.IntN(60)) * time.Second
	jobs, err := m.s.Claim(m.Context(), mailer, m.now, 1+m.random.IntN(4), hold)
	m.ok(err)
	for _, j := range jobs {
		chain := j.UID + " " + j.To.String()
		if other, ok := m.flying[chain]; ok && other.Lease.Until.After(m.now) {
			m.Fatalf("%s: message %s handed out while %s is in flight", chain, j.ID, other.ID)
		}
		if last, ok := m.last[chain]; ok && j.Sequence <= last {
			m.Fatalf("%s: SEQUENCE %d after %d", chain, j.Sequence, last)
		}
		if j.Due.After(m.now) {
			m.Fatalf("message %s is due in %s", j.ID, j.Due.Sub(m.now))
		}
		m.flying[chain] = j
	}
}

func (m *model) settleOne() {
	m.Helper()
	chains := slices.Sorted(maps.Keys(m.flying))
	if len(chains) == 0 {
		return
	}
	chain := chains[m.random.IntN(len(chains))]
	j := m.flying[chain]
	delete(m.flying, chain)
	states := []store.State{store.Sent, store.Failed, store.Deferred, store.Queued}
	state := states[m.random.IntN(len(states))]
	m.ok(m.s.Settle(m.Context(), store.Outcome{
		Lease: j.Lease, State: state, Now: m.now, Due: m.now.Add(10 * time.Second), Attempted: m.random.IntN(2) == 0,
	}))
	if state.Terminal() {
		m.last[chain] = j.Sequence
	}
}

// drain delivers what is left.
func (m *model) drain() {
	m.Helper()
	m.now = m.now.Add(time.Hour)
	clear(m.flying)
	for {
		m.claim()
		if len(m.flying) == 0 {
			break
		}
		for chain, j := range m.flying {
			m.ok(m.s.Settle(m.Context(), store.Outcome{Lease: j.Lease, State: store.Sent, Now: m.now}))
			m.last[chain] = j.Sequence
		}
		clear(m.flying)
	}
	m.equal("next due after the drain", m.nextDue(mailer).IsZero(), true)
}

// compare counts by List what Stats says.
func (m *model) compare() {
	m.Helper()
	var want store.MailerStats
	all, err := m.s.List(m.Context(), store.Filter{})
	m.ok(err)
	for _, message := range all {
		switch message.State {
		case store.Queued:
			want.Queued++
		case store.Deferred:
			want.Deferred++
		case store.Failed:
			want.Failed++
		}
		if !message.State.Terminal() && (want.Oldest.IsZero() || message.Accepted.Before(want.Oldest)) {
			want.Oldest = message.Accepted
		}
	}
	stats, err := m.s.Stats(m.Context())
	m.ok(err)
	got := stats.Mailers[mailer]
	m.equal("oldest", got.Oldest.Equal(want.Oldest), true)
	got.Oldest, want.Oldest = time.Time{}, time.Time{}
	m.equal("figures", got, want)
	m.equal("events", stats.Events, len(m.sequence))
}
