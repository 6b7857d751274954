package bolt

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// withSlot gives an event a slot of its own.
func withSlot(a *store.Acceptance) *store.Acceptance {
	a.Slots = []store.Slot{{Resource: "of " + a.Event.UID, Start: a.Event.Start, End: a.Event.End}}
	return a
}

func takenBy(t testing.TB, s *Store, uid string) (all []span) {
	t.Helper()
	err := s.view(func(t *txn) (err error) {
		all, err = t.loadTaken(ownerOf(uid))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// checkIndexes makes sure that the buckets about slots and holds agree, and
// that firm slots do not overlap.
func checkIndexes(t testing.TB, s *Store) {
	t.Helper()
	err := s.view(func(x *txn) error {
		return errors.Join(checkTaken(t, x), checkFirm(t, x), checkHolds(t, x))
	})
	if err != nil && !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		t.Error(err)
	}
}

func checkTaken(t testing.TB, x *txn) error {
	t.Helper()
	spans, slots := 0, 0
	err := x.taken.ForEach(func(k, v []byte) error {
		s, err := decodeTaken(k, v)
		if err != nil {
			return err
		}
		if spans++; x.slot.Get(slotKey(s, owner(k))) == nil {
			t.Error("a taken slot is not in the index")
		}
		return nil
	})
	err = errors.Join(err, x.slot.ForEach(func(_, _ []byte) error {
		slots++
		return nil
	}))
	if spans != slots {
		t.Errorf("%d slots, %d of them taken", slots, spans)
	}
	return err
}

func checkFirm(t testing.TB, x *txn) error {
	t.Helper()
	var last occupied
	return x.slot.ForEach(func(k, v []byte) error {
		o, err := decodeOccupied(k, v)
		if err != nil || o.until != firm {
			return err
		}
		if o.resource == last.resource && o.start < last.end {
			t.Error("firm slots overlap")
		}
		last = o
		return nil
	})
}

func checkHolds(t testing.TB, x *txn) error {
	t.Helper()
	counted := 0
	err := x.hold.ForEach(func(uid, v []byte) error {
		h, err := decodeHold(v)
		if err != nil {
			return err
		}
		all, err := x.loadTaken(ownerOf(string(uid)))
		if counts := hasKey(x, h.heldKey(string(uid))); counts != (len(all) > 0) {
			t.Errorf("an event holds %d slots, and counts: %v", len(all), counts)
		}
		if len(all) > 0 {
			counted++
		}
		if x.event.Get(uid) == nil {
			t.Error("a hold without its event")
		}
		return err
	})
	return errors.Join(err, x.held.ForEach(func(_, _ []byte) error {
		if counted--; counted < 0 {
			t.Error("something counts that is not held")
		}
		return nil
	}))
}

func hasKey(x *txn, k []byte) bool {
	found, _ := x.held.Cursor().Seek(k)
	return bytes.Equal(found, k)
}

// TestJoinSlots makes sure that an event's slots are apart from each other.
func TestJoinSlots(t *testing.T) {
	at := func(n int) time.Time { return testStart.Add(time.Duration(n)) }
	slots := func(resource string, fromTo ...int) (all []store.Slot) {
		for i := 0; i < len(fromTo); i += 2 {
			all = append(all, store.Slot{Resource: resource, Start: at(fromTo[i]), End: at(fromTo[i+1])})
		}
		return all
	}
	tests := []struct {
		name    string
		in, out []store.Slot
	}{
		{"none", []store.Slot{}, []store.Slot{}},
		{"apart by a nanosecond", slots("a", 1, 2, 3, 4), slots("a", 1, 2, 3, 4)},
		{"touching", slots("a", 2, 3, 1, 2), slots("a", 1, 3)},
		{"overlapping", slots("a", 1, 5, 4, 8, 7, 9), slots("a", 1, 9)},
		{"contained", slots("a", 1, 9, 2, 3, 5, 6), slots("a", 1, 9)},
		{"same", slots("a", 1, 2, 1, 2), slots("a", 1, 2)},
		{"other resource", append(slots("a", 1, 3), slots("b", 2, 4)...), append(slots("a", 1, 3), slots("b", 2, 4)...)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := prepareSlots(test.in)
			var want []span
			for _, s := range test.out { // one by one there is nothing to join
				want = append(want, prepareSlots([]store.Slot{s})...)
			}
			slices.SortFunc(want, func(a, b span) int { return bytes.Compare(a.resource[:], b.resource[:]) })
			if !slices.Equal(got, want) {
				t.Errorf("got %d spans, want %d", len(got), len(want))
			}
		})
	}
	if prepareSlots(nil) != nil || prepareSlots([]store.Slot{}) == nil {
		t.Error("nil and empty are not told apart")
	}
}

// TestClocksDiffer has a firm slot taken by a clock at which a held one had
// run out. By a clock that is late the held one still counts, but it must not
// hide the firm one.
func TestClocksDiffer(t *testing.T) {
	s := openTest(t, testPath(t))
	book := func(uid string, now time.Time, from, to int) *store.Acceptance {
		a := withSlot(testAcceptance(t, uid))
		a.Now = now
		a.Slots = []store.Slot{{
			Resource: "r", Start: testStart.Add(time.Duration(from) * time.Minute), End: testStart.Add(time.Duration(to) * time.Minute),
		}}
		return a
	}
	late := testStart.Add(time.Hour)
	held := book("held", testStart, 30, 60)
	held.Hold = &store.Hold{Until: late, SlotsUntil: late, Max: 1}
	mustAccept(t, s, held)
	mustAccept(t, s, book("firm", late, 0, 90))
	for _, now := range []time.Time{testStart, late} {
		for _, fromTo := range [][2]int{{0, 10}, {70, 90}, {29, 30}, {40, 50}, {-10, 100}} {
			_, err := s.Accept(context.Background(), book("rival", now, fromTo[0], fromTo[1]))
			wantError(t, err, store.ErrSlotTaken)
		}
	}
	confirm := book("held", testStart, 30, 60)
	confirm.Key, confirm.Messages, confirm.Expect, confirm.Confirm = nil, nil, 0, true
	_, err := s.Accept(context.Background(), confirm)
	wantError(t, err, store.ErrSlotTaken)
	checkIndexes(t, s)
}

// TestSlotsFailedCommit makes sure that a slot is as free as before when its
// booking could not be committed.
func TestSlotsFailedCommit(t *testing.T) {
	s := openTest(t, testPath(t))
	var on atomic.Bool
	failAt(s, "commit", &on)
	a := withSlot(testAcceptance(t, "one"))
	rival := testAcceptance(t, "two")
	rival.Slots = a.Slots
	on.Store(true)
	_, err := s.Accept(context.Background(), a)
	wantError(t, err, errDisk)
	_, err = s.Keep(context.Background(), "name", []byte("lost"))
	wantError(t, err, errDisk)
	on.Store(false)
	mustAccept(t, s, rival)
	_, err = s.Accept(context.Background(), a)
	if wantError(t, err, store.ErrSlotTaken); strings.Contains(err.Error(), s.path) {
		t.Errorf("got %v: a refusal is no failure of the file", err)
	}
	if kept, err := s.Keep(context.Background(), "name", []byte("kept")); err != nil || string(kept) != "kept" {
		t.Errorf("kept %q, %v", kept, err)
	}
}

// TestSweepManySlots sweeps more of them than fit into one step.
func TestSweepManySlots(t *testing.T) {
	s := openTest(t, testPath(t))
	fillSlots(t, s, 5*store.MaxSlots)
	_, err := s.Sweep(context.Background(), testStart, slotNumber(3*store.MaxSlots+7).Start)
	if err != nil {
		t.Fatal(err)
	}
	checkIndexes(t, s)
	left := 0
	err = s.view(func(x *txn) error {
		return x.slot.ForEach(func(_, _ []byte) error {
			left++
			return nil
		})
	})
	if err != nil || left != 2*store.MaxSlots-7 {
		t.Errorf("%d slots are left, %v", left, err)
	}
}
