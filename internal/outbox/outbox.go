// Package outbox delivers the messages of a store: it claims what is due,
// hands it to mailers, and settles how it ended.
//
// Delivery is at least once. A message is sent when the server answered 250 to
// its final dot, and the outcome is on disk before the worker takes the next
// message. The one way to a duplicate is a process or connection that dies
// between the two; it has the same Message-ID.
package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Mailer delivers messages. It is safe for concurrent use.
type Mailer interface {
	// Deliver returns nil if and only if the message was taken for good, else
	// a *Failure. It returns soon after ctx is done.
	Deliver(ctx context.Context, m *store.NewMessage) error
}

// Lane is how one mailer's messages are sent.
type Lane struct {
	Mailer Mailer

	// Connections is how many deliveries run at once.
	Connections int
}

// Observer is told what happens. Its methods must return quickly; they are
// called from many goroutines.
type Observer interface {
	// Settled: a delivery ended, and the outcome is in the store. failure is
	// nil if the message was sent.
	Settled(job *store.Job, outcome store.Outcome, failure *Failure, took time.Duration)

	// Suspended: a mailer's server does not let us in, and its messages wait.
	// Resumed: it does again.
	Suspended(mailer string, failure *Failure)
	Resumed(mailer string)

	// Trouble: the store does not work. The work goes on when it does again.
	Trouble(mailer, doing string, err error)

	// Swept: so many events were forgotten.
	Swept(events int)
}

// Options are the settings of an Outbox.
type Options struct {
	// Lanes are the mailers by key. Messages of other mailers wait.
	Lanes map[string]Lane

	// Workers bounds the deliveries of all lanes together; 0 means no bound.
	Workers int

	// Retain is how long events are kept after their end; 0 means for ever.
	Retain time.Duration

	// Now is the wall clock. Default: time.Now.
	Now func() time.Time

	// Scale multiplies all retry delays, for tests; 0 means 1.
	Scale float64

	Observer Observer
}

// leaseTime is how long a claimed message is ours. It is renewed while the
// delivery runs, so it only matters to other processes on the same store.
const leaseTime = 2 * time.Minute

// Outbox is the workers of one configuration. Several may run on one store at
// the same time, because each message is leased to one of them.
type Outbox struct {
	store    store.Store
	options  Options
	clock    *clock
	workers  chan struct{} // nil: no bound
	claiming context.Context
	stop     context.CancelFunc
	sending  context.Context
	abort    context.CancelFunc
	running  sync.WaitGroup
}

// Start begins to deliver.
func Start(s store.Store, o Options) *Outbox {
	if o.Scale == 0 {
		o.Scale = 1
	}
	b := &Outbox{store: s, options: o, clock: newClock(o.Now)}
	if o.Workers > 0 {
		b.workers = make(chan struct{}, o.Workers)
	}
	b.claiming, b.stop = context.WithCancel(context.Background())
	b.sending, b.abort = context.WithCancel(context.Background())
	for key, lane := range o.Lanes {
		l := newLane(b, key, lane)
		b.running.Go(l.run)
	}
	if o.Retain > 0 {
		b.running.Go(b.sweep)
	}
	return b
}

// Stop ends the claiming of messages. Deliveries under way go on.
func (b *Outbox) Stop() { b.stop() }

// Wait returns when the last delivery was settled. When ctx is done first, the
// deliveries are broken off, and what is not settled by then will be sent by
// the next Outbox. Stop must have been called.
func (b *Outbox) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.running.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		b.abort()
		<-done
	}
	b.abort()
}

func (b *Outbox) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * b.options.Scale)
}
