package bolt

import (
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// txn is a transaction with its buckets at hand. What it changes in memory is
// collected and takes effect when it was committed.
type txn struct {
	s  *Store
	tx *bbolt.Tx

	event, id, message, body *bbolt.Bucket
	due, open, chain         *bbolt.Bucket
	key, counter, meta       *bbolt.Bucket
	slot, taken, hold, held  *bbolt.Bucket
	kept                     *bbolt.Bucket

	delta delta
}

func newTxn(s *Store, tx *bbolt.Tx) *txn {
	return &txn{
		s: s, tx: tx,
		event: tx.Bucket(bucketEvent), id: tx.Bucket(bucketID),
		message: tx.Bucket(bucketMessage), body: tx.Bucket(bucketBody),
		due: tx.Bucket(bucketDue), open: tx.Bucket(bucketOpen), chain: tx.Bucket(bucketChain),
		key: tx.Bucket(bucketKey), counter: tx.Bucket(bucketCounter), meta: tx.Bucket(bucketMeta),
		slot: tx.Bucket(bucketSlot), taken: tx.Bucket(bucketTaken),
		hold: tx.Bucket(bucketHold), held: tx.Bucket(bucketHeld), kept: tx.Bucket(bucketKept),
	}
}

// end closes a read transaction, if it was ever begun.
func (t *txn) end() {
	if t.tx != nil {
		t.tx.Rollback()
	}
}

// loadEvent returns nil if there is no such event.
func (t *txn) loadEvent(uid string) (*event, error) {
	v := t.event.Get([]byte(uid))
	if uid == "" || v == nil {
		return nil, nil
	}
	return decodeEvent(v)
}

// loadMessage fails if there is no such message, because only an index that
// is wrong asks for one.
func (t *txn) loadMessage(id string) (*message, error) {
	v := t.message.Get([]byte(id))
	if v == nil {
		return nil, fmt.Errorf("message %s: %w: it is missing", id, ErrDamaged)
	}
	return decodeMessage(id, v)
}

// saveMessage writes the state of a message and counts the change.
func (t *txn) saveMessage(m *message, before store.State) error {
	v, err := encodeMessage(m)
	if err != nil {
		return err
	}
	t.delta.move(m.Mailer, before, m.State)
	return t.message.Put([]byte(m.ID), v)
}

// doubtful says that a message may have been attempted by a process that did
// not live to record it.
func (t *txn) doubtful(m *message) bool {
	return m.ordinal <= t.s.doubt && !m.State.Terminal()
}

// public is m as the outside sees it.
func (t *txn) public(m *message) store.Message {
	out := m.Message
	out.Attempted = out.Attempted || t.doubtful(m)
	return out
}

func dueKey(m *message) []byte {
	return appendNumber(appendTime(key(m.Mailer), m.Due), m.ordinal)
}

func openKey(m *message) []byte {
	return appendNumber(appendTime(key(m.Mailer), m.Accepted), m.ordinal)
}

func chainKey(m *message) []byte {
	return appendNumber(appendNumber(chainPrefix(m.UID, m.To.Fold()), uint64(m.Sequence)), m.ordinal)
}

// chainPrefix leads to all messages of an event to one recipient.
func chainPrefix(uid, recipient string) []byte { return key(uid, recipient) }
