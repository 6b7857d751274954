package bolt

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"go.etcd.io/bbolt"
)

// guard turns what bbolt does on a damaged file into an error. bbolt panics
// when pages make no sense, and the memory map faults where the file was cut
// short; neither may take Caddy down.
//
// The panic's text is not passed on unless it is the runtime's, because
// bbolt's may show keys, and keys hold addresses.
func guard(f func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		switch p := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%w: %w", ErrDamaged, p)
		default:
			err = fmt.Errorf("%w: inconsistent pages", ErrDamaged)
		}
	}()
	return f()
}

// view runs f in a read transaction. What f keeps must be copied, because the
// memory is the file's.
//
// Never take the lock of s.leases inside f: the writer may be waiting for
// readers to end before it can grow the memory map, while somebody else holds
// that lock and waits for the writer.
func (s *Store) view(f func(t *txn) error) error {
	err := guard(func() error {
		tx, err := s.beginRead()
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return f(newTxn(s, tx))
	})
	return s.named(err)
}

// beginRead starts a read transaction.
func (s *Store) beginRead() (tx *bbolt.Tx, err error) {
	if s.stuck.Load() {
		return nil, errStuck
	}
	err = guard(func() error {
		tx, err = s.db.Begin(false)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		s.stuck.Store(true) // bbolt keeps its lock when it panics here
	}
	return tx, err
}

// named adds the path to an error about the file's contents.
func (s *Store) named(err error) error {
	if err == nil || domain(err) {
		return err
	}
	return fmt.Errorf("store %q: %w", s.path, err)
}

// closeBolt closes db, whatever state it is in.
func closeBolt(db *bbolt.DB) error {
	return guard(db.Close)
}
