package bolt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// firm is the until of a slot that does not end by itself.
const firm = 0

// span is a Slot as it is stored. Resources are hashed, so that they take as
// many bytes whatever they are called.
type span struct {
	resource   [hashSize]byte
	start, end int64 // nanoseconds
}

// owner stands for an event in what it occupies. It is a hash of the UID, so
// that slots which outlive an erased event do not lead back to it.
type owner [hashSize]byte

func ownerOf(uid string) owner { return hashOf("owner", uid) }

// prepareSlots sorts slots by resource and start, and joins those that overlap
// or touch, so that an event is never in its own way. It keeps nil apart from
// empty.
func prepareSlots(all []store.Slot) []span {
	if all == nil {
		return nil
	}
	sorted := make([]span, len(all))
	for i, s := range all {
		sorted[i] = span{hashOf("resource", s.Resource), clampNano(s.Start), clampNano(s.End)}
	}
	slices.SortFunc(sorted, func(a, b span) int {
		return cmp.Or(bytes.Compare(a.resource[:], b.resource[:]), cmp.Compare(a.start, b.start))
	})
	joined := sorted[:0]
	for _, s := range sorted {
		last := len(joined) - 1
		if last >= 0 && joined[last].resource == s.resource && s.start <= joined[last].end {
			joined[last].end = max(joined[last].end, s.end)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// slotKey joins resource, end and owner. The end comes first because what
// overlaps a wanted span is then found forwards from the wanted start.
func slotKey(s span, by owner) []byte {
	k := make([]byte, 0, hashSize+8+hashSize)
	k = appendNumber(append(k, s.resource[:]...), uint64(s.end))
	return append(k, by[:]...)
}

// occupied is a slot of the index.
type occupied struct {
	span
	by    owner
	until int64 // nanoseconds, or firm
}

// encodeOccupied lays out version, start, until. The rest is in the key.
func encodeOccupied(start, until int64) []byte {
	b := append(make([]byte, 0, 1+8+8), recordVersion)
	return appendNumber(appendNumber(b, uint64(start)), uint64(until))
}

func decodeOccupied(k, v []byte) (o occupied, err error) {
	if len(k) != hashSize+8+hashSize || len(v) != 1+8+8 || v[0] != recordVersion {
		return o, fmt.Errorf("slot: %w", errRecord)
	}
	o.resource, o.by = [hashSize]byte(k), owner(k[hashSize+8:])
	end, _, _ := readNumber(k[hashSize:])
	start, v, _ := readNumber(v[1:])
	until, _, _ := readNumber(v)
	o.start, o.end, o.until = int64(start), int64(end), int64(until)
	return o, nil
}

// takenKey joins owner, resource and end. Each slot has a record of its own,
// because bbolt would write a long one anew with every neighbor of it.
func takenKey(s span, by owner) []byte {
	k := make([]byte, 0, hashSize+hashSize+8)
	return appendNumber(append(append(k, by[:]...), s.resource[:]...), uint64(s.end))
}

// decodeTaken decodes a record whose value is the start.
func decodeTaken(k, v []byte) (s span, err error) {
	if len(k) != hashSize+hashSize+8 || len(v) != 8 {
		return s, fmt.Errorf("taken slot: %w", errRecord)
	}
	end, _, _ := readNumber(k[hashSize+hashSize:])
	start, _, _ := readNumber(v)
	return span{[hashSize]byte(k[hashSize:]), int64(start), int64(end)}, nil
}
