package caddyicalmail

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/webhook"
)

// Who answers a refused booking.
const (
	errorsBuiltin = "builtin"
	errorsHandle  = "handle_errors"
)

// acceptedTypes is the answer to a body of another type (RFC 9110, section
// 15.5.16, and RFC 5789, section 3.1, for the header).
const acceptedTypes = "application/json, application/x-www-form-urlencoded, multipart/form-data"

// problem is the body of a refusal to a JSON client (RFC 9457).
type problem struct {
	Title  string               `json:"title"`
	Status int                  `json:"status"`
	Detail string               `json:"detail"`
	Errors []booking.FieldError `json:"errors,omitempty"`
}

// retryLater is what a client is told when the server cannot take the booking
// just now.
const retryLater = 10 * time.Second

// errUnavailable is what the client's side gets to hear; the cause is logged.
var errUnavailable = errors.New("bookings cannot be taken at the moment")

// unavailableError is a store that cannot take the booking now (HTTP status
// 503): nothing happened, and the same request may work a little later.
type unavailableError struct{ cause error }

func (e *unavailableError) Error() string { return errUnavailable.Error() }

func (e *unavailableError) Unwrap() error { return e.cause }

// storeError tells what a store refused for reasons of the booking from a
// store that does not work.
func storeError(err error) error {
	limit, limited := errors.AsType[*store.LimitError](err)
	switch {
	case limited && limit.Name == limitCaptcha:
		return errCaptcha // the proof of work was used before
	case limited && limit.Name == limitFormToken:
		return errTokenSpent
	case limited, errors.Is(err, store.ErrKeyReused):
		return err
	case errors.Is(err, store.ErrSlotTaken):
		return err
	}
	return &unavailableError{err}
}

// refuse answers a booking that was not taken. A failure of the server, and
// whatever the site wants to answer itself, goes to its error routes.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	status := statusOf(err)
	h.noteRefused(err, status)
	setPlaceholders(r, &answer{Status: statusRefused})
	h.allowOrigin(w.Header(), r)
	if wait := retryAfter(err); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	if _, ok := errors.AsType[*unavailableError](err); ok {
		return caddyhttp.Error(status, errUnavailable)
	}
	if status >= 500 || h.Errors == errorsHandle {
		return caddyhttp.Error(status, err)
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if status == http.StatusUnsupportedMediaType {
		header.Set("Accept-Post", acceptedTypes)
	}
	detail, fields := h.explain(err)
	if prefersJSON(r) {
		return writeJSON(w, status, "application/problem+json", problem{
			Title:  http.StatusText(status),
			Status: status,
			Detail: detail,
			Errors: fields,
		})
	}
	return h.pages.write(w, "page_error.html", status, &page{
		Title:  "Your booking could not be taken",
		Detail: detail,
		Errors: fields,
	})
}

// noteRefused logs and counts a refusal by its fixed word. What a client sent
// is not logged, and neither are the names of fields, which it may choose.
func (h *Handler) noteRefused(err error, status int) {
	why := reasonOf(err)
	countRefused(why)
	if unavailable, ok := errors.AsType[*unavailableError](err); ok {
		h.logger.Error("booking not taken: the store does not work",
			zap.String("reason", string(why)), zap.Int("status", status), zap.Error(unavailable.cause))
		return
	}
	h.logger.Info("booking refused", zap.String("reason", string(why)), zap.Int("status", status))
	if c := h.logger.Check(zap.DebugLevel, "why the booking was refused"); c != nil {
		c.Write(zap.Error(err))
	}
}

// explain says in a sentence why a booking is refused, and which fields are to
// be mended.
func (h *Handler) explain(err error) (detail string, fields booking.FieldErrors) {
	if g, ok := errors.AsType[*guardError](err); ok {
		fields = g.fields()
	} else if errors.Is(err, store.ErrSlotTaken) {
		fields = booking.FieldErrors{{Field: h.rules.Field(booking.PropStart), Detail: slotTakenDetail}}
	} else {
		fields, _ = errors.AsType[booking.FieldErrors](err)
	}
	if fields != nil {
		return "Some of the details need to be corrected.", fields
	}
	if _, ok := errors.AsType[*store.LimitError](err); ok {
		return "There were too many bookings. Please try again later.", nil
	}
	return err.Error(), nil
}

// slotTakenDetail is said of the start.
const slotTakenDetail = "is taken already; please choose another time"

// statusOf is the HTTP status that an error stands for.
func statusOf(err error) int {
	var fields booking.FieldErrors
	var theirs caddyhttp.HandlerError
	var limit *store.LimitError
	var unavailable *unavailableError
	var guard *guardError
	switch {
	case errors.As(err, &guard):
		return guard.status
	case errors.Is(err, store.ErrSlotTaken):
		return http.StatusConflict
	case errors.As(err, &fields):
		return http.StatusUnprocessableEntity
	case errors.Is(err, booking.ErrMalformed):
		return http.StatusBadRequest
	case errors.Is(err, webhook.ErrSignature), errors.Is(err, webhook.ErrTimestamp):
		return http.StatusUnauthorized
	case isSettled(err):
		return http.StatusConflict
	case errors.Is(err, booking.ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &theirs):
		return theirs.StatusCode
	case errors.Is(err, store.ErrKeyReused):
		return http.StatusUnprocessableEntity
	case errors.Is(err, store.ErrStale):
		return http.StatusConflict
	case errors.As(err, &limit):
		return http.StatusTooManyRequests
	case errors.As(err, &unavailable):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// isSettled reports whether an order came to nothing because of how things
// are: repeating it would not help.
func isSettled(err error) bool {
	return errors.Is(err, errUnknownEvent) || errors.Is(err, errPastEvent) ||
		errors.Is(err, errGoneEvent) || errors.Is(err, errNoID) || errors.Is(err, errControl)
}

// retryAfter is how long the client should wait before it tries again; 0 if
// that would not help.
func retryAfter(err error) time.Duration {
	var limit *store.LimitError
	var unavailable *unavailableError
	switch {
	case errors.Is(err, errCaptchaUnavailable):
		return retryLater
	case errors.As(err, &limit):
		return max(limit.RetryAfter, time.Second)
	case errors.As(err, &unavailable):
		return retryLater
	}
	return 0
}
