package caddyicalmail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// maxRaces is how often an order is tried again because somebody else changed
// the same event meanwhile.
const maxRaces = 20

// Why an order about a known event comes to nothing. They are told to back
// ends as `skipped`.
var (
	errUnknownEvent = errors.New("there is no such event to change or cancel")
	errPastEvent    = errors.New("the event is over")
	errGoneEvent    = errors.New("the event is cancelled")
)

// order is what a request asks for, decoded and checked.
type order struct {
	request *http.Request
	booking *booking.Booking
	action  booking.Action

	// id is the booking's own id from a trusted source, or empty.
	id booking.Line

	// key makes the order idempotent; replays of a key the client chose get
	// the first answer as it was.
	key *store.Key

	// host is set if it is not the booking's choice among the configured ones.
	host *booking.Person

	// fields are those of the body at which guards look.
	fields booking.Fields

	// limits are counted with the handler's own, by what let the order through.
	limits []store.Limit

	// vouched means that somebody we trust asks: a back end or a signed
	// webhook. The default limits, which are for strangers, do not apply.
	vouched bool

	// note is what the client or the host, by role, has to say to the other
	// about a change.
	note     booking.Text
	noteFrom booking.Role
}

// idSpace is the name space of the UIDs that are made from ids (RFC 9562,
// section 5.5).
var idSpace = uuid.MustParse("6f9a3f0e-52c0-5d0b-9a52-6a7d3f8c1b7e")

// newUID returns a globally unique identifier in the domain of the organizer
// (RFC 7986, section 5.3, asks for a UUID): always the same for one id in one
// scope, random if there is no id.
func newUID(organizer booking.Address, scope string, id booking.Line) (string, error) {
	if id != "" {
		return uuid.NewSHA1(idSpace, []byte(scope+"\x00"+string(id))).String() + "@" + organizer.Domain(), nil
	}
	random, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("making a UID: %w", err)
	}
	return random.String() + "@" + organizer.Domain(), nil
}

// execute carries an order out and returns when its outcome is on disk. A
// client who leaves meanwhile changes nothing.
func (h *Handler) execute(o *order) (*taken, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.request.Context()), acceptTimeout)
	defer cancel()
	s, release, err := h.app.running.acquire(ctx)
	if err != nil {
		return nil, &unavailableError{err}
	}
	defer release()
	return h.executeOn(ctx, s, o)
}

func (h *Handler) executeOn(ctx context.Context, s store.Store, o *order) (*taken, error) {
	if o.key != nil && o.id != "" {
		// The answer to a repeated order must not depend on what became of
		// the event since.
		t, err := h.answered(ctx, s, o.key)
		if t != nil {
			h.logger.Info("webhook answered from its first result", zap.String("uid", t.UID))
		}
		if t != nil || err != nil {
			return t, err
		}
	}
	for range maxRaces {
		t, err := h.attempt(ctx, s, o)
		if errors.Is(err, store.ErrStale) {
			continue // somebody else was faster: look at what it is now
		}
		return t, err
	}
	return nil, &unavailableError{errors.New("the event is being changed by many at once")}
}

// answered returns the first answer to a key, or nil.
func (h *Handler) answered(ctx context.Context, s store.Store, key *store.Key) (*taken, error) {
	fingerprint, reply, err := s.Reply(ctx, key.Key, h.now())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, &unavailableError{err}
	case fingerprint != key.Fingerprint:
		return nil, store.ErrKeyReused
	}
	return replay(reply, !key.UnlessCancelled)
}

// attempt carries the order out on the event as it is now.
func (h *Handler) attempt(ctx context.Context, s store.Store, o *order) (*taken, error) {
	if o.id == "" && o.action != booking.ActionCreate {
		return nil, errNoID
	}
	if o.id == "" {
		return h.create(ctx, s, o)
	}
	before, _, err := s.EventByID(ctx, h.scope(), string(o.id))
	switch {
	case errors.Is(err, store.ErrNotFound) && o.action != booking.ActionCreate:
		return nil, errUnknownEvent
	case errors.Is(err, store.ErrNotFound):
		return h.create(ctx, s, o)
	case err != nil:
		return nil, &unavailableError{err}
	case before.Status == booking.Cancelled:
		return nil, errGoneEvent
	case !h.now().Before(before.LastEnd()):
		return nil, errPastEvent
	case o.action == booking.ActionCancel:
		return h.cancel(ctx, s, o, &before)
	default:
		return h.change(ctx, s, o, &before)
	}
}

// create makes a new event.
func (h *Handler) create(ctx context.Context, s store.Store, o *order) (*taken, error) {
	e, err := h.orderedEvent(o)
	if err != nil {
		return nil, err
	}
	if h.Confirm != nil {
		return h.hold(ctx, s, o, e)
	}
	return h.commit(ctx, s, o, e, nil, statusQueued)
}

// orderedEvent is the new event that an order asks for, if it may.
func (h *Handler) orderedEvent(o *order) (*booking.Event, error) {
	if missing := o.booking.Missing(h.rules); len(missing) > 0 {
		return nil, missing
	}
	if err := o.booking.CheckStart(h.rules, h.now()); err != nil {
		return nil, err
	}
	if o.booking.End.IsZero() {
		// An order that may be a change is decoded without making up an end.
		o.booking.End = o.booking.Start.Add(cmp.Or(o.booking.Length, time.Duration(h.Duration)))
	}
	if o.vouched {
		return h.newEvent(o)
	}
	if err := h.checkWindow(o.booking.Start); err != nil {
		return nil, err
	}
	if err := h.checkLength(o.booking); err != nil {
		return nil, err
	}
	return h.newEvent(o)
}

// change brings an event up to date. What is asked for a second time is a
// duplicate and sends nothing.
func (h *Handler) change(ctx context.Context, s store.Store, o *order, before *booking.Event) (*taken, error) {
	e, err := h.changedEvent(o, before)
	if err != nil {
		return nil, err
	}
	if e.SameContent(before) {
		return h.remember(ctx, s, o, before)
	}
	if !e.Start.Equal(before.Start) {
		if err := o.booking.CheckStart(h.rules, h.now()); err != nil && !o.booking.Start.IsZero() {
			return nil, err
		}
	}
	h.advance(e, before)
	return h.commit(ctx, s, o, e, before, statusUpdated)
}

// cancel calls an event off, for everybody who is invited.
func (h *Handler) cancel(ctx context.Context, s store.Store, o *order, before *booking.Event) (*taken, error) {
	e := *before
	e.Status = booking.Cancelled
	h.adopt(&e)
	h.advance(&e, before)
	return h.commit(ctx, s, o, &e, before, statusCancelled)
}

// adopt lets an event be sent by this handler's mailer if its own is gone.
func (h *Handler) adopt(e *booking.Event) {
	if _, ok := h.app.transports[e.Mailer]; !ok {
		e.Mailer = h.transport.key
	}
}

// advance gives an event its next SEQUENCE and a DTSTAMP that is newer than
// the one before, whatever the clock says: mail clients ignore everything else.
func (h *Handler) advance(e, before *booking.Event) {
	e.Sequence = before.Sequence + 1
	e.Modified = h.now().UTC().Truncate(time.Second)
	if !e.Modified.After(before.Modified) {
		e.Modified = before.Modified.Add(time.Second)
	}
}
