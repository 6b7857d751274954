package caddyicalmail

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// move gives the event another time, after the back end has.
func (v *visit) move(ctx context.Context, o *order, text string) error {
	start, err := v.newStart(text)
	if err != nil {
		return err
	}
	if start.Equal(v.event.Start) {
		return booking.FieldErrors{{Field: "start", Detail: "is the time that the appointment has already"}}
	}
	o.limits = moveLimit(v.event)
	if v.role == booking.RoleClient {
		// Guests are whoever the client says, so that this must not become a
		// way around the limit.
		o.limits = append(o.limits, v.handler.guestLimits(v.event)...)
	}
	asked := v.handler.Manage.move
	if asked != nil {
		if err := v.askMove(ctx, asked, o, v.moved(o, v.event, start)); err != nil {
			return err
		}
	}
	return v.change(ctx, asked != nil, func(before *booking.Event) (*taken, error) {
		switch {
		case before.Status == booking.Cancelled:
			return nil, store.ErrStale
		case before.Start.Equal(start):
			return &taken{event: before, answer: answer{Status: statusDuplicate}}, nil
		}
		e := v.moved(o, before, start)
		v.handler.advance(e, before)
		return v.handler.commit(ctx, v.store, o, e, before, statusUpdated)
	})
}

// askMove asks the back end about a move. What could refuse the move later on
// our side, the limits and the slot, is settled before, because the back end
// would otherwise have agreed to what does not happen.
func (v *visit) askMove(ctx context.Context, asked *upstream, o *order, wanted *booking.Event) error {
	before, err := slots(v.event)
	if err != nil {
		return err
	}
	after, err := slots(wanted)
	if err != nil {
		return err
	}
	if err := v.reserve(ctx, append(after, before...), o.limits); err != nil {
		return err
	}
	o.limits = nil
	if err := v.ask(ctx, asked, typeReschedule, o, wanted); err != nil {
		if giveBack := v.reserve(ctx, before, nil); giveBack != nil {
			v.handler.logger.Warn("a slot is kept in vain", zap.String("uid", wanted.UID), zap.Error(giveBack))
		}
		return err
	}
	return nil
}

// reserve lets the event, which stays as it is, occupy other slots.
func (v *visit) reserve(ctx context.Context, slots []store.Slot, limits []store.Limit) error {
	_, err := v.store.Accept(ctx, &store.Acceptance{
		Now: v.handler.now(), Event: *v.event, ID: string(v.event.ID), Expect: v.event.Sequence, Slots: slots, Limits: limits,
	})
	if err == nil || errors.Is(err, store.ErrStale) {
		return err
	}
	return storeError(err)
}

// moved is the event at another time, and as long as before.
func (v *visit) moved(o *order, before *booking.Event, start time.Time) *booking.Event {
	e := *before
	e.Start, e.End = start, start.Add(before.End.Sub(before.Start))
	v.handler.restate(o, &e, before)
	v.handler.adopt(&e)
	return &e
}

// newStart reads the start that was typed into the page, which is meant in the
// zone in which the page shows times.
func (v *visit) newStart(text string) (time.Time, error) {
	inv, err := v.invitation()
	if err != nil {
		return time.Time{}, err
	}
	zone, err := inv.zone()
	if err != nil {
		return time.Time{}, err
	}
	rules := &booking.Rules{Zone: zone, Duration: v.event.End.Sub(v.event.Start)}
	in := &booking.Input{Lenient: true, Partial: true, Steer: map[booking.Property]string{booking.PropStart: text}}
	b, err := in.Decode(rules, v.handler.now())
	if err != nil {
		return time.Time{}, err
	}
	if b.Start.IsZero() {
		return time.Time{}, booking.FieldErrors{{Field: "start", Detail: "is missing"}}
	}
	if err := b.CheckStart(rules, v.handler.now()); err != nil {
		return time.Time{}, err
	}
	if v.role == booking.RoleHost {
		return b.Start, nil // whose own time it is
	}
	return b.Start, v.handler.checkWindow(b.Start)
}

// restate brings the operator's texts up to date that are made of the event
// alone, such as a title with the time in it. What came from the request that
// booked, or from a config that has changed since, stays as it is.
func (h *Handler) restate(o *order, e, before *booking.Event) {
	then, now := h.expandedTexts(o, before), h.expandedTexts(o, e)
	if then.Summary == before.Summary {
		e.Summary = now.Summary
	}
	if then.Location == before.Location {
		e.Location = now.Location
	}
	if then.Description == before.Description {
		e.Description = now.Description
	}
}

// expandedTexts are the texts that the event would have if it were booked now.
func (h *Handler) expandedTexts(o *order, e *booking.Event) *booking.Event {
	texts := *e
	texts.Summary, texts.Location = "", ""
	h.expandTexts(o, &texts)
	return &texts
}
