package bolt

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Accept commits a.
func (s *Store) Accept(ctx context.Context, a *store.Acceptance) (store.Receipt, error) {
	o, err := s.prepare(a)
	if err != nil {
		return store.Receipt{}, fmt.Errorf("accepting: %w", err)
	}
	if err := s.do(ctx, o); err != nil {
		return store.Receipt{}, asNoSpace(err)
	}
	if !o.receipt.Replayed {
		s.bell.ring()
	}
	return o.receipt, nil
}

// accept is the op of Accept.
type accept struct {
	prepared
	s *Store

	// What check found and decided.
	stored     *event // nil: new
	held       *hold  // why the stored event is held; nil: it is firm
	occupy     []span // nil: what it was
	counters   []counted
	superseded []*message
	reserved   []string
	messages   []newMessage // without those that are dropped
	receipt    store.Receipt
}

// check follows the order that store.Store promises.
func (o *accept) check(t *txn) (bool, error) {
	o.stored, o.held, o.occupy = nil, nil, nil
	o.counters, o.superseded, o.reserved = nil, nil, nil
	o.receipt, o.messages = store.Receipt{}, o.prepared.messages
	replay, err := o.checkKeys(t)
	if err != nil || replay {
		return false, err
	}
	for _, check := range []func(*txn) error{
		o.checkEvent, o.checkConfirm, o.checkSlots, o.checkHeld, o.checkLimits, o.checkSpace, o.checkMessages,
	} {
		if err := check(t); err != nil {
			return false, err
		}
	}
	if o.supersede && o.stored != nil {
		err = o.planSupersede(t)
	}
	o.receipt.Queued, o.receipt.Superseded = len(o.messages), len(o.superseded)
	return true, err
}

func (o *accept) checkSpace(*txn) error { return o.s.space.check() }

func (o *accept) checkMessages(t *txn) error {
	for _, m := range o.messages {
		if t.message.Get([]byte(m.ID)) != nil {
			return fmt.Errorf("accepting: message ID %s exists already", m.ID)
		}
	}
	return nil
}

// checkEvent compares the stored event with what the caller believes.
func (o *accept) checkEvent(t *txn) error {
	stored, err := t.loadEvent(o.event.UID)
	if err != nil {
		return err
	}
	if (stored == nil) != (o.expect == store.New) {
		return store.ErrStale
	}
	if stored != nil {
		b, err := stored.booking()
		if err != nil {
			return err
		}
		if b.Sequence != o.expect {
			return store.ErrStale
		}
		o.stored, o.oldScope = stored, b.Scope
	}
	if o.id == "" {
		return nil
	}
	owner := t.id.Get(key(o.event.Scope, o.id))
	if owner != nil && string(owner) != o.event.UID {
		return store.ErrStale
	}
	return nil
}

func (o *accept) write(t *txn) error {
	for _, write := range []func(*txn) error{o.writeEvent, o.writeKeys, o.writeSlots, o.writeHold} {
		if err := write(t); err != nil {
			return err
		}
	}
	for _, c := range o.counters {
		if err := t.counter.Put(c.hash[:], c.encode()); err != nil {
			return err
		}
	}
	for _, m := range o.superseded {
		if err := t.supersede(m, o.now); err != nil {
			return err
		}
	}
	return o.writeMessages(t)
}

// writeEvent stores the event and lets its id lead to it. Without a new id
// the old one stays.
func (o *accept) writeEvent(t *txn) error {
	e := &event{end: clampNano(o.event.LastEnd()), id: o.id, json: o.eventJSON}
	if o.stored != nil {
		e.keys = o.stored.keys
		if e.id == "" {
			e.id = o.stored.id
		}
		if o.stored.id != "" {
			if err := t.id.Delete(key(o.oldScope, o.stored.id)); err != nil {
				return err
			}
		}
	} else {
		t.delta.events++
	}
	for _, k := range o.keys {
		e.addKey(keyRef{k.hash, clampNano(k.expires)}, o.now)
	}
	if e.id != "" {
		if err := t.id.Put(key(o.event.Scope, e.id), []byte(o.event.UID)); err != nil {
			return err
		}
	}
	return t.event.Put([]byte(o.event.UID), e.encode())
}

// writeMessages appends the messages to their chains.
func (o *accept) writeMessages(t *txn) error {
	for _, n := range o.messages {
		ordinal, err := t.message.NextSequence()
		if err != nil {
			return err
		}
		m := &message{ordinal: ordinal}
		m.NewMessage, m.Accepted, m.State = n.NewMessage, o.now, store.Queued
		t.delta.add(m.Mailer, store.Queued, 1)
		id := []byte(m.ID)
		err = errors.Join(
			t.message.Put(id, appendMessage(nil, store.Queued, ordinal, m.Mailer, n.json)),
			t.body.Put(id, n.body),
			t.open.Put(openKey(m), id),
			t.setLink(m, linkBlocked),
		)
		if err == nil {
			err = t.rehead(m, o.reserve)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (o *accept) reserve(id string) bool {
	if !o.s.leases.reserve(id) {
		return false
	}
	o.reserved = append(o.reserved, id)
	return true
}

func (o *accept) done(bool) {
	o.s.leases.drop(o.reserved...)
	o.reserved = nil
}
