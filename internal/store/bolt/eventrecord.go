package bolt

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const (
	hashSize   = 32
	keyRefSize = hashSize + 8
)

// event is a stored event with what leads to it.
type event struct {
	end  int64    // nanoseconds, for Sweep
	id   string   // the booking's own id
	keys []keyRef // idempotency keys that stand for it
	json []byte
}

// keyRef is an idempotency key that has to go with its event.
type keyRef struct {
	hash    [hashSize]byte
	expires int64
}

// encode lays out version, end, id, keys, JSON.
func (e *event) encode() []byte {
	b := make([]byte, 0, 32+len(e.id)+len(e.keys)*keyRefSize+len(e.json))
	b = append(b, recordVersion)
	b = appendNumber(b, uint64(e.end))
	b = appendText(b, e.id)
	refs := make([]byte, 0, len(e.keys)*keyRefSize)
	for _, k := range e.keys {
		refs = append(refs, k.hash[:]...)
		refs = appendNumber(refs, uint64(k.expires))
	}
	b = appendText(b, string(refs))
	return append(b, e.json...)
}

// decodeEvent decodes the front of an event record. json is the file's memory.
func decodeEvent(v []byte) (*event, error) {
	if len(v) == 0 || v[0] != recordVersion {
		return nil, fmt.Errorf("event: %w", errRecord)
	}
	e := &event{}
	end, v, ok := readNumber(v[1:])
	if ok {
		e.id, v, ok = readText(v)
	}
	var refs string
	if ok {
		refs, v, ok = readText(v)
	}
	if !ok || len(refs)%keyRefSize != 0 {
		return nil, fmt.Errorf("event: %w", errRecord)
	}
	e.end, e.json = int64(end), v
	for ; refs != ""; refs = refs[keyRefSize:] {
		k := keyRef{hash: [hashSize]byte([]byte(refs[:hashSize]))}
		n, _, _ := readNumber([]byte(refs[hashSize:keyRefSize]))
		k.expires = int64(n)
		e.keys = append(e.keys, k)
	}
	return e, nil
}

// booking decodes the JSON.
func (e *event) booking() (booking.Event, error) {
	var b booking.Event
	if err := json.Unmarshal(e.json, &b); err != nil {
		return booking.Event{}, fmt.Errorf("event: %w", errRecord)
	}
	return b, nil
}

// addKey remembers a key and forgets the expired ones.
func (e *event) addKey(k keyRef, now time.Time) {
	kept := e.keys[:0]
	for _, old := range e.keys {
		if old.expires > clampNano(now) && old.hash != k.hash {
			kept = append(kept, old)
		}
	}
	kept = append(kept, k)
	e.keys = kept
}
