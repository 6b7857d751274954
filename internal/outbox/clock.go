package outbox

import (
	"sync"
	"time"
)

const (
	// jumpLimit is how far the wall clock may run ahead of real time between
	// two looks before it counts as set forward.
	jumpLimit = 5 * time.Minute

	// jumpGrace is how long after that nothing is given up for lateness.
	jumpGrace = 15 * time.Minute
)

// clock is the wall clock, but it never goes backwards while the process
// runs: otherwise what was accepted before the clock was set back would not
// be due for as long as it was set back. A clock that was set far forward is
// noticed, so that messages are not given up because of it.
type clock struct {
	wall func() time.Time
	mono func() time.Duration // since any fixed moment

	mu       sync.Mutex
	last     time.Time     // what now returned last
	at       time.Duration // when, by mono
	suspect  bool
	jumpedAt time.Duration
}

func newClock(wall func() time.Time) *clock {
	if wall == nil {
		wall = time.Now
	}
	start := time.Now()
	return &clock{wall: wall, mono: func() time.Duration { return time.Since(start) }}
}

// late reports whether t is over by the wall clock, which is the one by which
// t was chosen. It is never late while the clock may be wrong.
func (c *clock) late(t time.Time) bool {
	_, suspect := c.now()
	return !suspect && c.wall().After(t)
}

// now is the time, and whether lateness may be due to a clock that was set
// forward a short while ago.
func (c *clock) now() (t time.Time, suspect bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Round strips the monotonic reading, which would hide a change.
	wall, mono := c.wall().Round(0), c.mono()
	if !c.last.IsZero() {
		expected := c.last.Add(mono - c.at)
		if wall.Before(expected) {
			wall = expected
		} else if wall.Sub(expected) > jumpLimit {
			c.suspect, c.jumpedAt = true, mono
		}
	}
	c.last, c.at = wall, mono
	if c.suspect && mono-c.jumpedAt > jumpGrace {
		c.suspect = false
	}
	return wall, c.suspect
}
