package caddyicalmail

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// The actions of the page of an event.
const (
	actionMove    = "move"
	actionCancel  = "cancel"
	actionConfirm = "confirm"
)

// maxNote is the length of a note, in characters.
const maxNote = 2000

// maxPageForm bounds what a page's form sends, in bytes: a note in any script,
// percent-encoded.
const maxPageForm = 64 << 10

// errOutdated is a form of a page that does not show things as they are.
var errOutdated = errors.New("the page is out of date")

// errNoAction is a form that asks for something that is not on offer.
var errNoAction = fmt.Errorf("%w: there is no such action", booking.ErrMalformed)

// errCrossSite is a form that another site sent in the client's name.
var errCrossSite = &guardError{
	reason: reasonOrigin, status: http.StatusForbidden, detail: "The form was sent by another site.",
}

// readPageForm reads a form of one of our pages.
func (h *Handler) readPageForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return nil, errCrossSite
	}
	// Browsers say null of our own pages, because those have no referrer.
	if origin := r.Header.Get("Origin"); origin != "" && origin != "null" && !h.isOwnOrigin(origin, r) {
		return nil, errCrossSite
	}
	contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || contentType != "application/x-www-form-urlencoded" || r.Header.Get("Content-Encoding") != "" {
		return nil, fmt.Errorf("%w: a form is wanted", booking.ErrMediaType)
	}
	body, err := h.readUpTo(w, r, maxPageForm)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: the form is damaged", booking.ErrMalformed)
	}
	return form, nil
}

// isOwnOrigin reports whether an origin is this site's, as the request or the
// config names it. The scheme may be a proxy's.
func (h *Handler) isOwnOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	return err == nil && (strings.EqualFold(u.Host, r.Host) || strings.EqualFold(u.Host, h.baseHost))
}

// act does what the form on the page of an event asks for, if the page still
// shows the event as it is.
func (v *visit) act(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	form, err := v.handler.readPageForm(w, r)
	if err != nil {
		return v.handler.refuseForm(w, err)
	}
	if problem := v.outdated(form.Get("token")); problem != "" {
		v.handler.noteRefused(errOutdated, http.StatusConflict)
		return v.show(w, http.StatusConflict, &page{Problem: problem})
	}
	p := &page{Open: form.Get("action"), Note: form.Get("note"), Start: form.Get("start")}
	note := booking.CleanText(form.Get("note"))
	if utf8.RuneCountInString(string(note)) > maxNote {
		p.Errors = []booking.FieldError{{Field: "note", Detail: fmt.Sprintf("is longer than %d characters", maxNote)}}
		return v.show(w, http.StatusUnprocessableEntity, p)
	}
	o := &order{
		request: r, booking: new(booking.Booking), vouched: true,
		note: note, noteFrom: v.role,
	}
	switch {
	case p.Open == actionCancel && v.canCancel():
		return v.settle(w, r, p, v.cancel(ctx, o), "The appointment is cancelled. Everybody who was invited gets a mail about it.")
	case p.Open == actionMove && v.canMove():
		return v.settle(w, r, p, v.move(ctx, o, p.Start), "The appointment has been moved. Everybody who is invited gets a mail with the new time.")
	}
	return v.handler.refuseForm(w, errNoAction)
}

// outdated tells why a page must not act any more, or nothing.
func (v *visit) outdated(text string) string {
	switch v.state() {
	case stateCancelled:
		return "This appointment was cancelled already. Nothing was changed."
	case statePast:
		return "This appointment is over. Nothing was changed."
	}
	t, err := v.handler.keys().Verify(text, v.handler.now(), v.actPurpose())
	switch {
	case errors.Is(err, token.ErrExpired):
		return "The page was open for too long. Nothing was changed: please look at it as it is now, and try again."
	case err != nil || t.Subject != v.event.UID:
		return "The form was not sent from this page. Nothing was changed: please try again."
	case t.Sequence != v.event.Sequence:
		return "The appointment has changed since the page was opened, perhaps by this very form sent twice. " +
			"Nothing was changed now: this is how it is."
	}
	return ""
}

// settle shows what became of an action.
func (v *visit) settle(w http.ResponseWriter, r *http.Request, p *page, err error, done string) error {
	if err == nil {
		setPlaceholders(r, &answer{UID: v.event.UID, Sequence: v.event.Sequence, Status: v.outcome()})
		return v.show(w, http.StatusOK, &page{Done: done})
	}
	if errors.Is(err, store.ErrStale) {
		return v.showStale(w, r, err)
	}
	if errors.Is(err, errLinkUnknown) {
		return v.handler.refuseLink(w, r, err) // it was erased meanwhile
	}
	status := statusOf(err)
	v.handler.noteRefused(err, status)
	var fields booking.FieldErrors
	var limit *store.LimitError
	var refused *upstreamError
	switch {
	case errors.As(err, &fields):
		p.Errors = fields
	case errors.Is(err, store.ErrSlotTaken):
		p.Errors = []booking.FieldError{{Field: "start", Detail: "is taken already; please choose another time"}}
	case errors.As(err, &limit):
		p.Problem = "The appointment was changed too often today. Please try again tomorrow, or write to the other side."
	case errors.As(err, &refused):
		p.Problem, status = refused.message(), http.StatusBadGateway
		if refused.refused() {
			status = http.StatusConflict
		}
	default:
		v.handler.logger.Error("a link could not act", zap.Error(err))
		p.Problem = "That does not work just now, and nothing was changed. Please try again in some minutes."
		status = http.StatusServiceUnavailable
	}
	return v.show(w, status, p)
}

// outcome is the status word for what has become of the event.
func (v *visit) outcome() string {
	if v.event.Status == booking.Cancelled {
		return statusCancelled
	}
	return statusUpdated
}

// showStale shows what somebody else made of the event, if it is still there.
func (v *visit) showStale(w http.ResponseWriter, r *http.Request, err error) error {
	status := statusOf(err)
	v.handler.noteRefused(err, status)
	if err := v.reload(); err != nil {
		return v.handler.refuseLink(w, r, err)
	}
	return v.show(w, status, &page{
		Problem: "Somebody else has just changed the appointment. Nothing was changed by you: this is how it is now."})
}

// reload reads the event once more, to show what somebody else made of it.
func (v *visit) reload() error {
	ctx, cancel := context.WithTimeout(context.Background(), acceptTimeout)
	defer cancel()
	return v.load(ctx, v.event.UID)
}

// cancel calls the event off, after the back end has.
func (v *visit) cancel(ctx context.Context, o *order) error {
	asked := v.handler.Manage.cancel
	if err := v.ask(ctx, asked, typeCancel, o, v.event); err != nil {
		return err
	}
	return v.change(ctx, asked != nil, func(before *booking.Event) (*taken, error) {
		if before.Status == booking.Cancelled {
			return &taken{event: before, answer: answer{Status: statusDuplicate}}, nil
		}
		return v.handler.cancel(ctx, v.store, o, before)
	})
}

// change changes the event as the page showed it. Only a back end that agreed
// may have changed it by itself meanwhile, which is as good.
func (v *visit) change(ctx context.Context, agreed bool, change func(before *booking.Event) (*taken, error)) error {
	shown := v.event.Sequence
	if agreed {
		if err := v.load(ctx, v.event.UID); err != nil {
			return err
		}
	}
	t, err := change(v.event)
	if err == nil {
		countTaken(t.Status)
	}
	if errors.Is(err, store.ErrStale) && agreed && v.event.Sequence == shown {
		return v.change(ctx, agreed, change) // the back end's own change has just come
	}
	if err != nil {
		return err
	}
	v.event = t.event
	return nil
}
