package bolt

import (
	"context"
	"fmt"
	"slices"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Settle ends leases.
func (s *Store) Settle(ctx context.Context, outcomes ...store.Outcome) error {
	for _, o := range outcomes {
		switch o.State {
		case store.Sent, store.Deferred, store.Failed, store.Queued:
		default:
			return fmt.Errorf("settling message %s: state %q is no outcome", o.Lease.MessageID, o.State)
		}
	}
	o := &settle{s: s, outcomes: slices.Clone(outcomes)}
	if err := s.do(ctx, o); err != nil {
		return err
	}
	s.bell.ring()
	if o.lost {
		return store.ErrLeaseLost
	}
	return nil
}

// settle is the op of Settle.
type settle struct {
	s        *Store
	outcomes []store.Outcome

	held     []held // those whose lease is held
	reserved []string
	lost     bool
}

// held is an outcome with the message that it is about.
type held struct {
	store.Outcome
	m *message
}

func (o *settle) check(t *txn) (bool, error) {
	o.held, o.reserved, o.lost = nil, nil, false
	writes := false
	for _, out := range o.outcomes {
		id := out.Lease.MessageID
		if t.message.Get([]byte(id)) == nil || !o.s.leases.begin(out.Lease) {
			o.lost = true
			continue
		}
		m, err := t.loadMessage(id) // done gives the lease back in any case
		o.held = append(o.held, held{out, m})
		if err != nil {
			return false, err
		}
		writes = writes || !asItWas(out, m)
	}
	return writes, nil
}

// asItWas says that an outcome only gives the lease back, which needs no
// fsync: a Caddy that stops gives back many.
func asItWas(o store.Outcome, m *message) bool {
	due := o.Due.IsZero() || o.Due.Equal(m.Due)
	return o.State == store.Queued && due && (!o.Attempted || m.Attempted)
}

func (o *settle) write(t *txn) error {
	for _, h := range o.held {
		if asItWas(h.Outcome, h.m) {
			continue
		}
		if err := o.record(t, h); err != nil {
			return err
		}
	}
	return nil
}

// record writes one outcome and puts the chain's next message in its place.
func (o *settle) record(t *txn, h held) error {
	m := h.m
	if err := t.due.Delete(dueKey(m)); err != nil {
		return err
	}
	before := m.State
	h.apply()
	next := linkBlocked
	if m.State.Terminal() {
		next = linkSettled
		if err := t.close(m); err != nil {
			return err
		}
	}
	if err := t.saveMessage(m, before); err != nil {
		return err
	}
	if err := t.setLink(m, next); err != nil {
		return err
	}
	return t.rehead(m, o.reserve)
}

// apply changes the message as the outcome says.
func (h held) apply() {
	m := h.m
	m.Attempted = m.Attempted || h.Attempted || h.State == store.Sent
	if h.State == store.Queued || h.State == store.Deferred {
		if !h.Due.IsZero() {
			m.Due = h.Due
		}
	} else {
		m.Settled = h.Now
	}
	if h.State == store.Queued {
		return // as it was
	}
	m.State = h.State
	m.Attempts++
	m.Code, m.Error = h.Code, h.Outcome.Error
}

// close takes a settled message out of the backlog. The body of one that
// failed is kept, because its operator may want to see or resend it.
func (t *txn) close(m *message) error {
	if err := t.open.Delete(openKey(m)); err != nil {
		return err
	}
	if m.State == store.Failed {
		return nil
	}
	return t.body.Delete([]byte(m.ID))
}

func (o *settle) reserve(id string) bool {
	if !o.s.leases.reserve(id) {
		return false
	}
	o.reserved = append(o.reserved, id)
	return true
}

func (o *settle) done(committed bool) {
	for _, h := range o.held {
		o.s.leases.end(h.Lease.MessageID, committed)
	}
	o.s.leases.drop(o.reserved...)
}
