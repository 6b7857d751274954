package caddytest

import (
	"testing"
	"time"
)

const (
	pollInterval = 10 * time.Millisecond
	pollTimeout  = 30 * time.Second
)

// Poll asks until the answer is yes or the time is over, and returns the last
// answer.
func Poll(timeout time.Duration, ready func() bool) bool {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	deadline := time.Now().Add(timeout)
	for {
		if ready() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		<-ticker.C
	}
}

// Eventually fails the test if what it waits for does not become true.
func Eventually(t testing.TB, what string, ready func() bool) {
	t.Helper()
	if !Poll(pollTimeout, ready) {
		t.Fatalf("waited %s in vain until %s", pollTimeout, what)
	}
}
