package caddyicalmail

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const (
	// maxSummary keeps the title readable in calendars and in the subject, and
	// maxLocation in the mails, in characters.
	maxSummary  = 100
	maxLocation = 250
)

const (
	defaultSummary         = "{http.ical_invite.name} and {http.ical_invite.host}"
	defaultSummaryNoHost   = "Appointment with {http.ical_invite.name}"
	fallbackSummary        = "Appointment"
	placeholderTimeDisplay = "2006-01-02 15:04"
)

// newEvent makes the event that a booking asks for. All operator text is
// expanded here, once.
func (h *Handler) newEvent(r *http.Request, b *booking.Booking) (*booking.Event, error) {
	host, ok := h.hosts[b.HostKey]
	if !ok {
		// Decode let through only configured keys.
		return nil, fmt.Errorf("no host has the chosen key")
	}
	uid, err := newUID(h.organizer.Address)
	if err != nil {
		return nil, err
	}
	now := h.now().UTC().Truncate(time.Second)
	e := &booking.Event{
		UID:        uid,
		Status:     booking.Confirmed,
		Created:    now,
		Modified:   now,
		Start:      b.Start,
		End:        b.End,
		ClientZone: b.Zone.String(),
		HostZone:   zoneName(h.zone),
		Organizer:  h.organizer,
		Host:       host,
		Client:     b.Client,
		Guests:     b.Guests,
		Notes:      b.Notes,
		Extra:      b.Extra,
		Scope:      h.scope(host),
		Mailer:     h.transport.key,
	}
	h.expandTexts(newExpansion(r, placeholders(e, b)), e, b)
	return e, nil
}

// newUID returns a globally unique identifier in the domain of the organizer
// (RFC 7986, section 5.3, asks for a UUID).
func newUID(organizer booking.Address) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("making a UID: %w", err)
	}
	return id.String() + "@" + organizer.Domain(), nil
}

func zoneName(zone *time.Location) string {
	if zone == nil {
		return time.UTC.String()
	}
	return zone.String()
}

func (h *Handler) scope(host booking.Person) string {
	if h.Scope != "" {
		return h.Scope
	}
	return h.organizer.Address.Fold() + "|" + host.Address.Fold()
}

// placeholders are the values that the operator's texts may use.
func placeholders(e *booking.Event, b *booking.Booking) map[string]string {
	host := string(e.Host.Name)
	if host == "" {
		host = e.Host.Address.Display()
	}
	return map[string]string{
		"name":     string(e.Client.Name),
		"host":     host,
		"host_key": b.HostKey,
		"start":    e.Start.In(b.Zone).Format(placeholderTimeDisplay),
		"end":      e.End.In(b.Zone).Format(placeholderTimeDisplay),
		"timezone": b.Zone.String(),
		"uid":      e.UID,
	}
}

// expandTexts fills in what calendars show. The operator's words win over
// what a form says.
func (h *Handler) expandTexts(x *expansion, e *booking.Event, b *booking.Booking) {
	e.Summary, e.Location = b.Summary, b.Location
	if h.Summary != "" || e.Summary == "" {
		e.Summary = x.line(h.summaryTemplate(e))
	}
	if h.Location != "" {
		e.Location = x.line(h.Location)
	}
	if e.Summary == "" {
		e.Summary = fallbackSummary // whatever the placeholders were, they were empty
	}
	e.Summary = truncate(e.Summary, maxSummary)
	e.Location = truncate(e.Location, maxLocation)
	e.Description = x.text(h.Description)
}

func (h *Handler) summaryTemplate(e *booking.Event) string {
	switch {
	case h.Summary != "":
		return h.Summary
	case e.Host.Name != "":
		return defaultSummary
	default:
		return defaultSummaryNoHost
	}
}

// truncate shortens l to at most n characters. Texts are long only because of
// what was filled in, and a shortened title is better than no appointment.
func truncate(l booking.Line, n int) booking.Line {
	runes := []rune(string(l))
	if len(runes) <= n {
		return l
	}
	return booking.Line(strings.TrimSpace(string(runes[:n-1])) + "…")
}
