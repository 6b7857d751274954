package bolt

import (
	"fmt"
)

// A chain is all messages of one event to one recipient, in order of
// SEQUENCE. Only one of them is in the due index: the first that is not
// settled, its head. So order is kept without looking for it, and messages
// that wait for another cost nothing.

// link is what the chain knows of a message.
type link byte

const (
	linkHead       link = 'h' // in the due index
	linkBlocked    link = 'b' // waits for the head
	linkSettled    link = 's'
	linkSuperseded link = 'x'
)

func (l link) open() bool { return l == linkHead || l == linkBlocked }

// chained is an element of a chain.
type chained struct {
	link link
	id   string
}

func decodeChained(v []byte) (chained, error) {
	if len(v) < 2 {
		return chained{}, fmt.Errorf("chain: %w", errRecord)
	}
	return chained{link: link(v[0]), id: string(v[1:])}, nil
}

// chained lists a chain, or all chains of an event if prefix is key(uid).
func (t *txn) chained(prefix []byte) (all []chained, err error) {
	each(t.chain, prefix, func(_, v []byte) bool {
		var c chained
		c, err = decodeChained(v)
		all = append(all, c)
		return err == nil
	})
	return all, err
}

func (t *txn) setLink(m *message, l link) error {
	return t.chain.Put(chainKey(m), append([]byte{byte(l)}, m.ID...))
}

// rehead puts the right message of a chain into the due index. A head that is
// being delivered stays, even if an older message came late: at most one is
// in flight. It begins at m, a message of the chain that was just written.
// Reservations are left for the caller to end.
func (t *txn) rehead(m *message, reserve func(id string) bool) error {
	all, err := t.chained(chainPrefix(m.UID, m.To.Fold()))
	if err != nil {
		return err
	}
	var first, current *chained
	for i := range all {
		if first == nil && all[i].link.open() {
			first = &all[i]
		}
		if all[i].link == linkHead {
			current = &all[i]
		}
	}
	if first == nil || first == current {
		return nil
	}
	if current != nil {
		if !reserve(current.id) {
			return nil
		}
		if err := t.demote(current.id); err != nil {
			return err
		}
	}
	if first.id != m.ID {
		if m, err = t.loadMessage(first.id); err != nil {
			return err
		}
	}
	return t.promote(m)
}

func (t *txn) promote(m *message) error {
	if err := t.due.Put(dueKey(m), []byte(m.ID)); err != nil {
		return err
	}
	return t.setLink(m, linkHead)
}

func (t *txn) demote(id string) error {
	m, err := t.loadMessage(id)
	if err != nil {
		return err
	}
	if err := t.due.Delete(dueKey(m)); err != nil {
		return err
	}
	return t.setLink(m, linkBlocked)
}
