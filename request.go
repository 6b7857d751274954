package caddyicalmail

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// errTooLarge is a body of more than max_size (HTTP status 413).
var errTooLarge = errors.New("the request is too large")

// errCutBody is a body that is not all there (HTTP status 400).
var errCutBody = fmt.Errorf("%w: it ended before it was complete", booking.ErrMalformed)

// readOrder reads the request's body and decodes what is asked for.
func (h *Handler) readOrder(w http.ResponseWriter, r *http.Request) (*order, error) {
	if err := checkEncoding(r); err != nil {
		return nil, err
	}
	body, err := h.readBody(w, r)
	if err != nil {
		return nil, err
	}
	if h.Verify != nil {
		return h.webhookOrder(r, body)
	}
	b, err := booking.Decode(r.Header.Get("Content-Type"), body, h.rules, h.now())
	if err != nil {
		return nil, err
	}
	key, err := h.requestKey(r, b)
	if err != nil {
		return nil, err
	}
	return &order{
		request: r, booking: b, action: booking.ActionCreate, key: key, fields: h.guardFields(r, body),
	}, nil
}

// checkEncoding refuses compressed bodies: a small one can hold a large one.
func checkEncoding(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("%w: compressed bodies are not taken", booking.ErrMediaType)
	}
	return nil
}

// readBody reads the body up to max_size. A limit of the site's own
// (request_body) has an error of its own, which is passed on.
func (h *Handler) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return h.readUpTo(w, r, h.MaxSize)
}

func (h *Handler) readUpTo(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, errTooLarge
	}
	defer h.hurry(w, r)()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return body, nil
	}
	if isSlow(err) {
		w.Header().Set("Connection", "close") // the rest of the body is still to come
		return nil, errSlowBody
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errTooLarge
	}
	if _, ok := errors.AsType[caddyhttp.HandlerError](err); ok {
		return nil, err
	}
	return nil, errCutBody
}

// prefersJSON reports whether the answer should be JSON: to JSON always, to
// what a form cannot send unless the client asks for a page, and to a form only
// if the client says so, as fetch() with a FormData may.
func prefersJSON(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	if booking.IsJSON(contentType) {
		return true
	}
	json, html := acceptQuality(r.Header, "json"), acceptQuality(r.Header, "html")
	if booking.IsForm(contentType) {
		return json > html
	}
	return json > html || html == 0
}
