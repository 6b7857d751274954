package outbox

import (
	"sync"
	"time"
)

// growAfter is after how many messages in a row a lane that was told to slow
// down opens one more connection.
const growAfter = 20

// throttle decides how many messages of a lane may be under way. It learns
// how a delivery ended before the message goes back to the store, so that a
// message which could not be sent is not claimed again at once.
type throttle struct {
	observer Observer
	key      string
	scaled   func(time.Duration) time.Duration
	most     int // connections by configuration

	mu     sync.Mutex
	limit  int // connections that the server bears at present
	active int
	streak int // messages sent since limit was changed

	// A lane is paused while the server cannot be reached or refuses us: one
	// message at a time is tried, after waits that become longer.
	paused    bool
	suspended bool // the server refuses us
	vain      int  // attempts in a row without a session
	resumeAt  time.Time
}

// free is how many messages may be begun now.
func (t *throttle) free() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.paused {
		return t.limit - t.active
	}
	if t.active > 0 || time.Now().Before(t.resumeAt) {
		return 0
	}
	return 1
}

// rest is how long nothing may be begun, whatever there is to do.
func (t *throttle) rest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.paused {
		return 0
	}
	return max(time.Until(t.resumeAt), 0)
}

// begin counts a message under way, and end one that is not any more.
func (t *throttle) begin() {
	t.mu.Lock()
	t.active++
	t.mu.Unlock()
}

func (t *throttle) end() {
	t.mu.Lock()
	t.active--
	t.mu.Unlock()
}

// learn adapts to how a delivery ended; nil means that the message was sent.
func (t *throttle) learn(f *Failure) {
	before, after := t.adapt(f)
	// Observers run foreign code, so that the lock is not held here.
	switch {
	case after && !before:
		t.observer.Suspended(t.key, f)
	case before && !after:
		t.observer.Resumed(t.key)
	}
}

// adapt returns whether the lane was suspended before, and is after.
func (t *throttle) adapt(f *Failure) (before, after bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before = t.suspended
	switch {
	case f == nil:
		t.resume()
		t.grow()
	case f.Class == Unreachable && t.active > 1:
		// The server has no place for so many connections, but others work.
		t.shrink()
	case f.Class == Unreachable || f.Class == Refused:
		t.pause(f)
	case f.Code == 421 || f.Code == 450:
		t.resume()
		t.shrink()
	default:
		t.resume()
	}
	return before, t.suspended
}

func (t *throttle) shrink() {
	t.limit = max(t.limit/2, 1)
	t.streak = 0
}

func (t *throttle) grow() {
	if t.limit == t.most {
		return
	}
	if t.streak++; t.streak >= growAfter {
		t.limit++
		t.streak = 0
	}
}

// pause makes the lane wait before it tries one message again.
func (t *throttle) pause(f *Failure) {
	if f.Class == Refused && !t.suspended {
		t.suspended, t.vain = true, 0
	}
	t.paused = true
	t.vain++
	t.resumeAt = time.Now().Add(t.scaled(pauseDelay(f.Class, t.vain)))
}

func (t *throttle) resume() {
	t.paused, t.suspended, t.vain = false, false, 0
}
