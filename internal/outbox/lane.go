package outbox

import (
	"context"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const (
	// pollTime is how long a lane sleeps at most: the wall clock may be set
	// while it sleeps, and other processes may add messages.
	pollTime = 30 * time.Second

	// shortest is the shortest sleep when there is nothing to wait for.
	shortest = time.Second
)

// lane sends the messages of one mailer.
type lane struct {
	outbox   *Outbox
	key      string
	mailer   Mailer
	throttle *throttle
	ended    chan struct{} // receives when a delivery has ended
}

func newLane(b *Outbox, key string, l Lane) *lane {
	connections := max(l.Connections, 1)
	return &lane{
		outbox: b,
		key:    key,
		mailer: l.Mailer,
		throttle: &throttle{
			observer: b.options.Observer, key: key, scaled: b.scaled, most: connections, limit: connections,
		},
		ended: make(chan struct{}, 1),
	}
}

// run claims and delivers until the outbox stops.
func (l *lane) run() {
	ctx := l.outbox.claiming
	for ctx.Err() == nil {
		free := l.throttle.free()
		if free <= 0 {
			l.sleep(ctx, nil, pollTime)
			continue
		}
		// The channel is taken before looking, so that no change is missed.
		changed := l.outbox.store.Changed()
		now, _ := l.outbox.clock.now()
		jobs, err := l.outbox.store.Claim(ctx, l.key, now, free, leaseTime)
		if err != nil && ctx.Err() == nil {
			l.outbox.options.Observer.Trouble(l.key, "claiming messages", err)
			l.sleep(ctx, nil, shortest)
			continue
		}
		for _, job := range jobs {
			l.begin(job)
		}
		if len(jobs) == 0 {
			l.sleep(ctx, changed, l.untilDue(ctx, now))
		}
	}
}

// begin delivers a job in the background.
func (l *lane) begin(job store.Job) {
	l.throttle.begin()
	l.outbox.running.Go(func() {
		d := delivery{lane: l, outbox: l.outbox, job: &job}
		d.run()
		l.throttle.end()
		select {
		case l.ended <- struct{}{}:
		default: // the lane is about to look anyway
		}
	})
}

// untilDue is how long to sleep if nothing happens.
func (l *lane) untilDue(ctx context.Context, now time.Time) time.Duration {
	due, err := l.outbox.store.NextDue(ctx, l.key)
	if err != nil || due.IsZero() {
		return pollTime
	}
	wait := due.Sub(now)
	if wait <= 0 {
		return shortest // somebody else has it
	}
	return min(wait, pollTime)
}

// sleep waits until a delivery ended, something changed or the time is over.
func (l *lane) sleep(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	if rest := l.throttle.rest(); rest > 0 {
		d = min(d, rest)
		changed = nil // new messages do not make the server well again
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-l.ended:
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}
