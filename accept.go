package caddyicalmail

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const (
	// keyLife is how long an Idempotency-Key is known, and twinLife how long
	// an identical booking without a key counts as sent twice by mistake.
	keyLife  = 24 * time.Hour
	twinLife = 10 * time.Minute

	// acceptTimeout bounds the wait for the store.
	acceptTimeout = 30 * time.Second

	maxIdempotencyKey = 255
)

// errIdempotencyKey is a key that cannot be one.
var errIdempotencyKey = fmt.Errorf("%w: the Idempotency-Key header must be 1 to %d visible ASCII characters",
	booking.ErrMalformed, maxIdempotencyKey)

// taken is what became of a booking that was taken.
type taken struct {
	answer

	// replayed means that the answer is one that was given before.
	replayed bool
}

// accept commits the event, its messages, the idempotency key and the limits'
// counters in one transaction, and returns when they are on disk. A client who
// leaves meanwhile changes nothing.
func (h *Handler) accept(r *http.Request, b *booking.Booking, e *booking.Event, messages []store.NewMessage) (*taken, error) {
	key, keyed, err := h.idempotencyKey(r, b)
	if err != nil {
		return nil, err
	}
	first := newAnswer(b, e)
	if key.Reply, err = json.Marshal(first); err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	key.Expires = e.Created.Add(twinLife)
	if keyed {
		key.Expires = e.Created.Add(keyLife)
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTimeout)
	defer cancel()
	s, release, err := h.app.running.acquire(ctx)
	if err != nil {
		return nil, &unavailableError{err}
	}
	defer release()
	h.setExpiry(e, messages)
	receipt, err := s.Accept(ctx, &store.Acceptance{
		Now:      e.Created,
		Event:    *e,
		Expect:   store.New,
		Key:      key,
		Limits:   h.limits(e),
		Messages: messages,
	})
	if err != nil {
		return nil, storeError(err)
	}
	if receipt.Replayed {
		return replay(receipt.Reply, keyed)
	}
	h.app.observer.booked(e.UID, e.Sequence, receipt)
	return &taken{answer: first}, nil
}

// setExpiry tells until when the messages are worth sending.
func (h *Handler) setExpiry(e *booking.Event, messages []store.NewMessage) {
	expires := e.Created.Add(time.Duration(h.app.RetryFor))
	if e.End.Before(expires) {
		expires = e.End
	}
	for i := range messages {
		messages[i].Expires = expires
	}
}

// idempotencyKey is the key that the client sent, or else the booking's own
// content. Keys of different scopes have nothing to do with each other.
func (h *Handler) idempotencyKey(r *http.Request, b *booking.Booking) (key *store.Key, sent bool, err error) {
	key = &store.Key{Fingerprint: b.Fingerprint()}
	scope := h.limitScope() + "\x00"
	header := r.Header.Values("Idempotency-Key")
	if len(header) == 0 {
		key.Key = "content\x00" + scope + hex.EncodeToString(key.Fingerprint[:])
		key.UnlessCancelled = true
		return key, false, nil
	}
	if len(header) > 1 || header[0] == "" || len(header[0]) > maxIdempotencyKey ||
		strings.ContainsFunc(header[0], func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, false, errIdempotencyKey
	}
	key.Key = "header\x00" + scope + header[0]
	return key, true, nil
}

// replay decodes the first answer. To a client that sent a key it is given
// again as it was; without a key the client is told that there was one before.
func replay(reply []byte, keyed bool) (*taken, error) {
	t := &taken{replayed: true}
	if err := json.Unmarshal(reply, &t.answer); err != nil {
		return nil, fmt.Errorf("decoding the first answer: %w", err)
	}
	if !keyed {
		t.Status = statusDuplicate
	}
	return t, nil
}
