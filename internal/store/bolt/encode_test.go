package bolt

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKeyOrder makes sure that joined keys sort as their parts do and that no
// part runs into the next.
func TestKeyOrder(t *testing.T) {
	parts := []string{"", "\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00b", "ab", "b", "é", "\xff"}
	for _, a := range parts {
		for _, b := range parts {
			if got, want := bytes.Compare(key(a), key(b)), strings.Compare(a, b); got != want {
				t.Errorf("%q and %q: order %d, want %d", a, b, got, want)
			}
			if a != b && bytes.HasPrefix(key(a), key(b)) {
				t.Errorf("the key of %q is a prefix of that of %q", b, a)
			}
			first, rest, ok := cutPart(key(a, b))
			second, rest, ok2 := cutPart(rest)
			if !ok || !ok2 || first != a || second != b || len(rest) > 0 {
				t.Errorf("%q, %q came back as %q, %q", a, b, first, second)
			}
		}
	}
}

func TestTimeOrder(t *testing.T) {
	times := []time.Time{
		{}, time.Unix(0, 0), time.Unix(1, 0), time.Unix(1, 1), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(0, math.MaxInt64), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	if !slices.IsSortedFunc(times, func(a, b time.Time) int {
		return bytes.Compare(appendTime(nil, a), appendTime(nil, b))
	}) {
		t.Error("times do not sort")
	}
}

// FuzzRecords decodes anything.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{1, 'q', 0, 0, 0, 0, 0, 0, 0, 1, 1, 'm', '{', '}'})
	f.Add((&event{id: "i", keys: []keyRef{{}}, json: []byte("{}")}).encode())
	f.Add((&keyRecord{uid: "u", reply: []byte("r")}).encode())
	f.Add((&counted{width: 1, ticks: []tick{{1, 1}}}).encode())
	f.Add(slotKey(span{start: 1, end: 2}, ownerOf("u")))
	f.Add(encodeOccupied(1, firm))
	f.Add(takenKey(span{start: 1, end: 2}, ownerOf("u")))
	f.Add((&hold{until: 2, slotsUntil: 1}).encode())
	f.Fuzz(func(t *testing.T, v []byte) {
		if m, err := decodeMessage("id", v); err == nil {
			if _, err := encodeMessage(m); err != nil {
				t.Error(err)
			}
		}
		if e, err := decodeEvent(v); err == nil {
			_, _ = e.booking()
			if again, err := decodeEvent(e.encode()); err != nil || again.id != e.id || len(again.keys) != len(e.keys) {
				t.Errorf("event record changed: %v", err)
			}
		}
		if k, err := decodeKey(v); err == nil {
			if again, err := decodeKey(k.encode()); err != nil || again.uid != k.uid {
				t.Errorf("key record changed: %v", err)
			}
		}
		decodeSlots(t, v)
		_, _ = decodeTicks(v)
		_, _, _ = cutPart(v)
		expired(v, 1)
	})
}

// decodeSlots decodes anything as the records of slots and holds.
func decodeSlots(t *testing.T, v []byte) {
	t.Helper()
	o, err := decodeOccupied(v, encodeOccupied(1, 2))
	if err == nil && !bytes.Equal(slotKey(o.span, o.by), v) {
		t.Error("slot key changed")
	}
	o, err = decodeOccupied(slotKey(span{}, owner{}), v)
	if err == nil && !bytes.Equal(encodeOccupied(o.start, o.until), v) {
		t.Error("slot record changed")
	}
	s, err := decodeTaken(v, appendNumber(nil, 1))
	if err == nil && !bytes.Equal(takenKey(s, owner(v)), v) {
		t.Error("key of a taken slot changed")
	}
	_, _ = decodeTaken(takenKey(span{}, owner{}), v)
	if h, err := decodeHold(v); err == nil && !bytes.Equal(h.encode(), v) {
		t.Error("hold record changed")
	}
}

// cutPart takes the first part off a key.
func cutPart(k []byte) (part string, rest []byte, ok bool) {
	buf := make([]byte, 0, len(k))
	for i := 0; i+1 < len(k); i++ {
		if k[i] != 0 {
			buf = append(buf, k[i])
			continue
		}
		switch i++; k[i] {
		case 0xFF:
			buf = append(buf, 0)
		case 1:
			return string(buf), k[i+1:], true
		default:
			return "", nil, false
		}
	}
	return "", nil, false
}
