package caddyicalmail

import (
	"context"
	"errors"
	"net/http"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// serveConfirm serves the page behind the link in a confirmation mail. It is a
// page with a button, because whatever follows links in mails by itself must
// not confirm anything.
func (h *Handler) serveConfirm(w http.ResponseWriter, r *http.Request, text string) error {
	ctx, cancel := withTimeout(r)
	defer cancel()
	if !allowMethods(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return nil
	}
	v, release, err := h.visit(ctx, text, token.Confirm)
	if err != nil {
		return h.refuseLink(w, r, err)
	}
	defer release()
	if r.Method == http.MethodPost {
		return v.confirm(ctx, w, r)
	}
	return v.showConfirm(w, http.StatusOK, new(page))
}

// showConfirm writes the page of a booking that is, or was, to be confirmed.
func (v *visit) showConfirm(w http.ResponseWriter, status int, p *page) error {
	inv, err := v.invitation()
	if err != nil {
		return err
	}
	if p.Event, err = inv.mailData(); err != nil {
		return err
	}
	p.Event.Expires = momentInWords(v.event.Expires.In(p.Event.Start.Location()))
	p.State = v.state()
	p.Title = "Your booking"
	if p.State == statePending {
		p.Title = "Confirm your booking"
		p.Token = v.pageToken(token.ActConfirm)
		p.Event.Guests = v.guests()
	}
	return v.handler.pages.write(w, "page_confirm.html", status, p)
}

// guests are those who are invited once the booking is confirmed, by their
// addresses alone: somebody else may have typed them, and what they are called.
func (v *visit) guests() []mailPerson {
	var guests []mailPerson
	for _, r := range v.event.Recipients() {
		if r.Role == booking.RoleGuest {
			guests = append(guests, newMailPerson(booking.Person{Address: r.Address}))
		}
	}
	return guests
}

// confirm makes the booking firm.
func (v *visit) confirm(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	form, err := v.handler.readPageForm(w, r)
	if err != nil {
		return v.handler.refuseForm(w, err)
	}
	if problem := v.cannotConfirm(form.Get("token")); problem != "" {
		v.handler.noteRefused(errOutdated, http.StatusConflict)
		return v.showConfirm(w, http.StatusConflict, &page{Problem: problem})
	}
	if form.Get("action") != actionConfirm {
		return v.handler.refuseForm(w, errNoAction)
	}
	t, err := v.handler.confirmed(ctx, v.store, &order{request: r, booking: new(booking.Booking)}, v.event)
	if err == nil {
		v.event = t.event
		countTaken(t.Status)
		setPlaceholders(r, &t.answer)
		return v.showConfirm(w, http.StatusOK, &page{Done: "Your booking is confirmed. The invitation is on its way to your mailbox."})
	}
	return v.refuseConfirm(w, r, err)
}

// cannotConfirm tells why there is nothing to confirm, or nothing.
func (v *visit) cannotConfirm(text string) string {
	switch v.state() {
	case stateConfirmed:
		return "This booking was confirmed already. Nothing more is needed."
	case stateCancelled:
		return "This booking was confirmed and has been cancelled since."
	case statePast:
		return "The time in which this booking could be confirmed is over. Please book again."
	}
	t, err := v.handler.keys().Verify(text, v.handler.now(), token.ActConfirm)
	if err != nil || t.Subject != v.event.UID {
		return "The form was not sent from this page. Please press the button once more."
	}
	return ""
}

// refuseConfirm tells why the booking could not be made firm.
func (v *visit) refuseConfirm(w http.ResponseWriter, r *http.Request, err error) error {
	var limit *store.LimitError
	switch {
	case errors.Is(err, store.ErrSlotTaken):
		v.handler.noteRefused(err, http.StatusConflict)
		return v.showConfirm(w, http.StatusConflict, &page{
			Problem: "Somebody else has taken this time meanwhile. Please book another one."})
	case errors.As(err, &limit):
		v.handler.noteRefused(err, http.StatusTooManyRequests)
		return v.showConfirm(w, http.StatusTooManyRequests, &page{
			Problem: "Somebody who is to be invited gets too many invitations. Please try again later."})
	case errors.Is(err, store.ErrStale):
		if err := v.reload(); err != nil {
			return v.handler.refuseLink(w, r, err)
		}
		return v.showConfirm(w, http.StatusConflict, &page{Problem: v.cannotConfirm("")})
	}
	return v.handler.refuse(w, r, err)
}
