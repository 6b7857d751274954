package caddyicalmail

import (
	"context"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

const (
	// backEndTimeout bounds how long the back end may take to begin its answer
	// after the client has left. While the client waits, the client decides.
	backEndTimeout = 5 * time.Minute

	// exitTimeout bounds it when the process is told to end, which waits for
	// all requests.
	exitTimeout = 2 * time.Second

	// exitLook is how often that is looked at: Caddy tells nobody before it
	// begins to wait.
	exitLook = time.Second
)

// detached is the context of a request to the back end. It goes on when the
// client leaves, because what the back end has begun to book must not be
// broken off, until the back end has begun to answer.
type detached struct {
	context.Context
	cancel context.CancelFunc
	client context.Context

	mu      sync.Mutex
	unwatch func() bool
}

func detach(client context.Context) *detached {
	d := &detached{client: client}
	d.Context, d.cancel = context.WithCancel(context.WithoutCancel(client))
	d.unwatch = context.AfterFunc(client, d.lose)
	return d
}

// lose waits for the back end after the client has left, but not forever.
func (d *detached) lose() {
	ticker := time.NewTicker(exitLook)
	defer ticker.Stop()
	for left := backEndTimeout; left > 0; left -= exitLook {
		if caddy.Exiting() {
			left = min(left, exitTimeout)
		}
		select {
		case <-ticker.C:
		case <-d.Done():
			return
		}
	}
	d.cancel()
}

// relink makes the context end with the client's again: what streams now is
// for the client alone.
func (d *detached) relink() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unwatch()
	d.unwatch = context.AfterFunc(d.client, d.cancel)
}

// end ends the context.
func (d *detached) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unwatch()
	d.cancel()
}
