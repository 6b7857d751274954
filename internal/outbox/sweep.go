package outbox

import "time"

const (
	// sweepFirst is when the store is swept after a start, and sweepEvery how
	// often after that.
	sweepFirst = time.Minute
	sweepEvery = time.Hour
)

// sweep forgets events some time after their end, until the outbox stops.
func (b *Outbox) sweep() {
	timer := time.NewTimer(sweepFirst)
	defer timer.Stop()
	for {
		select {
		case <-b.claiming.Done():
			return
		case <-timer.C:
		}
		timer.Reset(sweepEvery)
		if _, suspect := b.clock.now(); suspect {
			continue // nothing is erased because of a clock that was set wrongly
		}
		now := b.clock.wall()
		events, err := b.store.Sweep(b.claiming, now, now.Add(-b.options.Retain))
		if err != nil {
			b.options.Observer.Trouble("", "sweeping the store", err)
			continue
		}
		b.options.Observer.Swept(events)
	}
}
