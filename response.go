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
	statusUpdated   = "updated"
	statusCancelled = "cancelled"
	statusSkipped   = "skipped"
	statusFailed    = "failed"
	statusPending   = "pending"
	statusConfirmed = "confirmed"
	statusRefused   = "refused" // for placeholders only
)

// answer is what a JSON client gets for a booking.
type answer struct {
	UID       string               `json:"uid,omitempty"`
	Sequence  int                  `json:"sequence"`
	Status    string               `json:"status"`
	Start     string               `json:"start,omitempty"` // RFC 3339, in the client's zone
	End       string               `json:"end,omitempty"`
	Attendees int                  `json:"attendees,omitempty"`
	Warnings  []booking.FieldError `json:"warnings,omitempty"`
}

// newAnswer tells what became of an event. Times are in the client's zone.
func newAnswer(e *booking.Event, status string, warnings []booking.FieldError) answer {
	zone, err := booking.LoadZone(e.ClientZone)
	if err != nil {
		zone = time.UTC // it was loaded when the event was made
	}
	return answer{
		UID:       e.UID,
		Sequence:  e.Sequence,
		Status:    status,
		Start:     e.Start.In(zone).Format(time.RFC3339),
		End:       e.End.In(zone).Format(time.RFC3339),
		Attendees: len(e.Recipients()),
		Warnings:  warnings,
	}
}

// confirm answers an order that was taken, now or before.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, o *order, t *taken) error {
	setPlaceholders(r, &t.answer)
	w.Header().Set("Cache-Control", "no-store")
	if t.replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	if prefersJSON(r) || t.event == nil {
		return writeJSON(w, http.StatusAccepted, "application/json", t.answer)
	}
	t.event.UID = t.UID // the first one's, if this is a repetition
	if h.Redirect != "" {
		w.Header().Set("Location", newExpansion(r, h.placeholders(o, t.event)).url(h.Redirect))
		w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	return h.writeTaken(w, o, t)
}

// writeTaken writes the page about an order that was taken.
func (h *Handler) writeTaken(w http.ResponseWriter, o *order, t *taken) error {
	inv := &invitation{Event: t.event, to: booking.Recipient{Person: t.event.Client, Role: booking.RoleClient}}
	data, err := inv.mailData()
	if err != nil {
		return err
	}
	p := &page{Title: "Your booking", Event: data, Warnings: o.booking.Warnings, State: stateConfirmed}
	if t.Status != statusPending {
		return h.pages.write(w, "page_thanks.html", http.StatusAccepted, p)
	}
	p.Title, p.State = "Not booked yet", statePending
	data.Expires = momentInWords(t.event.Expires.In(data.Start.Location()))
	if !t.kept.IsZero() {
		p.Held = momentInWords(t.kept.In(data.Start.Location()))
	}
	return h.pages.write(w, "page_pending.html", http.StatusAccepted, p)
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
