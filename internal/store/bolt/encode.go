package bolt

import (
	"encoding/binary"
	"math"
	"time"
)

// key joins parts so that the result sorts like the parts do, and so that the
// parts in front are a prefix that no other first parts share. A NUL inside a
// part is escaped, because parts hold what users typed.
func key(parts ...string) []byte {
	size := 2 * len(parts)
	for _, p := range parts {
		size += len(p)
	}
	k := make([]byte, 0, size+16)
	for _, p := range parts {
		for i := range len(p) {
			if k = append(k, p[i]); p[i] == 0 {
				k = append(k, 0xFF)
			}
		}
		k = append(k, 0, 1)
	}
	return k
}

func appendNumber(k []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(k, n) }

// appendTime appends an instant so that keys sort by it. What does not fit is
// taken as the earliest or latest that does: it is as due, or as far away.
func appendTime(k []byte, t time.Time) []byte {
	return appendNumber(k, uint64(clampNano(t)))
}

var (
	earliest = time.Unix(0, 1)
	latest   = time.Unix(0, math.MaxInt64)
)

func clampNano(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return 1
	case t.After(latest):
		return math.MaxInt64
	}
	return t.UnixNano()
}

// readNumber takes a number off the front of b.
func readNumber(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) < 8 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(b), b[8:], true
}

// appendText appends a string with its length.
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// readText takes a string with its length off the front of b.
func readText(b []byte) (s string, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return "", nil, false
	}
	b = b[size:]
	return string(b[:n]), b[n:], true
}
