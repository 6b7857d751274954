package caddytest

import (
	"sync"
	"testing"
)

// hurriedFlags make pauses of minutes last for fractions of a second.
var hurriedFlags = []string{"-ldflags", "-X github.com/caddyicalmail/caddyicalmail.retryScale=0.002"}

// hurried builds the second binary when the first test wants it. Only the
// linker has something to do.
var hurried = sync.OnceValues(func() (string, error) {
	path := executable("caddy-hurried")
	return path, build(path, hurriedFlags...)
})

// program is the binary to run.
func (h *Home) program(t testing.TB) string {
	t.Helper()
	if !h.Hurried {
		return binary
	}
	path, err := hurried()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
