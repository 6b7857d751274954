package integration_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// stall is a mail server that says nothing at one step, until it is released.
type stall struct {
	step smtptest.Step
	free chan struct{}
	once sync.Once

	mu    sync.Mutex
	count int
}

func newStall(step smtptest.Step) *stall { return &stall{step: step, free: make(chan struct{})} }

func (s *stall) hook(e smtptest.Event) error {
	if e.Step != s.step {
		return nil
	}
	s.mu.Lock()
	s.count++
	s.mu.Unlock()
	<-s.free
	return nil
}

func (s *stall) release() { s.once.Do(func() { close(s.free) }) }

// waiting is how many deliveries have come to the step.
func (s *stall) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// slowDot is a mail server that takes its time to acknowledge a message.
func slowDot(pause time.Duration) smtptest.Hook {
	return func(e smtptest.Event) error {
		if e.Step == smtptest.StepDot {
			<-time.After(pause)
		}
		return nil
	}
}

// waitArrived waits until every message of every booking has arrived, which
// may have been more than once, with others.
func (b bookings) waitArrived(t *testing.T, server *smtptest.Server) {
	t.Helper()
	missing := func() (missing []mailKey) {
		got := map[mailKey]bool{}
		for _, m := range server.Messages() {
			got[readArrival(t, m).mailKey] = true
		}
		for uid, client := range b {
			for _, to := range []string{client, deliveryHost} {
				if key := (mailKey{uid, to}); !got[key] {
					missing = append(missing, key)
				}
			}
		}
		return missing
	}
	if !caddytest.Poll(30*time.Second, func() bool { return len(missing()) == 0 }) {
		t.Errorf("lost: %v", slices.Clip(missing()))
	}
}
