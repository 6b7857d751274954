package caddyicalmail

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// The names of the limits.
const (
	limitRecipient = "recipient"
	limitTotal     = "total"
	limitMoves     = "moves"
	limitFormToken = "form_token"
)

// maxWindow bounds the windows of limits, because counters live as long.
const maxWindow = 366 * 24 * time.Hour

// defaultRecipientLimit keeps a public form from flooding somebody's mailbox.
var defaultRecipientLimit = Limit{Max: 10, Window: caddy.Duration(24 * time.Hour)}

// Limits bound how many bookings are taken. They are counted in the store, in
// the transaction that accepts a booking, and survive restarts.
type Limits struct {
	// New bookings per client and guest, whose addresses are compared without
	// case, +tags and, at Gmail, dots. Default: 10 in 24h for bookings by
	// strangers, none for those that a back end or a signature vouches for.
	Recipient *Limit `json:"recipient,omitempty"`

	// New bookings of the handler. Default: no limit.
	Total *Limit `json:"total,omitempty"`
}

// Limit is a number of bookings in any span of time of a length.
type Limit struct {
	// How many are taken. Required.
	Max int `json:"max,omitempty"`

	// In which span of time. Required.
	Window caddy.Duration `json:"window,omitempty"`
}

func (l *Limits) validate() error {
	if l == nil {
		return nil
	}
	for name, limit := range map[string]*Limit{limitRecipient: l.Recipient, limitTotal: l.Total} {
		if limit == nil {
			continue
		}
		if limit.Max < 1 {
			return fmt.Errorf("limit %s must be positive", name)
		}
		if limit.Window <= 0 || time.Duration(limit.Window) > maxWindow {
			return fmt.Errorf("the window of limit %s must be positive and at most %s", name, maxWindow)
		}
	}
	return nil
}

// limits are the counters that an event counts against: one for each address
// that somebody can make us write to, and one for the handler. What a back end
// or a signature vouches for counts only if the operator set a limit.
func (h *Handler) limits(e *booking.Event, vouched bool) []store.Limit {
	var limits []store.Limit
	for _, r := range e.Recipients() {
		if e.Status == booking.Pending && r.Role == booking.RoleGuest {
			continue // who hears of nothing yet
		}
		limits = append(limits, h.recipientLimit(r, vouched)...)
	}
	if h.Limit != nil && h.Limit.Total != nil {
		limits = append(limits, newLimit(limitTotal, *h.Limit.Total, h.limitScope(), ""))
	}
	return limits
}

// guestLimits are the counters of the guests alone, of an event that nobody
// vouches for.
func (h *Handler) guestLimits(e *booking.Event) []store.Limit {
	var limits []store.Limit
	for _, r := range e.Recipients() {
		if r.Role == booking.RoleGuest {
			limits = append(limits, h.recipientLimit(r, false)...)
		}
	}
	return limits
}

// recipientLimit is the counter of one recipient, of which the host has none.
func (h *Handler) recipientLimit(r booking.Recipient, vouched bool) []store.Limit {
	var limit Limit
	switch {
	case r.Role == booking.RoleHost:
		return nil
	case h.Limit != nil && h.Limit.Recipient != nil:
		limit = *h.Limit.Recipient
	case vouched:
		return nil
	default:
		limit = defaultRecipientLimit
	}
	if r.Role == booking.RoleGuest && h.Manage != nil {
		// Whoever booked can cancel by their link, which is one more mail that
		// must not be refused: so it is reckoned with from the start.
		limit.Max = max(1, limit.Max/2)
	}
	return []store.Limit{newLimit(limitRecipient, limit, h.limitScope(), r.Address.Person())}
}

// limitScope is what a handler's counters have in common: its scope or else
// its organizer, so that a stranger gains nothing by choosing other hosts.
func (h *Handler) limitScope() string {
	if h.Scope != "" {
		return h.Scope
	}
	return h.organizer.Address.Fold()
}

// newLimit names a counter by a hash, so that the store holds no list of
// addresses beside its events.
func newLimit(name string, l Limit, scope, who string) store.Limit {
	sum := sha256.Sum256([]byte(name + "\x00" + scope + "\x00" + who))
	return store.Limit{
		Name:    name,
		Counter: hex.EncodeToString(sum[:]),
		Max:     l.Max,
		Window:  time.Duration(l.Window),
	}
}
