package bolt

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Claim leases due messages. It writes nothing to disk.
func (s *Store) Claim(ctx context.Context, mailer string, now time.Time, max int, hold time.Duration) ([]store.Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.gate.enter(); err != nil {
		return nil, err
	}
	defer s.gate.leave()
	var jobs []store.Job
	err := guard(func() (err error) {
		jobs, err = s.claim(mailer, now, max, now.Add(hold))
		return err
	})
	return jobs, s.named(err)
}

func (s *Store) claim(mailer string, now time.Time, max int, until time.Time) ([]store.Job, error) {
	t := &txn{s: s}
	defer t.end()
	held, err := s.take(t, mailer, now, max, until)
	if err != nil {
		return nil, err
	}
	jobs := make([]store.Job, 0, len(held))
	var broken error
	for _, l := range held {
		j, err := t.job(l)
		if err != nil {
			// It keeps its lease, so that it does not stand in the way of
			// those behind it until the lease ran out.
			broken = err
			continue
		}
		jobs = append(jobs, j)
	}
	if len(jobs) > 0 {
		return jobs, nil
	}
	return nil, broken
}

// take begins the read transaction t and leases messages in it. The lock is taken
// first: what the transaction shows as due is then either free, or marked by
// the writer, which unmarks only after the commit and with this lock.
func (s *Store) take(t *txn, mailer string, now time.Time, max int, until time.Time) ([]store.Lease, error) {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	tx, err := s.beginRead()
	if err != nil {
		return nil, err
	}
	t.tx = tx // so that it is ended even if the next line faults
	*t = *newTxn(s, tx)
	var held []store.Lease
	t.eachDue(mailer, func(id string, due int64) bool {
		if len(held) >= max || due > clampNano(now) {
			return false
		}
		if s.leases.free(id, now) {
			held = append(held, s.leases.take(id, mailer, until))
		}
		return true
	})
	return held, nil
}

// eachDue goes through the heads of a mailer's chains, longest due first.
func (t *txn) eachDue(mailer string, f func(id string, due int64) bool) {
	prefix := key(mailer)
	each(t.due, prefix, func(k, v []byte) bool {
		due, _, ok := readNumber(k[len(prefix):])
		return ok && f(string(v), int64(due))
	})
}

// each goes through the keys with a prefix until f returns false.
func each(b *bbolt.Bucket, prefix []byte, f func(k, v []byte) bool) {
	c := b.Cursor()
	for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
		if !f(k, v) {
			return
		}
	}
}

func (t *txn) job(l store.Lease) (store.Job, error) {
	m, err := t.loadMessage(l.MessageID)
	if err != nil {
		return store.Job{}, err
	}
	body := t.body.Get([]byte(m.ID))
	if m.State.Terminal() || body == nil || t.due.Get(dueKey(m)) == nil {
		// Settling it would not take it out of the index: it would be sent
		// again and again.
		return store.Job{}, fmt.Errorf("message %s: %w: wrong index", m.ID, ErrDamaged)
	}
	j := store.Job{Message: t.public(m), Lease: l}
	j.Raw = bytes.Clone(body)
	return j, nil
}

// NextDue is when a message of the mailer can be claimed. A leased message
// counts from the end of its lease, so that a lost one is found.
func (s *Store) NextDue(ctx context.Context, mailer string) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	if err := s.gate.enter(); err != nil {
		return time.Time{}, err
	}
	defer s.gate.leave()
	var next time.Time
	err := guard(func() (err error) {
		next, err = s.nextDue(mailer)
		return err
	})
	return next, s.named(err)
}

func (s *Store) nextDue(mailer string) (time.Time, error) {
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	tx, err := s.beginRead()
	if err != nil {
		return time.Time{}, err
	}
	defer tx.Rollback()
	next := int64(math.MaxInt64)
	found := false
	newTxn(s, tx).eachDue(mailer, func(id string, due int64) bool {
		h := s.leases.held[id]
		if h != nil && !h.busy {
			due = clampNano(h.until)
		}
		if h == nil || !h.busy {
			found = true
			next = min(next, due)
		}
		return h != nil // nothing behind a free one is due earlier
	})
	if !found {
		return time.Time{}, nil
	}
	return time.Unix(0, next).UTC(), nil
}
