package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// hold is why an event is held, and is there as long as it is.
type hold struct {
	until, slotsUntil int64 // nanoseconds
	counter           [hashSize]byte
	max               int // is not stored
}

func prepareHold(h *store.Hold) *hold {
	if h == nil {
		return nil
	}
	return &hold{
		until: clampNano(h.Until), slotsUntil: clampNano(h.SlotsUntil),
		counter: hashOf("held", h.Counter), max: h.Max,
	}
}

// encode lays out version, until, slotsUntil, counter. The sweep reads the
// front with expired.
func (h *hold) encode() []byte {
	b := append(make([]byte, 0, 1+8+8+hashSize), recordVersion)
	b = appendNumber(appendNumber(b, uint64(h.until)), uint64(h.slotsUntil))
	return append(b, h.counter[:]...)
}

func decodeHold(v []byte) (*hold, error) {
	if len(v) != 1+8+8+hashSize || v[0] != recordVersion {
		return nil, fmt.Errorf("hold: %w", errRecord)
	}
	until, v, _ := readNumber(v[1:])
	slotsUntil, v, _ := readNumber(v)
	return &hold{until: int64(until), slotsUntil: int64(slotsUntil), counter: [hashSize]byte(v)}, nil
}

// heldKey joins counter, end and UID of a held event with slots, so that those
// which count are found together, the first to end first.
func (h *hold) heldKey(uid string) []byte {
	k := make([]byte, 0, hashSize+8+len(uid))
	return append(appendNumber(append(k, h.counter[:]...), uint64(h.slotsUntil)), uid...)
}

// loadHold returns nil if the event is not held.
func (t *txn) loadHold(uid string) (*hold, error) {
	v := t.hold.Get([]byte(uid))
	if v == nil {
		return nil, nil
	}
	return decodeHold(v)
}

// checkConfirm makes sure that there is something to confirm.
func (o *accept) checkConfirm(t *txn) (err error) {
	if o.stored != nil {
		if o.held, err = t.loadHold(o.event.UID); err != nil {
			return err
		}
	}
	if o.confirm && (o.held == nil || o.held.until <= clampNano(o.now)) {
		return store.ErrStale
	}
	return nil
}

// checkHeld refuses one held event with slots too many.
func (o *accept) checkHeld(t *txn) error {
	now := clampNano(o.now)
	if o.hold == nil || len(o.occupy) == 0 || o.hold.slotsUntil <= now {
		return nil
	}
	if o.hold.max <= 0 {
		return &store.LimitError{Name: store.LimitHeld, RetryAfter: time.Duration(o.hold.slotsUntil - now)}
	}
	ends := t.liveHolds(o.hold.counter, now)
	if len(ends) < o.hold.max {
		return nil
	}
	// Usually the first; more have to end if the limit was lowered.
	end := ends[len(ends)-o.hold.max]
	return &store.LimitError{Name: store.LimitHeld, RetryAfter: time.Duration(end - now)}
}

// liveHolds lists when the slots of held events are free, the first first.
// There are no more than the highest limit ever allowed.
func (t *txn) liveHolds(counter [hashSize]byte, now int64) (ends []int64) {
	c := t.held.Cursor()
	from := appendNumber(counter[:hashSize:hashSize], uint64(now)+1)
	for k, _ := c.Seek(from); bytes.HasPrefix(k, counter[:]); k, _ = c.Next() {
		if end, _, ok := readNumber(k[hashSize:]); ok {
			ends = append(ends, int64(end))
		}
	}
	return ends
}

// slotsUntil is until when the event's slots are kept from others.
func (o *accept) slotsUntil() int64 {
	switch {
	case o.hold != nil:
		return o.hold.slotsUntil
	case o.held != nil && !o.confirm:
		return o.held.slotsUntil
	}
	return firm
}

// writeHold holds the event, lets go of it, or lets its slots count or not.
func (o *accept) writeHold(t *txn) error {
	uid := o.event.UID
	switch {
	case o.hold != nil:
		return errors.Join(t.hold.Put([]byte(uid), o.hold.encode()), t.count(o.hold, uid, len(o.occupy) > 0))
	case o.held == nil:
		return nil
	case o.confirm:
		return t.endHold(o.held, uid)
	case o.occupy != nil:
		return t.count(o.held, uid, len(o.occupy) > 0)
	}
	return nil
}

// count lets a held event count as one with slots, or not.
func (t *txn) count(h *hold, uid string, counts bool) error {
	if counts {
		return t.held.Put(h.heldKey(uid), nil)
	}
	return t.held.Delete(h.heldKey(uid))
}

func (t *txn) endHold(h *hold, uid string) error {
	return errors.Join(t.count(h, uid, false), t.hold.Delete([]byte(uid)))
}

// forgetHold lets a held event go, and frees the slots that it kept.
func (t *txn) forgetHold(uid string) error {
	h, err := t.loadHold(uid)
	if err != nil || h == nil {
		return err
	}
	return errors.Join(t.endHold(h, uid), t.vacate(ownerOf(uid)))
}
