package caddyicalmail

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/recurrence"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// defaultMaxExclusive is how long a stranger may have something to themselves
// where the operator does not say.
const defaultMaxExclusive = caddy.Duration(24 * time.Hour)

// hostResource stands in the config for the host of a booking.
const hostResource = "host"

// The prefixes of resources in the store, so that no room can be taken for
// somebody's calendar.
const (
	hostPrefix = "host "
	roomPrefix = "resource "
)

// Availability says which times there are to be booked.
type Availability struct {
	// What a booking has to itself while it takes place: `host`, or the name
	// of a resource such as a room, which may use the placeholders of the
	// summary. Overlapping bookings are refused with status 409. A name means
	// the same to all handlers of a store.
	Exclusive []string `json:"exclusive,omitempty"`

	// How long before its start a booking must be made.
	Notice caddy.Duration `json:"notice,omitempty"`

	// How far ahead a booking may be. The day that this leads to is the last
	// one, and counts as a whole.
	Horizon caddy.Duration `json:"horizon,omitempty"`

	// How long a booking may be. Default: 31d, with `exclusive` 24h, because
	// whoever books keeps others out for as long.
	MaxDuration caddy.Duration `json:"max_duration,omitempty"`
}

// setExclusive checks what a booking has to itself.
func (h *Handler) setExclusive(repl *caddy.Replacer) error {
	if len(h.Exclusive) == 0 {
		return nil
	}
	if h.PassThru != nil {
		return errors.New("exclusive and pass_thru exclude each other: the back end decides which times are free")
	}
	for _, resource := range h.Exclusive {
		if strings.TrimSpace(resource) == "" {
			return errors.New("exclusive has an empty resource")
		}
	}
	return checkPlaceholders(repl, h.Exclusive...)
}

// setWindow checks how early and how late a booking may be.
func (h *Handler) setWindow(*caddy.Replacer) error {
	given := h.Notice != 0 || h.Horizon != 0 || h.MaxDuration != 0
	if given && (h.PassThru != nil || h.Verify != nil) {
		return errors.New("notice, horizon and max_duration are for bookings by strangers: " +
			"with pass_thru or verify the other side decides about times")
	}
	if h.Notice < 0 || h.Horizon < 0 || h.MaxDuration < 0 {
		return errors.New("notice, horizon and max_duration must be positive")
	}
	if time.Duration(h.MaxDuration) > booking.MaxLength {
		return fmt.Errorf("max_duration must be at most %s", inWords(booking.MaxLength))
	}
	if h.MaxDuration == 0 {
		h.MaxDuration = max(caddy.Duration(booking.MaxLength), h.Duration)
		if len(h.Exclusive) > 0 {
			h.MaxDuration = max(defaultMaxExclusive, h.Duration)
		}
	}
	if h.MaxDuration < h.Duration {
		return fmt.Errorf("max_duration must not be less than the duration, %s", time.Duration(h.Duration))
	}
	if h.Horizon > 0 && h.Horizon <= h.Notice {
		return fmt.Errorf("horizon %s must be longer than notice %s", time.Duration(h.Horizon), time.Duration(h.Notice))
	}
	return nil
}

// checkWindow refuses a start that is too soon or too far ahead. The horizon is
// a day, to its end where the host is.
func (h *Handler) checkWindow(start time.Time) error {
	now := h.now()
	if h.Notice > 0 && start.Before(now.Add(time.Duration(h.Notice))) {
		return h.startError(fmt.Sprintf("must be at least %s from now", inWords(time.Duration(h.Notice))))
	}
	if h.Confirm != nil && start.Before(now.Add(time.Minute)) {
		return h.startError("is too soon to be confirmed")
	}
	if h.Horizon > 0 && !start.Before(h.latest(now)) {
		return h.startError(fmt.Sprintf("must be at most %s from now", inWords(time.Duration(h.Horizon))))
	}
	return nil
}

// checkLength refuses a booking that is too long.
func (h *Handler) checkLength(b *booking.Booking) error {
	if b.End.Sub(b.Start) <= time.Duration(h.MaxDuration) {
		return nil
	}
	property := booking.PropEnd
	if b.Length > 0 {
		property = booking.PropDuration
	}
	return booking.FieldErrors{{
		Field:  h.rules.Field(property),
		Detail: fmt.Sprintf("makes it longer than %s", inWords(time.Duration(h.MaxDuration))),
	}}
}

// latest is the end of the furthest day.
func (h *Handler) latest(now time.Time) time.Time {
	zone := h.zone
	if zone == nil {
		zone = time.UTC
	}
	year, month, day := now.Add(time.Duration(h.Horizon)).In(zone).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, zone)
}

// startError is about the field that holds the start, as this site calls it.
func (h *Handler) startError(detail string) error {
	return booking.FieldErrors{{Field: h.rules.Field(booking.PropStart), Detail: detail}}
}

// inWords tells a duration in its largest even unit.
func inWords(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		if n := d / unit.length; n > 0 && d%unit.length == 0 {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}

// resources are what a new event has to itself, by their names in the store.
func (h *Handler) resources(x *expansion, e *booking.Event) []string {
	var resources []string
	for _, resource := range h.Exclusive {
		if resource == hostResource {
			resources = append(resources, hostPrefix+e.Host.Address.Mailbox())
			continue
		}
		resources = append(resources, roomPrefix+strings.ToLower(string(x.raw(resource))))
	}
	return resources
}

// slots are all times of an event in all of its resources. It is empty, not
// nil, if there are none, so that what the event had before becomes free.
func slots(e *booking.Event) ([]store.Slot, error) {
	slots := []store.Slot{}
	if len(e.Resources) == 0 {
		return slots, nil
	}
	starts := []time.Time{e.Start}
	if e.RRule != "" {
		zone, err := booking.LoadZone(e.Zone)
		if err != nil {
			return nil, fmt.Errorf("loading the zone of a recurring event: %w", err)
		}
		rule, err := recurrence.Parse(e.RRule, e.Exdates, e.Start, zone, e.End.Sub(e.Start))
		if err != nil {
			return nil, fmt.Errorf("reading the rule of a recurring event: %w", err)
		}
		starts = rule.Occurrences()
	}
	if len(starts)*len(e.Resources) > store.MaxSlots {
		return nil, booking.FieldErrors{{Field: string(booking.PropRRule), Detail: "has too many occurrences for what is booked with them"}}
	}
	for _, resource := range e.Resources {
		for _, start := range starts {
			slots = append(slots, store.Slot{Resource: resource, Start: start, End: start.Add(e.End.Sub(e.Start))})
		}
	}
	return slots, nil
}
