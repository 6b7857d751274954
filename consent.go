package caddyicalmail

import (
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// ConsentField is a checkbox of the form that must be ticked.
type ConsentField struct {
	// The form field, dotted JSON path or JSON pointer. It is ticked if it is
	// `on`, `true`, `yes` or `1`. Required.
	Field string `json:"field,omitempty"`

	// What is agreed to, in words: it is kept with the event, and the host's
	// mail shows it. Required.
	Label string `json:"label,omitempty"`
}

// parseConsent parses
//
//	consent <field> <label>
func (h *Handler) parseConsent(d *caddyfile.Dispenser) error {
	var c ConsentField
	if !d.AllArgs(&c.Field, &c.Label) {
		return d.ArgErr()
	}
	for _, known := range h.Consents {
		if known.Field == c.Field {
			return errTwice(d, "consent "+c.Field)
		}
	}
	h.Consents = append(h.Consents, c)
	return nil
}

// parseConsents compiles the consents option.
func parseConsents(config []ConsentField) ([]booking.ExtraField, error) {
	var consents []booking.ExtraField
	for _, c := range config {
		path, err := booking.ParsePath(c.Field)
		if err != nil {
			return nil, fmt.Errorf("consent: %w", err)
		}
		label := booking.CleanLine(c.Label)
		if label == "" {
			return nil, fmt.Errorf("consent %s needs a label", c.Field)
		}
		if slices.ContainsFunc(consents, func(known booking.ExtraField) bool { return known.Field == path }) {
			return nil, fmt.Errorf("consent has the field %s twice", c.Field)
		}
		consents = append(consents, booking.ExtraField{Field: path, Label: label})
	}
	return consents, nil
}

// consentsAt records what was agreed to at a time.
func consentsAt(labels []booking.Line, at time.Time) []booking.Consent {
	var consents []booking.Consent
	for _, label := range labels {
		consents = append(consents, booking.Consent{Label: label, Given: at})
	}
	return consents
}

// answersAndConsents are the further answers, and after them the consents, as
// the host's mail shows them.
func answersAndConsents(e *booking.Event) []booking.Answer {
	if len(e.Consents) == 0 {
		return e.Extra
	}
	all := slices.Clone(e.Extra)
	for _, c := range e.Consents {
		given := c.Given.UTC().Format("2 January 2006 15:04") + " UTC"
		all = append(all, booking.Answer{Label: c.Label, Value: booking.Text("yes, " + given)})
	}
	return all
}
