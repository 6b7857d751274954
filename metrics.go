package caddyicalmail

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// bookings counts bookings by what became of them. It belongs to the process
// and not to a config, so that a reload does not set it back.
var bookings = prometheus.NewCounterVec(prometheus.CounterOpts{
	Namespace: "caddy",
	Subsystem: "ical_invite",
	Name:      "bookings_total",
	Help:      "Counter of bookings by what became of them: the status of those taken, the reason of those refused.",
}, []string{"result"})

// statuses are the results of bookings that were taken.
var statuses = [...]string{
	statusQueued, statusDuplicate, statusUpdated, statusCancelled, statusSkipped, statusFailed, statusPending, statusConfirmed,
}

// registerMetrics adds the collectors to the registry of a config. Every
// result is there from the start, because a counter that begins to exist with
// its first event hides that event from rate().
func registerMetrics(registry prometheus.Registerer) error {
	for _, status := range statuses {
		bookings.WithLabelValues(status)
	}
	for _, r := range reasons {
		bookings.WithLabelValues(string(r))
	}
	err := registry.Register(bookings)
	if _, again := errors.AsType[prometheus.AlreadyRegisteredError](err); again {
		return nil
	}
	if err != nil {
		return fmt.Errorf("registering the metrics: %w", err)
	}
	return nil
}

// countTaken counts a booking that was taken, by its status.
func countTaken(status string) { bookings.WithLabelValues(status).Inc() }

// countRefused counts a booking that was refused.
func countRefused(r reason) { bookings.WithLabelValues(string(r)).Inc() }
