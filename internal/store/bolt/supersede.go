package bolt

import (
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// The iTIP methods that matter here (RFC 5546, section 3.2).
const (
	methodRequest = "REQUEST"
	methodCancel  = "CANCEL"
)

// planSupersede finds the older messages that nobody can have seen, and drops
// the CANCELs to recipients who never heard of the event.
func (o *accept) planSupersede(t *txn) error {
	heard := make(map[string]bool)
	for _, m := range o.messages {
		recipient := m.To.Fold()
		if _, done := heard[recipient]; done {
			continue
		}
		var err error
		if heard[recipient], err = o.supersedeFor(t, recipient, m.Sequence); err != nil {
			return err
		}
	}
	kept := make([]newMessage, 0, len(o.messages))
	for _, m := range o.messages {
		if m.Method != methodCancel || heard[m.To.Fold()] {
			kept = append(kept, m)
		}
	}
	o.messages = kept
	return nil
}

// supersedeFor plans for one recipient, and reports whether the recipient may
// know of the event: unless there were REQUESTs and all of them were
// superseded.
func (o *accept) supersedeFor(t *txn, recipient string, sequence int) (heard bool, err error) {
	chain, err := t.chained(chainPrefix(o.event.UID, recipient))
	if err != nil {
		return false, err
	}
	requests, unheard := 0, 0
	for _, c := range chain {
		if c.link == linkSettled {
			continue // what a settled one was is looked up below, if it matters
		}
		m, err := t.loadMessage(c.id)
		if err != nil {
			return false, err
		}
		gone := c.link == linkSuperseded
		if c.link.open() && m.Sequence <= sequence && o.unseen(t, m) {
			o.superseded = append(o.superseded, m)
			gone = true
		}
		if m.Method == methodRequest {
			requests++
			if gone {
				unheard++
			}
		}
	}
	if requests == 0 || unheard < requests {
		return true, nil
	}
	return settledRequest(t, chain)
}

// settledRequest looks for a REQUEST that was sent, or failed, which does not
// mean that it did not arrive.
func settledRequest(t *txn, chain []chained) (bool, error) {
	for _, c := range chain {
		if c.link != linkSettled {
			continue
		}
		m, err := t.loadMessage(c.id)
		if err != nil || m.Method == methodRequest {
			return true, err
		}
	}
	return false, nil
}

// unseen says that a message was certainly never attempted as far as DATA,
// and makes sure that it is not leased from now on. A message that was leased
// and not settled may be anywhere, also when the lease ran out.
func (o *accept) unseen(t *txn, m *message) bool {
	return !m.Attempted && !t.doubtful(m) && o.reserve(m.ID)
}

// supersede settles a message for good without a delivery. The new message
// takes its place in the due index when it is written.
func (t *txn) supersede(m *message, now time.Time) error {
	if err := t.due.Delete(dueKey(m)); err != nil {
		return err
	}
	before := m.State
	m.State, m.Settled = store.Superseded, now
	if err := t.close(m); err != nil {
		return err
	}
	if err := t.saveMessage(m, before); err != nil {
		return err
	}
	return t.setLink(m, linkSuperseded)
}
