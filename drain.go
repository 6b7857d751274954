package caddyicalmail

import (
	"context"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
)

const (
	// exitDrain is how long deliveries may go on when the process exits.
	// systemd kills Caddy 5 s after it asked it to stop.
	exitDrain = 3 * time.Second

	// reloadDrain bounds the deliveries of a config that was replaced. Each
	// has time-outs of its own; this is the end of all patience.
	reloadDrain = 30 * time.Minute
)

func init() { caddy.OnExit(func(context.Context) { replaced.finish() }) }

// replaced are the generations whose config is gone, and which still deliver.
var replaced = newDrain()

// drain is work in the background that the exit of the process waits for a
// little: what a mail server has taken would be sent again if it were not
// recorded.
type drain struct {
	running sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc

	// deadline is when the patience of the exit ends, which all share.
	deadline func() time.Time
}

func newDrain() *drain {
	d := &drain{deadline: sync.OnceValue(func() time.Time { return time.Now().Add(exitDrain) })}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// begin runs f in the background, with a context that ends after patience or
// when the process has to exit.
func (d *drain) begin(patience time.Duration, f func(context.Context)) {
	d.running.Go(func() {
		ctx, cancel := context.WithTimeout(d.ctx, patience)
		defer cancel()
		f(ctx)
	})
}

// finish waits for what runs, at most until the deadline of the exit.
func (d *drain) finish() {
	timer := time.AfterFunc(time.Until(d.deadline()), d.cancel)
	defer timer.Stop()
	d.running.Wait()
}
