package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// acceptKey is the Key of an Acceptance.
type acceptKey struct {
	hash            [hashSize]byte
	fingerprint     [32]byte
	expires         time.Time
	unlessCancelled bool
	whileHeld       bool
	reply           []byte
}

// hashOf makes a short key of a text of any length, and keeps what the text
// says, perhaps an address, out of the file.
func hashOf(kind string, parts ...string) [hashSize]byte {
	return sha256.Sum256(key(append([]string{kind}, parts...)...))
}

func prepareKeys(all ...*store.Key) (out []*acceptKey) {
	for _, k := range all {
		if k == nil {
			continue
		}
		out = append(out, &acceptKey{
			hash: hashOf("key", k.Key), fingerprint: k.Fingerprint, expires: k.Expires,
			unlessCancelled: k.UnlessCancelled, whileHeld: k.WhileHeld, reply: bytes.Clone(k.Reply),
		})
	}
	return out
}

// keyRecord is a stored idempotency key.
type keyRecord struct {
	expires     int64
	fingerprint [32]byte
	uid         string
	reply       []byte
}

// encode lays out version, expiry, fingerprint, UID, reply.
func (k *keyRecord) encode() []byte {
	b := make([]byte, 0, 48+len(k.uid)+len(k.reply))
	b = append(b, recordVersion)
	b = appendNumber(b, uint64(k.expires))
	b = append(b, k.fingerprint[:]...)
	b = appendText(b, k.uid)
	return append(b, k.reply...)
}

func decodeKey(v []byte) (*keyRecord, error) {
	if len(v) < 1+8+32 || v[0] != recordVersion {
		return nil, fmt.Errorf("key: %w", errRecord)
	}
	expires, v, _ := readNumber(v[1:])
	k := &keyRecord{expires: int64(expires), fingerprint: [32]byte(v)}
	var ok bool
	if k.uid, v, ok = readText(v[32:]); !ok {
		return nil, fmt.Errorf("key: %w", errRecord)
	}
	k.reply = bytes.Clone(v)
	return k, nil
}

// loadKey returns nil if the key is unknown or has expired.
func (t *txn) loadKey(hash [hashSize]byte, now time.Time) (*keyRecord, error) {
	v := t.key.Get(hash[:])
	if v == nil {
		return nil, nil
	}
	k, err := decodeKey(v)
	if err != nil || k.expires <= clampNano(now) {
		return nil, err
	}
	return k, nil
}

// checkKeys looks the keys up before anything else. The first that is known
// answers.
func (o *accept) checkKeys(t *txn) (replay bool, err error) {
	for _, k := range o.keys {
		if replay, err = o.checkKey(t, k); err != nil || replay {
			return replay, err
		}
	}
	return false, nil
}

func (o *accept) checkKey(t *txn, k *acceptKey) (replay bool, err error) {
	known, err := t.loadKey(k.hash, o.now)
	if err != nil || known == nil {
		return false, err
	}
	if k.unlessCancelled {
		cancelled, err := t.cancelled(known.uid)
		if err != nil || cancelled {
			return false, err
		}
	}
	if k.whileHeld {
		hold := t.hold.Get([]byte(known.uid))
		if hold == nil || expired(hold, clampNano(o.now)) {
			return false, nil
		}
	}
	if known.fingerprint != k.fingerprint {
		return false, store.ErrKeyReused
	}
	o.receipt = store.Receipt{Replayed: true, Reply: known.reply}
	return true, nil
}

func (t *txn) cancelled(uid string) (bool, error) {
	e, err := t.loadEvent(uid)
	if err != nil || e == nil {
		return false, err
	}
	b, err := e.booking()
	return b.Status == booking.Cancelled, err
}

func (o *accept) writeKeys(t *txn) error {
	for _, k := range o.keys {
		record := &keyRecord{
			expires: clampNano(k.expires), fingerprint: k.fingerprint,
			uid: o.event.UID, reply: k.reply,
		}
		if err := t.key.Put(k.hash[:], record.encode()); err != nil {
			return err
		}
	}
	return nil
}

// Reply finds the reply of a key that has not expired.
func (s *Store) Reply(ctx context.Context, name string, now time.Time) (fingerprint [32]byte, reply []byte, err error) {
	err = s.read(ctx, func(t *txn) error {
		k, err := t.loadKey(hashOf("key", name), now)
		if err != nil {
			return err
		}
		if k == nil {
			return store.ErrNotFound
		}
		fingerprint, reply = k.fingerprint, k.reply
		return nil
	})
	return fingerprint, reply, err
}
