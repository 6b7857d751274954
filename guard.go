package caddyicalmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// Guards keep robots and other sites from booking. They are for bookings by
// people: a signed webhook needs none.
type Guards struct {
	// The form field, dotted JSON path or JSON pointer that people leave
	// empty, because they do not see it. A booking that fills it is answered as
	// if it had worked, and nothing is stored or sent.
	Honeypot string `json:"honeypot,omitempty"`

	// Let the form prove how long it has been open.
	FormToken *FormToken `json:"form_token,omitempty"`

	// Refuse what browsers send from other sites.
	Origin *OriginGuard `json:"origin,omitempty"`

	// Addresses and domains that can neither book nor be invited as guests.
	Deny *AddressList `json:"deny,omitempty"`

	// The only addresses and domains that can. `deny` wins over it.
	Allow *AddressList `json:"allow,omitempty"`

	// Take only bookings with the response of a captcha.
	Captcha *Captcha `json:"captcha,omitempty"`

	honeypot booking.Path
}

// guardError is a booking that a guard refuses.
type guardError struct {
	reason reason
	status int

	// detail is what the client is told: of the field, if there is one.
	detail string

	// field names the form's field that has to be mended, or is empty.
	field string
}

// Error names the field, never a value.
func (e *guardError) Error() string {
	if e.field == "" {
		return e.detail
	}
	return e.field + ": " + e.detail
}

// fields is what JSON clients and pages list.
func (e *guardError) fields() booking.FieldErrors {
	if e.field == "" {
		return nil
	}
	return booking.FieldErrors{{Field: e.field, Detail: e.detail}}
}

// errHoneypot is a booking that only a program would make. It is answered as
// if it had worked.
var errHoneypot = &guardError{reason: reasonHoneypot, status: http.StatusAccepted, detail: "the honeypot was filled"}

// setGuards sets up who may book, after the rules.
func (h *Handler) setGuards(repl *caddy.Replacer) error {
	h.bodyTimeout = bodyTimeout
	if h.Verify != nil && (h.Honeypot != "" || h.Origin != nil || h.Captcha != nil || h.Deny != nil || h.Allow != nil) {
		return errors.New("verify excludes honeypot, origin, captcha, deny and allow: " +
			"the signature is the guard, and those are for people with browsers")
	}
	if err := h.setHoneypot(); err != nil {
		return err
	}
	if err := h.Origin.provision(repl); err != nil {
		return err
	}
	if err := h.Deny.provision("deny", repl); err != nil {
		return err
	}
	if err := h.Allow.provision("allow", repl); err != nil {
		return err
	}
	if err := h.Captcha.provision(repl); err != nil {
		return err
	}
	if err := h.checkGuardFields(); err != nil {
		return err
	}
	return h.checkOwnPaths()
}

// checkGuardFields refuses a field that two have to read: a honeypot that is
// also the captcha's field, for example, would trap everybody.
func (h *Handler) checkGuardFields() error {
	fields := map[string]booking.Path{"honeypot": h.honeypot}
	if h.FormToken != nil {
		fields["form_token"] = h.FormToken.field
	}
	if h.Captcha != nil {
		fields["captcha"] = h.Captcha.field
	}
	for _, c := range h.rules.Consents {
		fields["consent "+string(c.Label)] = c.Field
	}
	used := make(map[booking.Path]string, len(fields))
	for option, field := range fields {
		if field.IsZero() {
			continue
		}
		if h.rules.Reads(field) {
			return fmt.Errorf("%s: %q is a field of the booking", option, field)
		}
		if other, twice := used[field]; twice {
			return fmt.Errorf("%s and %s are the same field, %q", option, other, field)
		}
		used[field] = option
	}
	return nil
}

// readsFields reports whether a guard looks into the body.
func (h *Handler) readsFields() bool {
	return h.Honeypot != "" || h.FormToken != nil || h.Captcha != nil
}

// guardFields are the body's fields, if a guard looks at any.
func (h *Handler) guardFields(r *http.Request, body []byte) booking.Fields {
	if !h.readsFields() {
		return booking.Fields{}
	}
	return booking.ReadFields(r.Header.Get("Content-Type"), body)
}

// guard lets an order of a stranger through, or tells why not. The captcha
// comes last, because its response can be used only once: it must not be lost
// on a booking that is refused for something else.
func (h *Handler) guard(o *order) error {
	if o.vouched {
		return nil
	}
	if h.trapped(o.fields) {
		return errHoneypot
	}
	if err := h.checkFormToken(o); err != nil {
		return err
	}
	if err := h.checkBooked(o.booking); err != nil {
		return err
	}
	if h.Captcha == nil {
		return nil
	}
	if _, err := h.orderedEvent(o); err != nil {
		return err // found before the response is used up
	}
	return h.checkOrderCaptcha(o)
}

// checkBooked asks the lists about who is in a booking.
func (h *Handler) checkBooked(b *booking.Booking) error {
	guests := make([]booking.Address, len(b.Guests))
	for i, guest := range b.Guests {
		guests[i] = guest.Address
	}
	return h.checkRecipients(b.Client.Address, guests)
}

// guardsBody reports whether a guard has to read the body of a request to the
// back end.
func (h *Handler) guardsBody(r *http.Request) bool {
	return r.Method == http.MethodPost && (h.readsFields() || h.Deny != nil || h.Allow != nil)
}

// checkReadable refuses a body that no guard can look into.
func (h *Handler) checkReadable(r *http.Request, body []byte) error {
	if len(body) == 0 || !h.guardsBody(r) {
		return nil
	}
	if err := checkEncoding(r); err != nil {
		return err
	}
	return booking.CheckBody(r.Header.Get("Content-Type"), body)
}

// guardPassed is guard for a request that is about to go to the back end,
// which decides itself what a booking is.
func (h *Handler) guardPassed(r *http.Request, body []byte) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if err := h.checkReadable(r, body); err != nil {
		return err
	}
	fields := h.guardFields(r, body)
	if h.trapped(fields) {
		return errHoneypot
	}
	if err := h.spendFormToken(r, fields); err != nil {
		return err
	}
	if h.Deny != nil || h.Allow != nil {
		client, guests := booking.Recipients(r.Header.Get("Content-Type"), body, h.rules)
		if err := h.checkRecipients(client, guests); err != nil {
			return err
		}
	}
	if h.Captcha == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), acceptTimeout)
	defer cancel()
	return h.checkPassedCaptcha(ctx, fields)
}

// pretend answers a trapped order as if it had worked.
func (h *Handler) pretend(w http.ResponseWriter, r *http.Request, o *order) error {
	e, err := h.orderedEvent(o)
	if err != nil {
		return h.refuse(w, r, err)
	}
	h.notePretended()
	t := &taken{answer: newAnswer(e, statusQueued, o.booking.Warnings), event: e}
	if h.Confirm != nil {
		t.Status = statusPending
		e.Expires = h.pendingUntil(e)
		if len(e.Resources) > 0 {
			t.kept = h.heldUntil(e)
		}
	}
	return h.confirm(w, r, o, t)
}

// pretendPassed is pretend for a request that the back end does not get.
func (h *Handler) pretendPassed(w http.ResponseWriter, r *http.Request, body []byte) error {
	b, err := booking.Decode(r.Header.Get("Content-Type"), body, h.rules, h.now())
	if err == nil {
		return h.pretend(w, r, &order{request: r, booking: b})
	}
	// What the back end would have made of it is not known.
	h.notePretended()
	return h.confirm(w, r, nil, &taken{answer: answer{Status: statusQueued}})
}

func (h *Handler) notePretended() {
	countRefused(reasonHoneypot)
	h.logger.Info("booking pretended", zap.String("reason", string(reasonHoneypot)))
}

// bodyTimeout is how long a request's body may take.
const bodyTimeout = 30 * time.Second
