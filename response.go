package caddyicalmail

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// The words for what became of a booking.
const (
	statusQueued    = "queued"
	statusDuplicate = "duplicate"
)

// answer is what a JSON client gets for a booking.
type answer struct {
	UID       string               `json:"uid"`
	Sequence  int                  `json:"sequence"`
	Status    string               `json:"status"`
	Start     string               `json:"start"` // RFC 3339, in the client's zone
	End       string               `json:"end"`
	Attendees int                  `json:"attendees"`
	Warnings  []booking.FieldError `json:"warnings,omitempty"`
}

// newAnswer is the answer to a booking that was taken.
func newAnswer(b *booking.Booking, e *booking.Event) answer {
	return answer{
		UID:       e.UID,
		Sequence:  e.Sequence,
		Status:    statusQueued,
		Start:     b.Start.In(b.Zone).Format(time.RFC3339),
		End:       b.End.In(b.Zone).Format(time.RFC3339),
		Attendees: len(e.Recipients()),
		Warnings:  b.Warnings,
	}
}

// confirm answers a booking that was taken, now or before.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, b *booking.Booking, e *booking.Event, t *taken) error {
	e.UID = t.UID // the first one's, if this is a repetition
	setPlaceholders(r, &t.answer)
	w.Header().Set("Cache-Control", "no-store")
	if t.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	if prefersJSON(r) {
		return writeJSON(w, http.StatusAccepted, "application/json", t.answer)
	}
	if h.Redirect != "" {
		w.Header().Set("Location", newExpansion(r, placeholders(e, b)).url(h.Redirect))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	inv, err := newInvitation(e, booking.Recipient{Person: e.Client, Role: booking.RoleClient})
	if err != nil {
		return err
	}
	data, err := inv.mailData()
	if err != nil {
		return err
	}
	return h.pages.write(w, "page_thanks.html", http.StatusAccepted, &page{
		Title:    "Your booking",
		Event:    data,
		Warnings: b.Warnings,
	})
}

// setPlaceholders tells later handlers and access logs what happened.
func setPlaceholders(r *http.Request, a *answer) {
	repl, ok := r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return
	}
	repl.Set(placeholderPrefix+"uid", a.UID)
	repl.Set(placeholderPrefix+"sequence", strconv.Itoa(a.Sequence))
	repl.Set(placeholderPrefix+"status", a.Status)
}

func writeJSON(w http.ResponseWriter, status int, contentType string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}
