package bolt

import (
	"bytes"
	"errors"
	"math"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// checkSlots decides what the event occupies from now on, and makes sure that
// nobody else does.
func (o *accept) checkSlots(t *txn) (err error) {
	o.occupy = o.slots
	if o.occupy == nil && o.confirm {
		// Others may have come since the hold on them ran out.
		if o.occupy, err = t.loadTaken(o.owner); err != nil {
			return err
		}
	}
	free, err := t.free(o.occupy, o.owner, clampNano(o.now))
	if err == nil && !free {
		return store.ErrSlotTaken
	}
	return err
}

// loadTaken returns what an event occupies, in order of resource and start.
func (t *txn) loadTaken(by owner) (all []span, err error) {
	each(t.taken, by[:], func(k, v []byte) bool {
		var s span
		s, err = decodeTaken(k, v)
		all = append(all, s)
		return err == nil
	})
	return all, err
}

// free says whether nobody but by has any of the wanted spans, which are in
// order and apart from each other. It looks at each slot at most once,
// however many are wanted.
func (t *txn) free(want []span, by owner, now int64) (bool, error) {
	c := t.slot.Cursor()
	for i, w := range want {
		next := int64(math.MaxInt64)
		if i+1 < len(want) && want[i+1].resource == w.resource {
			next = want[i+1].start
		}
		free, err := freeSpan(c, w, next, by, now)
		if err != nil || !free {
			return false, err
		}
	}
	return true, nil
}

// freeSpan looks at the slots of a resource that end after the wanted start.
// It can stop at a firm one that begins at the wanted end or later, because
// firm slots never overlap: all that end later also begin later. The slots
// that end after next are met again by the next wanted span.
//
// A held slot stops nothing, because clocks differ: a firm one may overlap it
// that was accepted by a clock at which it had run out.
func freeSpan(c *bbolt.Cursor, want span, next int64, by owner, now int64) (bool, error) {
	from := appendNumber(want.resource[:len(want.resource):len(want.resource)], uint64(want.start)+1)
	for k, v := c.Seek(from); bytes.HasPrefix(k, want.resource[:]); k, v = c.Next() {
		found, err := decodeOccupied(k, v)
		if err != nil {
			return false, err
		}
		if found.end > next || found.start >= want.end && found.until == firm {
			return true, nil
		}
		live := found.until == firm || found.until > now
		if found.start < want.end && found.by != by && live {
			return false, nil
		}
	}
	return true, nil
}

// writeSlots replaces what the event occupied.
func (o *accept) writeSlots(t *txn) error {
	if o.occupy == nil {
		return nil
	}
	if err := t.vacate(o.owner); err != nil {
		return err
	}
	return t.occupy(o.occupy, o.owner, o.slotsUntil())
}

// occupy enters spans for an event that has none.
func (t *txn) occupy(all []span, by owner, until int64) error {
	for _, s := range all {
		err := errors.Join(
			t.slot.Put(slotKey(s, by), encodeOccupied(s.start, until)),
			t.taken.Put(takenKey(s, by), appendNumber(nil, uint64(s.start))),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// vacate frees all that an event occupies.
func (t *txn) vacate(by owner) error {
	all, err := t.loadTaken(by)
	for _, s := range all {
		err = errors.Join(err, t.release(s, by))
	}
	return err
}

func (t *txn) release(s span, by owner) error {
	return errors.Join(t.slot.Delete(slotKey(s, by)), t.taken.Delete(takenKey(s, by)))
}
