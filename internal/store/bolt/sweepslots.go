package bolt

import (
	"context"
)

// sweepSlots forgets the slots that ended before an instant.
func (s *Store) sweepSlots(ctx context.Context, before int64) error {
	return s.walk(ctx, bucketSlot, func(_ *txn, k, v []byte) (bool, error) {
		o, err := decodeOccupied(k, v)
		return err == nil && o.end < before, err
	}, func(found [][]byte) error {
		return s.do(ctx, &sweepSlots{keys: found})
	})
}

// sweepSlots removes slots that are over. That cannot change meanwhile, as the
// end is a part of the key.
type sweepSlots struct {
	keys [][]byte
}

func (o *sweepSlots) check(*txn) (bool, error) { return true, nil }

func (o *sweepSlots) write(t *txn) error {
	for _, k := range o.keys {
		v := t.slot.Get(k)
		if v == nil {
			continue
		}
		found, err := decodeOccupied(k, v)
		if err != nil {
			return err
		}
		if err := t.release(found.span, found.by); err != nil {
			return err
		}
	}
	return nil
}

func (o *sweepSlots) done(bool) {}
