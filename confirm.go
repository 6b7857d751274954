package caddyicalmail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

const (
	defaultConfirmPath    = "/ical_invite/confirm"
	defaultConfirmExpires = caddy.Duration(24 * time.Hour)
	maxConfirmExpires     = 7 * 24 * time.Hour

	// maxHold is how long an unproven address may keep a slot from others.
	maxHold = 15 * time.Minute

	defaultMaxHeld = 20
)

// Confirmation makes a booking wait until the client has confirmed it by the
// link in a mail, so that nobody is invited by somebody else's form. The host
// hears of nothing before that.
type Confirmation struct {
	// The path below which the links in these mails lie. Default:
	// `/ical_invite/confirm`.
	Path string `json:"path,omitempty"`

	// How long a booking can be confirmed, but never past its start. Default:
	// 24h, at most 7d.
	Expires caddy.Duration `json:"expires,omitempty"`

	// With `exclusive`: how long the slot is kept from others meanwhile.
	// Default, and at most: 15m.
	Hold caddy.Duration `json:"hold,omitempty"`

	// With `exclusive`: how many slots are kept at a time. Default: 20.
	MaxHeld int `json:"max_held,omitempty"`
}

// setConfirm fills in the defaults and checks the rest.
func (h *Handler) setConfirm(*caddy.Replacer) error {
	c := h.Confirm
	if c == nil {
		return nil
	}
	if h.PassThru != nil || h.Verify != nil {
		return errors.New("confirm is for bookings by strangers: with pass_thru the back end asks for a confirmation, " +
			"and a signed webhook needs none")
	}
	if c.Path == "" {
		c.Path = defaultConfirmPath
	}
	if c.Expires == 0 {
		c.Expires = defaultConfirmExpires
	}
	if c.Hold == 0 {
		c.Hold = caddy.Duration(maxHold)
	}
	if c.MaxHeld == 0 {
		c.MaxHeld = defaultMaxHeld
	}
	switch {
	case c.Expires < caddy.Duration(time.Minute) || time.Duration(c.Expires) > maxConfirmExpires:
		return fmt.Errorf("confirm: expires must be at least a minute and at most %s", inWords(maxConfirmExpires))
	case c.Hold < 0 || time.Duration(c.Hold) > maxHold:
		return fmt.Errorf("confirm: hold must be positive and at most %s, because it keeps others from booking", inWords(maxHold))
	case c.MaxHeld < 0:
		return errors.New("confirm: max_held must be positive")
	}
	return checkPath(c.Path, "confirm")
}

// hold stores a booking that its client has yet to confirm, and the mail that
// asks for it.
func (h *Handler) hold(ctx context.Context, s store.Store, o *order, e *booking.Event) (*taken, error) {
	now := h.now()
	e.Status = booking.Pending
	e.Expires = h.pendingUntil(e)
	mail, err := h.confirmationMail(e)
	if err != nil {
		return nil, err
	}
	first := newAnswer(e, statusPending, o.booking.Warnings)
	a, err := h.acceptance(o, e, nil, &first)
	if err != nil {
		return nil, err
	}
	mail.Due, mail.Expires = now, e.Expires
	a.Messages = []store.NewMessage{*mail}
	a.Hold = &store.Hold{Until: e.Expires, SlotsUntil: h.heldUntil(e)}
	if len(a.Slots) > 0 {
		a.Hold.Counter, a.Hold.Max = h.heldCounter(), h.Confirm.MaxHeld
	}
	if a.Unique, err = h.pendingKey(e, first); err != nil {
		return nil, err
	}
	t, err := h.accept(ctx, s, o, a, first)
	if limit, ok := errors.AsType[*store.LimitError](err); ok && limit.Name == store.LimitHeld {
		// Made-up addresses cost nothing: if they could use up what is kept,
		// nobody else could book. Without a kept slot the first to confirm has it.
		a.Hold.SlotsUntil = time.Time{}
		t, err = h.accept(ctx, s, o, a, first)
	}
	if err == nil && !t.replayed && len(a.Slots) > 0 {
		t.kept = a.Hold.SlotsUntil
	}
	return t, err
}

// pendingUntil is until when a new booking can be confirmed.
func (h *Handler) pendingUntil(e *booking.Event) time.Time {
	expires := h.now().Add(time.Duration(h.Confirm.Expires)).Truncate(time.Second)
	if e.Start.Before(expires) {
		return e.Start
	}
	return expires
}

// heldUntil is until when the slots of a new pending booking are kept.
func (h *Handler) heldUntil(e *booking.Event) time.Time {
	until := e.Created.Add(time.Duration(h.Confirm.Hold))
	if e.Expires.Before(until) {
		return e.Expires
	}
	return until
}

// heldCounter names the counter of held slots.
func (h *Handler) heldCounter() string { return "held\x00" + h.limitScope() }

// pendingKey lets an address wait for one confirmation of one slot at a time.
func (h *Handler) pendingKey(e *booking.Event, first answer) (*store.Key, error) {
	reply, err := json.Marshal(first)
	if err != nil {
		return nil, fmt.Errorf("encoding the answer: %w", err)
	}
	parts := []string{e.Client.Address.Person(), e.Host.Address.Fold(),
		e.Start.UTC().Format(time.RFC3339), e.End.UTC().Format(time.RFC3339)}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	key := h.newKey("pending", hex.EncodeToString(sum[:]), sum)
	key.Expires, key.WhileHeld, key.Reply = e.Expires, true, reply
	return key, nil
}

// confirmationMail renders the mail that asks the client to confirm. It does
// not call the recipient by name, because that is what somebody typed.
func (h *Handler) confirmationMail(e *booking.Event) (*store.NewMessage, error) {
	to := booking.Person{Address: e.Client.Address}
	inv := &invitation{Event: e, to: booking.Recipient{Person: to, Role: booking.RoleClient}}
	data, err := inv.mailData()
	if err != nil {
		return nil, err
	}
	data.Kind = kindConfirmation
	data.ConfirmURL = h.link(h.Confirm.Path, token.Token{
		Purpose: token.Confirm, Subject: e.UID, Sequence: e.Sequence, Issued: e.Modified, Expires: e.Expires,
	})
	data.Expires = momentInWords(e.Expires.In(data.Start.Location()))
	text, err := h.mails.renderConfirmation(data)
	if err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making a message id: %w", err)
	}
	raw, err := inv.plainMIME(text, messageID(id, e.Organizer.Address))
	if err != nil {
		return nil, err
	}
	return &store.NewMessage{
		ID: id.String(), UID: e.UID, Sequence: e.Sequence, Role: booking.RoleClient,
		Mailer: e.Mailer, From: e.Organizer.Address, To: e.Client.Address, Raw: raw,
	}, nil
}

// confirmed makes a pending event firm and invites everybody. A slot that was
// not kept long enough may be somebody else's by now.
func (h *Handler) confirmed(ctx context.Context, s store.Store, o *order, before *booking.Event) (*taken, error) {
	e := *before
	e.Status, e.Expires = booking.Confirmed, time.Time{}
	e.Modified = h.now().UTC().Truncate(time.Second)
	first := newAnswer(&e, statusConfirmed, nil)
	messages, err := h.render(&e, nil, o)
	if err != nil {
		return nil, err
	}
	h.schedule(&e, nil, messages)
	a, err := h.acceptance(o, &e, before, &first)
	if err != nil {
		return nil, err
	}
	a.Messages, a.Confirm = messages, true
	// The client's own mails were counted when the confirmation was asked for.
	a.Limits = h.guestLimits(&e)
	return h.accept(ctx, s, o, a, first)
}
