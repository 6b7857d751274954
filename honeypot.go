package caddyicalmail

import (
	"fmt"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// setHoneypot compiles the path of the field that people leave empty.
func (h *Handler) setHoneypot() (err error) {
	if h.Honeypot == "" {
		return nil
	}
	if h.honeypot, err = booking.ParsePath(h.Honeypot); err != nil {
		return fmt.Errorf("honeypot: %w", err)
	}
	return nil
}

// trapped reports whether the field that people leave empty was filled.
func (h *Handler) trapped(fields booking.Fields) bool {
	return h.Honeypot != "" && fields.Filled(h.honeypot)
}
