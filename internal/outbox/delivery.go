package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// errExpired is the end of a message that could not be sent in time.
var errExpired = errors.New("not sent in time")

// settleDelay is the longest wait between two attempts to record an outcome.
const settleDelay = 15 * time.Second

// delivery is one attempt to deliver one message.
type delivery struct {
	lane   *lane
	outbox *Outbox
	job    *store.Job
}

// run delivers the message and returns when the outcome is on disk, or will
// never be. Until then it keeps its place in the lane: a worker that cannot
// record what it sent must not send more.
func (d *delivery) run() {
	defer d.renew()()
	began := time.Now()
	failure, tried := d.attempt()
	if tried {
		d.lane.throttle.learn(failure)
	}
	outcome := d.outcome(failure)
	if d.settle(outcome) && (tried || outcome.State.Terminal()) {
		d.outbox.options.Observer.Settled(d.job, outcome, failure, time.Since(began))
	}
}

// attempt hands the message to the mailer, when its turn among all workers
// has come. It is not tried if it is too late for the message, or if the
// outbox is being shut down.
func (d *delivery) attempt() (failure *Failure, tried bool) {
	if d.outbox.clock.late(d.job.Expires) {
		return &Failure{Class: Permanent, Err: errExpired}, false
	}
	if w := d.outbox.workers; w != nil {
		select {
		case w <- struct{}{}:
			defer func() { <-w }()
		case <-d.outbox.claiming.Done():
			return &Failure{Class: Unreachable, Err: context.Canceled}, false
		}
	}
	err := d.lane.mailer.Deliver(d.outbox.sending, &d.job.NewMessage)
	if err == nil {
		return nil, true
	}
	if !errors.As(err, &failure) {
		failure = &Failure{Class: Temporary, Err: err}
	}
	if d.outbox.sending.Err() != nil && !failure.Reached {
		// We broke it off ourselves: it was no attempt.
		return &Failure{Class: Unreachable, Err: err}, false
	}
	return failure, true
}

// outcome is what a failure, or none, means for the message.
func (d *delivery) outcome(f *Failure) store.Outcome {
	now, _ := d.outbox.clock.now()
	o := store.Outcome{Lease: d.job.Lease, Now: now}
	if f == nil {
		o.State, o.Attempted = store.Sent, true
		return o
	}
	o.Code, o.Error, o.Attempted = f.Code, string(f.Class), f.Reached
	switch f.Class {
	case Permanent:
		o.State = store.Failed
	case Unreachable, Refused:
		// The server has not heard of the message: it goes back as it was.
		o.State, o.Due = store.Queued, d.job.Due
	default:
		o.State, o.Due = store.Deferred, now.Add(d.outbox.scaled(retryDelay(d.job.Attempts+1)))
		if d.outbox.clock.late(d.job.Expires.Add(now.Sub(o.Due))) {
			o.State = store.Failed // the next attempt would come too late
		}
	}
	return o
}

// settle records the outcome, however long that takes: an outcome that is
// forgotten makes the next owner of the message send it again. It reports
// false if the outcome cannot be recorded any more.
func (d *delivery) settle(o store.Outcome) bool {
	for wait := time.Second; ; wait = min(2*wait, settleDelay) {
		// Not bound to the contexts of the outbox: a message that was sent
		// while those ended is still to be recorded.
		err := d.outbox.store.Settle(context.Background(), o)
		if err == nil {
			return true
		}
		d.outbox.options.Observer.Trouble(d.lane.key, "recording a delivery", err)
		if errors.Is(err, store.ErrLeaseLost) || errors.Is(err, store.ErrClosed) {
			return false
		}
		select {
		case <-time.After(wait):
		case <-d.outbox.sending.Done():
			return false
		}
	}
}

// renew keeps the lease until the returned function is called.
func (d *delivery) renew() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	lease := d.job.Lease
	go func() {
		defer close(done)
		ticker := time.NewTicker(leaseTime / 4)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				now, _ := d.outbox.clock.now()
				if renewed, err := d.outbox.store.Extend(ctx, lease, now.Add(leaseTime)); err == nil {
					lease = renewed
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
