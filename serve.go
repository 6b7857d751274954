package caddyicalmail

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// isOrder reports whether a request by this method may be about a booking.
func isOrder(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// serveOrder answers a booking, or a webhook about one, by itself.
func (h *Handler) serveOrder(w http.ResponseWriter, r *http.Request) error {
	h.allowOrigin(w.Header(), r)
	if err := h.checkOrigin(r); err != nil {
		return h.refuse(w, r, err)
	}
	o, err := h.readOrder(w, r)
	if err != nil {
		return h.refuse(w, r, err)
	}
	if o.action == booking.ActionSkip {
		countTaken(statusSkipped)
		return h.confirm(w, r, o, skipped())
	}
	if err := h.guard(o); errors.Is(err, errHoneypot) {
		return h.pretend(w, r, o)
	} else if err != nil {
		return h.refuse(w, r, err)
	}
	t, err := h.execute(o)
	if o.vouched && isSettled(err) {
		// A webhook's sender would only repeat what is refused.
		h.logger.Info("webhook skipped", zap.Error(err))
		t, err = skipped(), nil
	}
	if err != nil {
		return h.refuse(w, r, err)
	}
	countTaken(t.Status)
	return h.confirm(w, r, o, t)
}
