package bolt

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// ticks is how many ticks a window is divided into. A tick counts as long as
// any part of it may lie within the window, so a counter forgets up to one
// tick late, and never early.
const ticks = 64

// limit is a Limit with the key of its counter.
type limit struct {
	store.Limit
	hash  [hashSize]byte
	width int64 // of a tick, in nanoseconds
}

// prepareLimits keeps one limit for each counter, the strictest: an
// Acceptance counts once, however often it names a counter.
func prepareLimits(all []store.Limit) []limit {
	out := make([]limit, 0, len(all))
	for _, l := range all {
		n := limit{
			Limit: l, width: max(1, (int64(l.Window)+ticks-1)/ticks),
			hash: hashOf("counter", l.Counter, strconv.FormatInt(int64(l.Window), 10)),
		}
		i := slices.IndexFunc(out, func(o limit) bool { return o.hash == n.hash })
		switch {
		case i < 0:
			out = append(out, n)
		case l.Max < out[i].Max:
			out[i] = n
		}
	}
	return out
}

// tick counts the acceptances in one tick of time.
type tick struct {
	index int64
	n     uint32
}

// counted is a counter as it will be once this acceptance is counted.
type counted struct {
	hash  [hashSize]byte
	width int64
	ticks []tick // in order of index
}

// encode lays out version, expiry, width, ticks.
func (c *counted) encode() []byte {
	b := append(make([]byte, 0, 17+12*len(c.ticks)), recordVersion)
	b = appendNumber(b, uint64((c.ticks[len(c.ticks)-1].index+ticks+1)*c.width))
	b = appendNumber(b, uint64(c.width))
	for _, s := range c.ticks {
		b = appendNumber(b, uint64(s.index))
		b = binary.BigEndian.AppendUint32(b, s.n)
	}
	return b
}

// decodeTicks reads a counter.
func decodeTicks(v []byte) (all []tick, err error) {
	if len(v) < 17 || v[0] != recordVersion || (len(v)-17)%12 != 0 {
		return nil, fmt.Errorf("counter: %w", errRecord)
	}
	// The first numbers tell when all of it is forgotten, and are read by the
	// sweep alone.
	for v = v[17:]; len(v) > 0; v = v[12:] {
		index, rest, _ := readNumber(v)
		all = append(all, tick{int64(index), binary.BigEndian.Uint32(rest)})
	}
	return all, nil
}

// checkLimits refuses with the limit that lasts longest, because only then
// would one more be accepted. It plans the counting of all or none.
func (o *accept) checkLimits(t *txn) error {
	var worst *store.LimitError
	for _, l := range o.limits {
		c, err := t.loadCounter(l, o.now)
		if err != nil {
			return err
		}
		if wait := c.wait(l, o.now); wait > 0 {
			if worst == nil || wait > worst.RetryAfter {
				worst = &store.LimitError{Name: l.Name, RetryAfter: wait}
			}
			continue
		}
		c.add(o.now)
		o.counters = append(o.counters, c)
	}
	if worst != nil {
		return worst
	}
	return nil
}

// loadCounter leaves out ticks that no longer count, and those of a clock
// that was far ahead, which would otherwise lock people out for as long.
func (t *txn) loadCounter(l limit, now time.Time) (counted, error) {
	c := counted{hash: l.hash, width: l.width}
	v := t.counter.Get(l.hash[:])
	if v == nil {
		return c, nil
	}
	all, err := decodeTicks(v)
	current := clampNano(now) / l.width
	for _, s := range all {
		if s.index >= current-ticks && s.index <= current+ticks {
			c.ticks = append(c.ticks, s)
		}
	}
	return c, err
}

// wait is how long it takes until one more is within the limit: until enough
// ticks have gone out of the window, the oldest first.
func (c *counted) wait(l limit, now time.Time) time.Duration {
	if l.Max <= 0 {
		return max(1, l.Window)
	}
	sum := 0
	for _, s := range c.ticks {
		sum += int(s.n)
	}
	if sum < l.Max {
		return 0
	}
	for _, s := range c.ticks {
		if sum -= int(s.n); sum < l.Max {
			return time.Duration((s.index+ticks+1)*c.width - clampNano(now))
		}
	}
	return l.Window
}

// add counts one acceptance.
func (c *counted) add(now time.Time) {
	index := clampNano(now) / c.width
	i, found := slices.BinarySearchFunc(c.ticks, index, func(s tick, want int64) int {
		return int(max(-1, min(1, s.index-want)))
	})
	if !found {
		c.ticks = slices.Insert(c.ticks, i, tick{index: index})
	}
	c.ticks[i].n++
}
