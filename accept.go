package caddyicalmail

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const (
	// keyLife is how long an Idempotency-Key or a webhook's id is known, and
	// twinLife how long an identical booking without a key counts as sent twice
	// by mistake.
	keyLife  = 24 * time.Hour
	twinLife = 10 * time.Minute

	// acceptTimeout bounds the wait for the store.
	acceptTimeout = 30 * time.Second

	maxIdempotencyKey = 255
)

// errIdempotencyKey is a key that cannot be one.
var errIdempotencyKey = fmt.Errorf("%w: the Idempotency-Key header must be 1 to %d visible ASCII characters",
	booking.ErrMalformed, maxIdempotencyKey)

// taken is what became of an order that was taken.
type taken struct {
	answer

	// event is what the order was about, nil if it was skipped.
	event *booking.Event

	// kept is until when the slot of a pending booking is kept, if it is.
	kept time.Time

	// replayed means that the answer is one that was given before.
	replayed bool
}

// commit writes the event, its messages, the idempotency key and the limits'
// counters in one transaction, and returns when they are on disk. The order of
// things is: render, commit, answer.
func (h *Handler) commit(ctx context.Context, s store.Store, o *order, e, before *booking.Event, status string) (*taken, error) {
	messages, err := h.render(e, before, o)
	if err != nil {
		return nil, err
	}
	h.schedule(e, before, messages)
	first := newAnswer(e, status, o.booking.Warnings)
	a, err := h.acceptance(o, e, before, &first)
	if err != nil {
		return nil, err
	}
	a.Messages = messages
	return h.accept(ctx, s, o, a, first)
}

// acceptance is everything that becomes durable but the messages. First is the
// answer that is kept with the idempotency key.
func (h *Handler) acceptance(o *order, e, before *booking.Event, first *answer) (*store.Acceptance, error) {
	a := &store.Acceptance{
		Now:       h.now(),
		Event:     *e,
		ID:        string(e.ID),
		Expect:    store.New,
		Supersede: true,
		Limits:    o.limits,
	}
	var err error
	if a.Slots, err = slots(e); err != nil {
		return nil, err
	}
	if before != nil {
		a.Expect = before.Sequence
	} else {
		a.Limits = append(a.Limits, h.limits(e, o.vouched)...)
	}
	if o.key == nil {
		return a, nil
	}
	key := *o.key
	if o.vouched && e.LastEnd().After(key.Expires) {
		// A signed webhook without a time can be sent again by whoever saw
		// it, for as long as there is something to change.
		key.Expires = e.LastEnd()
	}
	if e.Status == booking.Pending && key.Expires.After(e.Expires) {
		// What was not confirmed in time can be asked for again.
		key.Expires = e.Expires
	}
	if key.Reply, err = json.Marshal(first); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	a.Key = &key
	return a, nil
}

// accept commits an acceptance, or finds that it is a repetition.
func (h *Handler) accept(ctx context.Context, s store.Store, o *order, a *store.Acceptance, first answer) (*taken, error) {
	receipt, err := s.Accept(ctx, a)
	switch {
	case errors.Is(err, store.ErrStale):
		return nil, err
	case err != nil:
		return nil, storeError(err)
	case receipt.Replayed:
		return h.repeated(ctx, s, o, a, receipt.Reply)
	}
	h.app.observer.committed(&a.Event, first.Status, receipt)
	return &taken{answer: first, event: &a.Event}, nil
}

// repeated answers an order that was taken before.
func (h *Handler) repeated(ctx context.Context, s store.Store, o *order, a *store.Acceptance, reply []byte) (*taken, error) {
	keyed := o.key != nil && !o.key.UnlessCancelled
	t, err := replay(reply, keyed)
	if err != nil {
		return nil, err
	}
	t.event = &a.Event
	if keyed || t.Status != statusPending {
		return t, nil
	}
	// The first may have been confirmed since.
	if e, _, err := s.Event(ctx, t.UID); err == nil && e.Status != booking.Pending {
		t.Status = statusDuplicate
	}
	return t, nil
}

// remember answers an order that changes nothing. A key is kept all the same:
// if the same order comes again after others, it must not undo them.
func (h *Handler) remember(ctx context.Context, s store.Store, o *order, e *booking.Event) (*taken, error) {
	t := &taken{answer: newAnswer(e, statusDuplicate, nil), event: e}
	if o.key == nil {
		return t, nil
	}
	reply, err := json.Marshal(t.answer)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	key := *o.key
	key.Reply = reply
	_, err = s.Accept(ctx, &store.Acceptance{Now: h.now(), Event: *e, ID: string(e.ID), Expect: e.Sequence, Key: &key})
	if errors.Is(err, store.ErrStale) {
		return nil, err
	}
	if err != nil {
		return nil, storeError(err)
	}
	return t, nil
}

// schedule makes the messages due at once, and tells until when they are worth
// sending: for retry_for, but not past the event as it is, or was, whichever
// ends later.
func (h *Handler) schedule(e, before *booking.Event, messages []store.NewMessage) {
	now := h.now()
	end := e.LastEnd()
	if before != nil && before.LastEnd().After(end) {
		end = before.LastEnd()
	}
	expires := now.Add(time.Duration(h.app.RetryFor))
	if end.Before(expires) {
		expires = end
	}
	for i := range messages {
		messages[i].Due, messages[i].Expires = now, expires
	}
}

// requestKey is the key that the client sent, or else the booking's own
// content. Keys of different scopes have nothing to do with each other.
func (h *Handler) requestKey(r *http.Request, b *booking.Booking) (*store.Key, error) {
	header := r.Header.Values("Idempotency-Key")
	if len(header) == 0 {
		return h.contentKey(b), nil
	}
	if len(header) > 1 || header[0] == "" || len(header[0]) > maxIdempotencyKey ||
		strings.ContainsFunc(header[0], func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errIdempotencyKey
	}
	return h.newKey("header", header[0], b.Fingerprint()), nil
}

// contentKey makes an identical booking shortly after the first a duplicate,
// unless the first was cancelled meanwhile.
func (h *Handler) contentKey(b *booking.Booking) *store.Key {
	fingerprint := b.Fingerprint()
	key := h.newKey("content", hex.EncodeToString(fingerprint[:]), fingerprint)
	key.Expires = h.now().Add(twinLife)
	key.UnlessCancelled = true
	return key
}

func (h *Handler) newKey(kind, key string, fingerprint [32]byte) *store.Key {
	return &store.Key{
		Key:         strings.Join([]string{kind, h.scope(), key}, "\x00"),
		Fingerprint: fingerprint,
		Expires:     h.now().Add(keyLife),
	}
}

// replay decodes the first answer. To a client that sent a key it is given
// again as it was; without a key the client is told that there was one before.
func replay(reply []byte, keyed bool) (*taken, error) {
	t := &taken{replayed: true}
	if err := json.Unmarshal(reply, &t.answer); err != nil {
		return nil, fmt.Errorf("decoding the first answer: %w", err)
	}
	if !keyed && t.Status != statusPending { // of which there is nothing to repeat yet
		t.Status = statusDuplicate
	}
	return t, nil
}
