package caddyicalmail

import (
	"errors"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const (
	// maxSummary keeps the title readable in calendars and in the subject, and
	// maxLocation in the mails, in characters.
	maxSummary  = 100
	maxLocation = 1000 // links to video calls are long
)

const (
	defaultSummary         = "{http.ical_invite.name} and {http.ical_invite.host}"
	defaultSummaryNoHost   = "Appointment with {http.ical_invite.name}"
	fallbackSummary        = "Appointment"
	placeholderTimeDisplay = "2006-01-02 15:04"
)

// errNoHost cannot happen: decoding lets through only configured keys.
var errNoHost = errors.New("no host has the chosen key")

// newEvent makes the event that an order asks for. All operator text is
// expanded here, once.
func (h *Handler) newEvent(o *order) (*booking.Event, error) {
	b := o.booking
	host, ok := h.hosts[b.HostKey]
	if o.host != nil {
		host, ok = *o.host, true
	}
	if !ok {
		return nil, errNoHost
	}
	uid, err := newUID(h.organizer.Address, h.scope(), o.id)
	if err != nil {
		return nil, err
	}
	now := h.now().UTC().Truncate(time.Second)
	e := &booking.Event{
		UID:        uid,
		ID:         o.id,
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
		Consents:   consentsAt(b.Consents, now),
		Scope:      h.scope(),
		Mailer:     h.transport.key,
	}
	if err := h.setRecurrence(e, o); err != nil {
		return nil, err
	}
	h.expandTexts(o, e)
	return e, nil
}

func zoneName(zone *time.Location) string {
	if zone == nil {
		return time.UTC.String()
	}
	return zone.String()
}

// scope separates this handler's ids from those of others: by its name, or
// else by its organizer and, if it has a single one, its host.
func (h *Handler) scope() string {
	if h.Scope != "" {
		return h.Scope
	}
	scope := h.organizer.Address.Fold()
	if host, single := h.hosts[""]; single {
		scope += "|" + host.Address.Fold()
	}
	return scope
}

// placeholders are the values that the operator's texts may use.
func (h *Handler) placeholders(o *order, e *booking.Event) map[string]string {
	host := string(e.Host.Name)
	if host == "" {
		host = e.Host.Address.Display()
	}
	zone, err := booking.LoadZone(e.ClientZone)
	if err != nil {
		zone = time.UTC // it was loaded when the event was made
	}
	return map[string]string{
		"name":     string(e.Client.Name),
		"host":     host,
		"host_key": o.booking.HostKey,
		"start":    e.Start.In(zone).Format(placeholderTimeDisplay),
		"end":      e.End.In(zone).Format(placeholderTimeDisplay),
		"timezone": e.ClientZone,
		"uid":      e.UID,
		"id":       string(e.ID),
	}
}

// expandTexts fills in what calendars show. The operator's words win over
// what a booking says.
func (h *Handler) expandTexts(o *order, e *booking.Event) {
	x := newExpansion(o.request, h.placeholders(o, e))
	e.Summary, e.Location = o.booking.Summary, o.booking.Location
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
	e.Resources = h.resources(x, e)
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
