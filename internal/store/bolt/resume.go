package bolt

import (
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"
)

// resume reads the store once from end to end, counts, and notes whether the
// last process left in order. Bodies are not read.
func (s *Store) resume() error {
	err := s.db.View(func(tx *bbolt.Tx) error { return s.scan(newTxn(s, tx)) })
	if err != nil {
		return err
	}
	return s.update(func(tx *bbolt.Tx) error {
		s.opening.Size = tx.Size()
		return s.takeOver(newTxn(s, tx))
	})
}

// scan makes sure that every record can be read, as far as its front.
func (s *Store) scan(t *txn) error {
	var d delta
	err := t.message.ForEach(func(k, v []byte) error {
		h, err := decodeHead(v)
		if err == nil {
			d.add(h.mailer, h.state, 1)
		}
		return err
	})
	if err != nil {
		return err
	}
	err = t.event.ForEach(func(_, v []byte) error {
		d.events++
		_, err := decodeEvent(v)
		return err
	})
	s.figures.apply(d)
	return errors.Join(err, t.scanSlots())
}

func (t *txn) scanSlots() error {
	err := t.slot.ForEach(func(k, v []byte) error {
		_, err := decodeOccupied(k, v)
		return err
	})
	return errors.Join(err,
		t.taken.ForEach(func(k, v []byte) error {
			_, err := decodeTaken(k, v)
			return err
		}),
		t.hold.ForEach(func(_, v []byte) error {
			_, err := decodeHold(v)
			return err
		}))
}

// takeOver marks the store as open. If it was not closed in order, everything
// in it counts as attempted from now on: a delivery may have come as far as
// DATA without anybody living to record it.
func (s *Store) takeOver(t *txn) error {
	if v := t.meta.Get(metaDoubt); len(v) == 8 {
		s.doubt = binary.BigEndian.Uint64(v)
	}
	if t.meta.Get(metaClean) != nil {
		return t.meta.Delete(metaClean)
	}
	s.opening.Unclean = true
	s.doubt = t.message.Sequence()
	return t.meta.Put(metaDoubt, appendNumber(nil, s.doubt))
}

// leave marks the store as closed in order.
func (s *Store) leave() error {
	return s.update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(metaClean, []byte{1})
	})
}
