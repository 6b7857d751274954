package caddyicalmail

import "sync"

// lifetime counts who still uses what a config holds, and lets go of it when
// nobody does. It is needed because Caddy lets requests of an old config go on
// after the config's Cleanup.
type lifetime struct {
	mu      sync.Mutex
	users   int
	release func()
}

// newLifetime returns a lifetime with one user. The last one who leaves calls
// release.
func newLifetime(release func()) *lifetime {
	return &lifetime{users: 1, release: release}
}

// enter adds a user. It reports false if all had left already.
func (l *lifetime) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		return false
	}
	l.users++
	return true
}

// leave removes a user.
func (l *lifetime) leave() {
	l.mu.Lock()
	l.users--
	last := l.users == 0
	l.mu.Unlock()
	if last {
		l.release()
	}
}
