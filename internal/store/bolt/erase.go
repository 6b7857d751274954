package bolt

import (
	"context"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// Erase removes the events of a client or guest, also those that the address
// was taken off again, because messages to it may be left.
//
// What is erased is in no page that can be reached any more. bbolt does not
// overwrite freed pages at once: until they are used again, or the file is
// compacted, remains can be found in the file with forensic means, as with
// any deleted file. Idempotency keys and counters of limits are stored as
// hashes only and expire.
func (s *Store) Erase(ctx context.Context, a booking.Address) (int, error) {
	events := 0
	err := s.walk(ctx, bucketEvent, func(t *txn, k, v []byte) (bool, error) {
		return t.concerns(string(k), v, a.Fold())
	}, func(found [][]byte) error {
		o := &erase{s: s, uids: found, address: a.Fold()}
		if err := s.do(ctx, o); err != nil {
			return err
		}
		events += o.gone
		return nil
	})
	return events, err
}

// concerns says whether an address is or was a client or guest of an event.
func (t *txn) concerns(uid string, v []byte, address string) (bool, error) {
	e, err := decodeEvent(v)
	if err != nil {
		return false, err
	}
	b, err := e.booking()
	if err != nil {
		return false, err
	}
	if b.Client.Address.Fold() == address {
		return true, nil
	}
	for _, g := range b.Guests {
		if g.Address.Fold() == address {
			return true, nil
		}
	}
	return t.invited(uid, address)
}

// invited looks for messages to an address in another role than the host's.
func (t *txn) invited(uid, address string) (bool, error) {
	chain, err := t.chained(chainPrefix(uid, address))
	if err != nil {
		return false, err
	}
	for _, c := range chain {
		m, err := t.loadMessage(c.id)
		if err != nil || m.Role != booking.RoleHost {
			return err == nil, err
		}
	}
	return false, nil
}

// erase is the op of Erase.
type erase struct {
	s       *Store
	uids    [][]byte
	address string

	gone int
	ids  []string
}

func (o *erase) check(*txn) (bool, error) {
	o.gone, o.ids = 0, nil
	return true, nil
}

func (o *erase) write(t *txn) error {
	for _, k := range o.uids {
		uid := string(k)
		v := t.event.Get(k)
		if v == nil {
			continue
		}
		still, err := t.concerns(uid, v, o.address)
		if err != nil {
			return err
		}
		if !still {
			continue
		}
		e, err := decodeEvent(v)
		if err != nil {
			return err
		}
		b, err := e.booking()
		if err != nil {
			return err
		}
		ids, err := t.forget(uid, e, &b)
		if err != nil {
			return err
		}
		o.ids = append(o.ids, ids...)
		o.gone++
	}
	return nil
}

// done ends the leases of messages that are gone: who holds one learns it
// from ErrLeaseLost.
func (o *erase) done(committed bool) {
	if committed {
		o.s.leases.drop(o.ids...)
	}
}
