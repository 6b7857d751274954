package bolt

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// maxList is the default and the maximum size of a page of List.
const maxList = 1000

// read runs f in a read transaction on behalf of a caller.
func (s *Store) read(ctx context.Context, f func(t *txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	return s.view(f)
}

// Event finds an event by UID.
func (s *Store) Event(ctx context.Context, uid string) (b booking.Event, all []store.Message, err error) {
	err = s.read(ctx, func(t *txn) error {
		b, all, err = t.lookUp(uid)
		return err
	})
	return b, all, err
}

// EventByID finds an event by the booking's own id.
func (s *Store) EventByID(ctx context.Context, scope, id string) (b booking.Event, all []store.Message, err error) {
	err = s.read(ctx, func(t *txn) error {
		b, all, err = t.lookUp(string(t.id.Get(key(scope, id))))
		return err
	})
	return b, all, err
}

func (t *txn) lookUp(uid string) (booking.Event, []store.Message, error) {
	e, err := t.loadEvent(uid)
	if err != nil {
		return booking.Event{}, nil, err
	}
	if e == nil {
		return booking.Event{}, nil, store.ErrNotFound
	}
	b, err := e.booking()
	if err != nil {
		return booking.Event{}, nil, err
	}
	all, err := t.messagesOf(uid)
	if err != nil {
		return booking.Event{}, nil, err
	}
	slices.SortFunc(all, func(a, b *message) int { return int(a.ordinal) - int(b.ordinal) })
	out := make([]store.Message, len(all))
	for i, m := range all {
		out[i] = t.public(m)
	}
	return b, out, nil
}

// messagesOf loads all messages of an event.
func (t *txn) messagesOf(uid string) ([]*message, error) {
	chain, err := t.chained(key(uid))
	if err != nil {
		return nil, err
	}
	all := make([]*message, len(chain))
	for i, c := range chain {
		if all[i], err = t.loadMessage(c.id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// List returns messages in order of their ID.
func (s *Store) List(ctx context.Context, f store.Filter) (out []store.Message, err error) {
	if f.Limit <= 0 || f.Limit > maxList {
		f.Limit = maxList
	}
	err = s.read(ctx, func(t *txn) error {
		if f.UID != "" {
			out, err = t.listEvent(f)
		} else {
			out, err = t.listAll(ctx, f)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// listEvent lists the messages of one event, found by its chains.
func (t *txn) listEvent(f store.Filter) ([]store.Message, error) {
	all, err := t.messagesOf(f.UID)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b *message) int { return strings.Compare(a.ID, b.ID) })
	var out []store.Message
	for _, m := range all {
		if m.ID > f.After && selects(f, m.State, m.Mailer) && len(out) < f.Limit {
			out = append(out, t.public(m))
		}
	}
	return out, nil
}

// listAll goes through the messages and decodes only what it returns.
func (t *txn) listAll(ctx context.Context, f store.Filter) ([]store.Message, error) {
	var out []store.Message
	c := t.message.Cursor()
	k, v := c.Seek([]byte(f.After))
	if bytes.Equal(k, []byte(f.After)) {
		k, v = c.Next()
	}
	for ; k != nil && len(out) < f.Limit; k, v = c.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := decodeHead(v)
		if err != nil {
			return nil, err
		}
		if !selects(f, h.state, h.mailer) {
			continue
		}
		m, err := decodeMessage(string(k), v)
		if err != nil {
			return nil, err
		}
		out = append(out, t.public(m))
	}
	return out, nil
}

func selects(f store.Filter, s store.State, mailer string) bool {
	return (f.State == "" || f.State == s) && (f.Mailer == "" || f.Mailer == mailer)
}
