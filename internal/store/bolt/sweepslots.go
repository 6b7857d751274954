package bolt

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// sweepSlots forgets the slots that ended before an instant. They are found by
// what occupies them, so that a long series is rewritten once.
func (s *Store) sweepSlots(ctx context.Context, before int64) error {
	return s.walk(ctx, bucketTaken, func(_ *txn, k, v []byte) (bool, error) {
		if len(k) != hashSize {
			return false, fmt.Errorf("taken slots: %w", errRecord)
		}
		all, err := decodeTaken(v)
		over, _ := splitOver(all, before)
		return len(over) > 0, err
	}, func(found [][]byte) error {
		for len(found) > 0 {
			o := &sweepTaken{owners: found, before: before}
			if err := s.do(ctx, o); err != nil {
				return err
			}
			found = found[o.swept:]
		}
		return nil
	})
}

// splitOver parts spans that ended before an instant from the others.
func splitOver(all []span, before int64) (over, left []span) {
	for _, s := range all {
		if s.end < before {
			over = append(over, s)
		} else {
			left = append(left, s)
		}
	}
	return over, left
}

// sweepTaken removes what is over of the slots of some owners, the first at
// least, as each may have many.
type sweepTaken struct {
	owners [][]byte
	before int64

	swept int // owners
}

func (o *sweepTaken) check(*txn) (bool, error) {
	o.swept = 0
	return true, nil
}

func (o *sweepTaken) write(t *txn) error {
	spans := 0
	for _, k := range o.owners {
		n, err := t.sweepOwner(owner(k), o.before)
		if err != nil {
			return err
		}
		o.swept++
		if spans += n; spans >= store.MaxSlots {
			break
		}
	}
	return nil
}

// sweepOwner returns how many spans it removed.
func (t *txn) sweepOwner(by owner, before int64) (int, error) {
	all, err := t.loadTaken(by)
	if err != nil {
		return 0, err
	}
	over, left := splitOver(all, before)
	for _, s := range over {
		err = errors.Join(err, t.slot.Delete(slotKey(s, by)))
	}
	if len(left) == 0 {
		return len(over), errors.Join(err, t.taken.Delete(by[:]))
	}
	return len(over), errors.Join(err, t.taken.Put(by[:], encodeTaken(left)))
}

func (o *sweepTaken) done(bool) {}
