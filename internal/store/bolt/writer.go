package bolt

import (
	"context"
	"errors"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// maxBatch bounds how many operations share a transaction.
const maxBatch = 1024

// op is one write. It is split in two so that an operation that must be
// refused is refused before it wrote anything: then it leaves the others of
// its batch untouched.
//
// An op may run several times, if its transaction fails and is tried again.
type op interface {
	// check reads, decides, and returns the op's own error. It must not
	// write. It reports whether there is something to write.
	check(t *txn) (writes bool, err error)

	// write does what check decided. Its errors fail the transaction.
	write(t *txn) error

	// done ends an attempt, also one whose check failed or never came to run:
	// committed says whether the op took effect.
	done(committed bool)
}

// request is an op on its way to the writer.
type request struct {
	ctx    context.Context
	op     op
	err    error
	answer chan error
}

// do hands o to the writer and waits until it is durable.
func (s *Store) do(ctx context.Context, o op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.gate.enter(); err != nil {
		return err
	}
	r := &request{ctx: ctx, op: o, answer: make(chan error, 1)}
	select {
	case s.queue <- r:
	case <-ctx.Done():
		s.gate.leave()
		return ctx.Err()
	}
	select {
	case err := <-r.answer:
		return s.named(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write is the writer. It ends when the queue is closed.
func (s *Store) write() {
	defer close(s.finished)
	for first := range s.queue {
		s.run(s.drain(first))
	}
}

// drain takes what is waiting and does not wait for more. Requests that were
// given up are answered here.
func (s *Store) drain(first *request) []*request {
	all := []*request{first}
	for len(all) < maxBatch {
		select {
		case r, ok := <-s.queue:
			if ok {
				all = append(all, r)
				continue
			}
		default:
		}
		break
	}
	live := all[:0]
	for _, r := range all {
		if err := r.ctx.Err(); err != nil {
			s.answer(r, err)
			continue
		}
		live = append(live, r)
	}
	return live
}

// run writes requests together, or, if that fails, each alone, so that only
// the guilty ones fail.
func (s *Store) run(all []*request) {
	if len(all) == 0 {
		return
	}
	err := s.attempt(all)
	if err == nil {
		return
	}
	if len(all) == 1 || s.unsure != nil || errors.Is(err, errStuck) {
		for _, r := range all {
			s.answer(r, err)
		}
		return
	}
	for _, r := range all {
		if err := s.attempt([]*request{r}); err != nil {
			s.answer(r, err)
		}
	}
}

func (s *Store) answer(r *request, err error) {
	r.answer <- err
	s.gate.leave()
}

// domain tells the errors that callers act upon from failures.
func domain(err error) bool {
	var limit *store.LimitError
	for _, known := range []error{
		store.ErrKeyReused, store.ErrStale, store.ErrNotFound, store.ErrLeaseLost,
		store.ErrClosed, store.ErrNoSpace, store.ErrSlotTaken, context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return errors.As(err, &limit)
}
