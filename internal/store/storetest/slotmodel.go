package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// slotModel is what events occupy, told in the simplest way.
type slotModel struct {
	*suite
	random *rand.Rand
	now    time.Time
	events map[string]*slotEvent
	counts map[string]int // of outcomes
}

type slotEvent struct {
	sequence int
	slots    []store.Slot
	hold     *store.Hold // nil: firm
}

// testSlotRandom books, holds, confirms, moves, cancels and sweeps at random,
// and compares each answer with the model's.
func testSlotRandom(x *suite) {
	m := &slotModel{
		suite: x, random: rand.New(rand.NewPCG(5, 6)), now: start,
		events: make(map[string]*slotEvent), counts: make(map[string]int),
	}
	for step := range 800 {
		m.now = m.now.Add(time.Duration(m.random.IntN(20)) * time.Second)
		switch m.random.IntN(8) {
		case 0, 1, 2:
			m.new(fmt.Sprint("e", step))
		case 3:
			m.sweep()
		default:
			m.change()
		}
	}
	for _, outcome := range []string{"taken", "stale", "held", "new", "holding", "confirmed", "moved", "cancelled", "swept"} {
		if m.counts[outcome] < 5 {
			x.Errorf("only %d times %s: %v", m.counts[outcome], outcome, m.counts)
		}
	}
}

// some makes up slots. They may overlap each other.
func (m *slotModel) some() (all []store.Slot) {
	for range 1 + m.random.IntN(3) {
		from := 10 * m.random.IntN(300)
		all = append(all, slot([]string{"a", "b"}[m.random.IntN(2)], from, from+10+10*m.random.IntN(8)))
	}
	return all
}

func (m *slotModel) live(e *slotEvent) bool { return e.hold == nil || e.hold.SlotsUntil.After(m.now) }

// want is what the store has to answer about slots.
func (m *slotModel) want(uid string, slots []store.Slot) error {
	for other, e := range m.events {
		if other == uid || !m.live(e) {
			continue
		}
		for _, mine := range slots {
			for _, s := range e.slots {
				if s.Resource == mine.Resource && s.Start.Before(mine.End) && mine.Start.Before(s.End) {
					return store.ErrSlotTaken
				}
			}
		}
	}
	return nil
}

func (m *slotModel) new(uid string) {
	m.Helper()
	a := m.acceptance(m.event(uid, 0))
	a.Now, a.Slots = m.now, m.some()
	want := m.want(uid, a.Slots)
	if m.random.IntN(2) == 0 {
		until := m.now.Add(time.Duration(m.random.IntN(20)) * time.Minute)
		a.Hold = &store.Hold{Until: until.Add(30 * time.Minute), SlotsUntil: until, Counter: "c", Max: 2}
		held := 0
		for _, e := range m.events {
			if e.hold != nil && len(e.slots) > 0 && m.live(e) {
				held++
			}
		}
		if want == nil && held >= a.Hold.Max && until.After(m.now) {
			want = &store.LimitError{Name: store.LimitHeld}
		}
	}
	if m.agree(a, want) {
		m.events[uid] = &slotEvent{slots: a.Slots, hold: a.Hold}
		m.counts[map[bool]string{true: "holding", false: "new"}[a.Hold != nil]]++
	}
}

// agree says whether a was accepted, as it has to be.
func (m *slotModel) agree(a *store.Acceptance, want error) bool {
	m.Helper()
	_, err := m.s.Accept(m.Context(), a)
	limit, limited := errors.AsType[*store.LimitError](want)
	switch {
	case limited:
		m.equal("limit", m.limited(err).Name, limit.Name)
		m.counts["held"]++
	case !errors.Is(err, want):
		m.Fatalf("%s: got %v, want %v", a.Event.UID, err, want)
	case errors.Is(want, store.ErrSlotTaken):
		m.counts["taken"]++
	case want != nil:
		m.counts["stale"]++
	}
	return want == nil
}

// change confirms, moves or cancels an event.
func (m *slotModel) change() {
	m.Helper()
	uids := slices.Sorted(maps.Keys(m.events))
	if len(uids) == 0 {
		return
	}
	uid := uids[m.random.IntN(len(uids))]
	e := m.events[uid]
	a := m.acceptance(m.event(uid, e.sequence+1))
	a.Now = m.now
	after, what := slotEvent{e.sequence + 1, e.slots, e.hold}, "moved"
	if m.random.IntN(2) == 0 {
		a.Slots = m.some()
		after.slots = a.Slots
	}
	var want error
	switch m.random.IntN(3) {
	case 0:
		a.Event.Status = booking.Cancelled
		after.slots, what = nil, "cancelled"
	case 1:
		a.Confirm = true
		after.hold, what = nil, "confirmed"
		if want = m.want(uid, after.slots); e.hold == nil || !e.hold.Until.After(m.now) {
			want = store.ErrStale
		}
	default:
		want = m.want(uid, a.Slots)
	}
	if m.agree(a, want) {
		m.events[uid] = &after
		m.counts[what]++
	}
}

func (m *slotModel) sweep() {
	m.Helper()
	want := 0
	for uid, e := range m.events {
		if e.hold != nil && !e.hold.Until.After(m.now) {
			delete(m.events, uid)
			want++
		}
	}
	n, err := m.s.Sweep(m.Context(), m.now, start)
	m.ok(err)
	m.equal("swept", n, want)
	m.counts["swept"] += n
}
