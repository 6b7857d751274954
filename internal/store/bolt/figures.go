package bolt

import (
	"maps"
	"sync"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// count is how many messages of a mailer are in the states that matter.
type count struct{ queued, deferred, failed int }

func (c *count) add(s store.State, n int) {
	switch s {
	case store.Queued:
		c.queued += n
	case store.Deferred:
		c.deferred += n
	case store.Failed:
		c.failed += n
	}
}

// delta is what a transaction changes in the figures.
type delta struct {
	mailers map[string]count
	events  int
}

func (d *delta) add(mailer string, s store.State, n int) {
	if d.mailers == nil {
		d.mailers = make(map[string]count)
	}
	c := d.mailers[mailer]
	c.add(s, n)
	d.mailers[mailer] = c
}

// move counts a message out of one state into another; "" is no state.
func (d *delta) move(mailer string, from, to store.State) {
	d.add(mailer, from, -1)
	d.add(mailer, to, +1)
}

// figures are counted at Open and kept in step by every commit, so that Stats
// costs nothing, however many messages there are.
type figures struct {
	mu sync.Mutex
	delta
}

func (f *figures) apply(d delta) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mailers == nil {
		f.mailers = make(map[string]count)
	}
	f.events += d.events
	for mailer, c := range d.mailers {
		sum := f.mailers[mailer]
		sum.queued += c.queued
		sum.deferred += c.deferred
		sum.failed += c.failed
		if sum == (count{}) {
			delete(f.mailers, mailer)
			continue
		}
		f.mailers[mailer] = sum
	}
}

func (f *figures) get() (events int, mailers map[string]count) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.events, maps.Clone(f.mailers)
}
