package caddyicalmail

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// render makes one finished message for everybody who is concerned by an
// event that is new or was changed by an order: an invitation, an update or a cancellation
// for who takes part now, and a cancellation for who took part before and does
// not any more. Before is the event as it was, nil if it is new.
//
// What it returns is sent as it is, however often a delivery is tried.
func (h *Handler) render(e, before *booking.Event, o *order) ([]store.NewMessage, error) {
	invitations, err := invitationsFor(e, before)
	if err != nil {
		return nil, err
	}
	messages := make([]store.NewMessage, 0, len(invitations))
	for _, inv := range invitations {
		if !inv.removed { // who has no part in it any more
			inv.manage = h.manageLink(inv.Event, inv.to.Role)
		}
		if inv.to.Role != o.noteFrom && inv.to.Role != booking.RoleGuest {
			inv.note, inv.noteFrom = o.note, o.noteFrom
		}
		m, err := h.message(inv)
		if err != nil {
			return nil, fmt.Errorf("rendering the %s's %s: %w", inv.to.Role, inv.kind(), err)
		}
		messages = append(messages, *m)
	}
	return messages, nil
}

func invitationsFor(e, before *booking.Event) ([]*invitation, error) {
	known := make(map[string]bool)
	if before != nil {
		for _, r := range before.Recipients() {
			known[r.Address.Fold()] = true
		}
	}
	var invitations []*invitation
	staying := make(map[string]bool)
	for _, to := range e.Recipients() {
		inv, err := newInvitation(e, to)
		if err != nil {
			return nil, err
		}
		inv.known = known[to.Address.Fold()]
		staying[to.Address.Fold()] = true
		invitations = append(invitations, inv)
	}
	if before == nil {
		return invitations, nil
	}
	// Who leaves gets the event as it was known to them, cancelled. STATUS says
	// so too, although RFC 5546, section 3.2.5, leaves it out when only some
	// are removed: each has a mail of their own, whose event is over for them,
	// and mail clients go by it.
	gone := *before
	gone.Sequence, gone.Modified, gone.Status = e.Sequence, e.Modified, booking.Cancelled
	for _, to := range before.Recipients() {
		if staying[to.Address.Fold()] {
			continue
		}
		inv, err := newInvitation(&gone, to)
		if err != nil {
			return nil, err
		}
		inv.removed = true
		invitations = append(invitations, inv)
	}
	return invitations, nil
}

// message renders one invitation.
func (h *Handler) message(inv *invitation) (*store.NewMessage, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making a message id: %w", err)
	}
	raw, err := inv.mime(h.mails, messageID(id, inv.Organizer.Address))
	if err != nil {
		return nil, err
	}
	return &store.NewMessage{
		ID:       id.String(),
		UID:      inv.UID,
		Sequence: inv.Sequence,
		Method:   inv.method,
		Role:     inv.to.Role,
		Mailer:   inv.Mailer,
		From:     inv.Organizer.Address,
		To:       inv.to.Address,
		Raw:      raw,
	}, nil
}
