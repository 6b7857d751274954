package bolt

import (
	"context"
	"errors"
	"fmt"
)

// Move hands the unsettled messages of one mailer to another, in steps. When
// it fails some may have been moved: calling it again moves the rest.
func (s *Store) Move(ctx context.Context, from, to string) (int, error) {
	if from == to {
		return 0, ctx.Err()
	}
	moved := 0
	for {
		o := &move{s: s, from: from, to: to}
		if err := s.do(ctx, o); err != nil {
			return moved, err
		}
		if len(o.ids) == 0 {
			return moved, nil
		}
		moved += len(o.ids)
		s.bell.ring()
	}
}

// move is a step of Move.
type move struct {
	s        *Store
	from, to string

	ids []string
}

// check takes the oldest of the mailer's unsettled messages.
func (o *move) check(t *txn) (bool, error) {
	o.ids = nil
	each(t.open, key(o.from), func(_, v []byte) bool {
		o.ids = append(o.ids, string(v))
		return len(o.ids) < chunk
	})
	return len(o.ids) > 0, nil
}

func (o *move) write(t *txn) error {
	for _, id := range o.ids {
		m, err := t.loadMessage(id)
		if err != nil {
			return err
		}
		if m.Mailer != o.from || t.open.Get(openKey(m)) == nil {
			// Moving it would leave the entry where it is, for ever.
			return fmt.Errorf("message %s: %w: wrong index", id, ErrDamaged)
		}
		if err := t.moveMessage(m, o.to); err != nil {
			return err
		}
	}
	return nil
}

// moveMessage takes a message along in every index that knows its mailer.
func (t *txn) moveMessage(m *message, to string) error {
	isHead := t.due.Get(dueKey(m)) != nil
	err := errors.Join(t.due.Delete(dueKey(m)), t.open.Delete(openKey(m)))
	if err != nil {
		return err
	}
	t.delta.add(m.Mailer, m.State, -1)
	t.delta.add(to, m.State, +1)
	m.Mailer = to
	v, err := encodeMessage(m)
	if err != nil {
		return err
	}
	id := []byte(m.ID)
	err = errors.Join(t.message.Put(id, v), t.open.Put(openKey(m), id))
	if err == nil && isHead {
		err = t.due.Put(dueKey(m), id)
	}
	return err
}

func (o *move) done(committed bool) {
	if committed {
		o.s.leases.rename(o.ids, o.to)
	}
}
