package caddyicalmail

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
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

// refuse answers a booking that was not taken. A failure of the server, and
// whatever the site wants to answer itself, goes to its error routes.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	status := statusOf(err)
	if status >= 500 || h.Errors == errorsHandle {
		return caddyhttp.Error(status, err)
	}
	if c := h.logger.Check(zap.DebugLevel, "booking refused"); c != nil {
		c.Write(zap.Int("status", status), zap.Error(err))
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if status == http.StatusUnsupportedMediaType {
		header.Set("Accept-Post", acceptedTypes)
	}
	var fields booking.FieldErrors
	detail := err.Error()
	if errors.As(err, &fields) {
		detail = "Some of the details need to be corrected."
	}
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

// statusOf is the HTTP status that an error stands for.
func statusOf(err error) int {
	var fields booking.FieldErrors
	var theirs caddyhttp.HandlerError
	var failed *deliveryError
	switch {
	case errors.As(err, &fields):
		return http.StatusUnprocessableEntity
	case errors.Is(err, booking.ErrMalformed):
		return http.StatusBadRequest
	case errors.Is(err, booking.ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &theirs):
		return theirs.StatusCode
	case errors.As(err, &failed):
		return http.StatusBadGateway
	default:
		return http.StatusInternalServerError
	}
}
