package bolt

import (
	"errors"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// forget removes an event with everything that belongs to it. What it occupies
// stays until it is over, unless it was only held. It returns the IDs of the
// messages.
func (t *txn) forget(uid string, e *event, b *booking.Event) ([]string, error) {
	all, err := t.messagesOf(uid)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.ID
		if err := t.forgetMessage(m); err != nil {
			return nil, err
		}
	}
	if e.id != "" {
		if err := t.id.Delete(key(b.Scope, e.id)); err != nil {
			return nil, err
		}
	}
	for _, k := range e.keys {
		if err := t.forgetKey(k, uid); err != nil {
			return nil, err
		}
	}
	if err := t.forgetHold(uid); err != nil {
		return nil, err
	}
	t.delta.events--
	return ids, t.event.Delete([]byte(uid))
}

func (t *txn) forgetMessage(m *message) error {
	t.delta.add(m.Mailer, m.State, -1)
	id := []byte(m.ID)
	return errors.Join(
		t.due.Delete(dueKey(m)),
		t.open.Delete(openKey(m)),
		t.chain.Delete(chainKey(m)),
		t.body.Delete(id),
		t.message.Delete(id),
	)
}

// forgetKey removes a key unless it stands for another event by now.
func (t *txn) forgetKey(ref keyRef, uid string) error {
	v := t.key.Get(ref.hash[:])
	if v == nil {
		return nil
	}
	k, err := decodeKey(v)
	if err != nil || k.uid != uid {
		return err
	}
	return t.key.Delete(ref.hash[:])
}
