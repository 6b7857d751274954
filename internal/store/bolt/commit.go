package bolt

import (
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// errStuck means that bbolt lost track of a transaction. Only a new
	// process can help.
	errStuck = errors.New("a broken transaction cannot be undone; restart needed")

	// errUnsure means that a commit was written but could not be synced.
	errUnsure = errors.New("commit could not be made durable")
)

// batch is a transaction and the requests that take part in it.
type batch struct {
	s      *Store
	t      *txn
	all    []*request
	writes bool

	// late is set when the callers were told of a failure although the
	// transaction may take effect after all.
	late bool
}

// attempt runs requests in one transaction. When it returns nil all of them
// were answered; else none was, and nothing was changed.
func (s *Store) attempt(all []*request) error {
	if err := s.resolve(); err != nil {
		return err
	}
	tx, err := s.begin()
	if err != nil {
		return err
	}
	b := &batch{s: s, t: &txn{s: s, tx: tx}, all: all}
	if err := guard(b.fill); err != nil {
		err = errors.Join(err, s.rollback(tx))
		b.finish(false)
		return err
	}
	if err := b.commit(); err != nil {
		if s.unsure == nil {
			b.finish(false)
		}
		return err
	}
	b.finish(true)
	for _, r := range all {
		s.answer(r, r.err)
	}
	return nil
}

// fill checks and writes one request after the other, so that each sees what
// those before it did.
func (b *batch) fill() error {
	*b.t = *newTxn(b.s, b.t.tx)
	for _, r := range b.all {
		var writes bool
		if writes, r.err = r.op.check(b.t); r.err != nil || !writes {
			continue
		}
		b.writes = true
		if err := r.op.write(b.t); err != nil {
			return err
		}
	}
	return nil
}

// commit makes the transaction durable. One that wrote nothing needs no fsync.
func (b *batch) commit() error {
	tx := b.t.tx
	if !b.writes {
		return b.s.rollback(tx)
	}
	id := tx.ID()
	err := b.s.failing("commit")
	if err == nil {
		err = guard(tx.Commit)
	}
	if err == nil {
		err = b.s.failing("committed")
	}
	if err == nil {
		return nil
	}
	err = errors.Join(fmt.Errorf("committing: %w", err), b.s.rollback(tx))
	if !b.s.visible(id) {
		return err
	}
	// The header was written but not synced: readers see the commit, but a
	// power cut may still undo it. It must become durable before anything
	// else happens.
	b.s.unsure = b
	if b.s.resolve() == nil {
		return nil
	}
	b.late = true
	return fmt.Errorf("%w: %w", errUnsure, err)
}

// finish lets the requests take effect in memory, or not.
func (b *batch) finish(committed bool) {
	if committed {
		b.s.figures.apply(b.t.delta)
	}
	for _, r := range b.all {
		r.op.done(committed && r.err == nil)
	}
}

// resolve makes an unsure commit durable by committing once more on top of
// it. Until that works the store writes nothing else.
func (s *Store) resolve() error {
	if s.unsure == nil {
		return nil
	}
	err := s.failing("confirm")
	if err == nil {
		err = s.update(confirm)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnsure, err)
	}
	b := s.unsure
	s.unsure = nil
	if b.late {
		b.finish(true)
	}
	return nil
}

func confirm(tx *bbolt.Tx) error {
	return tx.Bucket(bucketMeta).Put(metaConfirm, appendNumber(nil, uint64(tx.ID())))
}

// visible says whether the transaction with this id took place.
func (s *Store) visible(id int) bool {
	tx, err := s.begin()
	if err != nil {
		return false
	}
	next := tx.ID()
	return s.rollback(tx) == nil && next > id
}

// begin starts a write transaction.
func (s *Store) begin() (tx *bbolt.Tx, err error) {
	if s.stuck.Load() {
		return nil, errStuck
	}
	err = guard(func() error {
		tx, err = s.db.Begin(true)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		s.stuck.Store(true) // bbolt keeps its lock when it panics here
	}
	return tx, err
}

// update runs f in a transaction of its own. bbolt's Update will not do: its
// rollback reads the file again, and keeps the lock when that panics.
func (s *Store) update(f func(tx *bbolt.Tx) error) error {
	tx, err := s.begin()
	if err != nil {
		return err
	}
	if err = guard(func() error { return f(tx) }); err == nil {
		err = guard(tx.Commit)
	}
	return errors.Join(err, s.rollback(tx))
}

// rollback ends a transaction that was not committed. Ending one that bbolt
// ended itself does nothing.
func (s *Store) rollback(tx *bbolt.Tx) error {
	err := guard(tx.Rollback)
	if err == nil || errors.Is(err, bolterrors.ErrTxClosed) {
		return nil
	}
	s.stuck.Store(true)
	return fmt.Errorf("%w: %w", errStuck, err)
}

// failing is where tests let the disk fail.
func (s *Store) failing(stage string) error {
	if s.fault == nil {
		return nil
	}
	return s.fault(stage)
}
