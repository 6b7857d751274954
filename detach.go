package caddyicalmail

import (
	"context"
	"sync"
	"time"
)

// backEndTimeout bounds how long the back end may take to begin its answer
// after the client has left. While the client waits, the client decides.
const backEndTimeout = 5 * time.Minute

// detached is the context of a request to the back end. It goes on when the
// client leaves, because what the back end has begun to book must not be
// broken off, until the back end has begun to answer.
type detached struct {
	context.Context
	cancel context.CancelFunc
	client context.Context

	mu       sync.Mutex
	unwatch  func() bool
	patience *time.Timer
}

func detach(client context.Context) *detached {
	d := &detached{client: client}
	d.Context, d.cancel = context.WithCancel(context.WithoutCancel(client))
	d.unwatch = context.AfterFunc(client, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.patience = time.AfterFunc(backEndTimeout, d.cancel)
	})
	return d
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
	if d.patience != nil {
		d.patience.Stop()
	}
	d.cancel()
}
