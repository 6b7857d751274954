package bolt

import (
	"context"
	"time"

	"go.etcd.io/bbolt"
)

// chunk is how many records a step of a long walk handles. Between steps
// others get their turn.
const chunk = 128

// Sweep forgets what is over. It looks for it in read transactions and
// removes it in small ones, so that nobody waits for long.
func (s *Store) Sweep(ctx context.Context, now, endedBefore time.Time) (events int, err error) {
	limit, at := clampNano(endedBefore), clampNano(now)
	forget := func(found [][]byte) error {
		o := &sweepEvents{uids: found, before: limit, now: at}
		if err := s.do(ctx, o); err != nil {
			return err
		}
		events += o.gone
		return nil
	}
	err = s.walk(ctx, bucketEvent, func(_ *txn, _, v []byte) (bool, error) {
		e, err := decodeEvent(v)
		return err == nil && e.end < limit, err
	}, forget)
	if err != nil {
		return events, err
	}
	err = s.walk(ctx, bucketHold, func(_ *txn, _, v []byte) (bool, error) { return expired(v, at), nil }, forget)
	if err != nil {
		return events, err
	}
	if err := s.sweepSlots(ctx, limit); err != nil {
		return events, err
	}
	return events, s.sweepExpired(ctx, at)
}

func (s *Store) sweepExpired(ctx context.Context, now int64) error {
	for _, name := range [][]byte{bucketKey, bucketCounter} {
		err := s.walk(ctx, name, func(_ *txn, _, v []byte) (bool, error) {
			return expired(v, now), nil
		}, func(found [][]byte) error {
			return s.do(ctx, &sweepKeys{bucket: name, keys: found, now: now})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// expired looks at a key, counter or hold record: all begin with version,
// expiry.
func expired(v []byte, now int64) bool {
	if len(v) < 9 {
		return false
	}
	n, _, ok := readNumber(v[1:])
	return ok && int64(n) <= now
}

// walk goes through a bucket in steps, and hands on the keys of the records
// that want selects.
func (s *Store) walk(ctx context.Context, name []byte, want func(t *txn, k, v []byte) (bool, error), act func([][]byte) error) error {
	var from []byte
	for more := true; more; {
		var found [][]byte
		err := s.read(ctx, func(t *txn) (err error) {
			found, from, err = t.step(t.tx.Bucket(name), from, want)
			return err
		})
		if err != nil {
			return err
		}
		more = from != nil
		if len(found) == 0 {
			continue
		}
		if err := act(found); err != nil {
			return err
		}
	}
	return nil
}

// step selects up to a chunk of keys, looking at no more than some chunks, so
// that a read transaction does not keep old pages alive for long. next is
// where to go on, nil at the end.
func (t *txn) step(b *bbolt.Bucket, from []byte, want func(t *txn, k, v []byte) (bool, error)) (found [][]byte, next []byte, err error) {
	c := b.Cursor()
	k, v := c.Seek(from)
	for seen := 0; k != nil; k, v = c.Next() {
		if len(found) == chunk || seen == 32*chunk {
			return found, append([]byte{}, k...), nil
		}
		seen++
		ok, err := want(t, k, v)
		if err != nil {
			return nil, nil, err
		}
		if ok {
			found = append(found, append([]byte{}, k...))
		}
	}
	return found, nil, nil
}

// sweepEvents removes events, unless something changed meanwhile.
type sweepEvents struct {
	uids        [][]byte
	before, now int64

	gone int
}

func (o *sweepEvents) check(*txn) (bool, error) {
	o.gone = 0
	return true, nil
}

func (o *sweepEvents) write(t *txn) error {
	for _, uid := range o.uids {
		e, err := t.loadEvent(string(uid))
		if err != nil {
			return err
		}
		if e == nil || e.end >= o.before && !expired(t.hold.Get(uid), o.now) {
			continue
		}
		chain, err := t.chained(key(string(uid)))
		if err != nil {
			return err
		}
		wanted, err := t.anyWanted(chain, o.before)
		if err != nil {
			return err
		}
		if wanted {
			continue
		}
		b, err := e.booking()
		if err != nil {
			return err
		}
		if _, err := t.forget(string(uid), e, &b); err != nil {
			return err
		}
		o.gone++
	}
	return nil
}

// anyWanted reports whether a message of a chain is unsettled, and was not out
// of time long ago: that one only waits for a mailer that no config has.
func (t *txn) anyWanted(chain []chained, before int64) (bool, error) {
	for _, c := range chain {
		if !c.link.open() {
			continue
		}
		m, err := t.loadMessage(c.id)
		if err != nil || clampNano(m.Expires) >= before {
			return true, err
		}
	}
	return false, nil
}

func (o *sweepEvents) done(bool) {}

// sweepKeys removes expired keys or counters.
type sweepKeys struct {
	bucket []byte
	keys   [][]byte
	now    int64
}

func (o *sweepKeys) check(*txn) (bool, error) { return true, nil }

func (o *sweepKeys) write(t *txn) error {
	b := t.tx.Bucket(o.bucket)
	for _, k := range o.keys {
		if v := b.Get(k); v == nil || !expired(v, o.now) {
			continue
		}
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (o *sweepKeys) done(bool) {}
