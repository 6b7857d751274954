package caddyicalmail

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// setPeople resolves the organizer and the hosts.
func (h *Handler) setPeople(repl *caddy.Replacer) error {
	switch {
	case h.Organizer != nil:
		organizer, err := h.Organizer.person(repl, "organizer")
		if err != nil {
			return err
		}
		h.organizer = organizer
	case h.app.organizer != nil:
		h.organizer = *h.app.organizer
	default:
		return errors.New("an organizer is required, here or in the global block: the mailbox that sends the invitations")
	}
	if err := h.setHosts(repl); err != nil {
		return err
	}
	for _, host := range h.hosts {
		if err := checkOrganizer(h.organizer, host); err != nil {
			return err
		}
	}
	return nil
}

func (h *Handler) setHosts(repl *caddy.Replacer) error {
	if (h.Host == nil) == (len(h.Hosts) == 0) {
		return errors.New("either a host or hosts is required, and not both: the person who is booked")
	}
	h.hosts = make(map[string]booking.Person, len(h.Hosts)+1)
	if h.Host != nil {
		host, err := h.Host.person(repl, "host")
		h.hosts[""] = host
		return err
	}
	for _, choice := range h.Hosts {
		if choice.Key == "" {
			return errors.New("each of hosts needs a key")
		}
		if _, dup := h.hosts[choice.Key]; dup {
			return fmt.Errorf("hosts has the key %q twice", choice.Key)
		}
		host, err := choice.person(repl, fmt.Sprintf("host %q", choice.Key))
		if err != nil {
			return err
		}
		h.hosts[choice.Key] = host
	}
	return nil
}

// setRules compiles what a booking must look like.
func (h *Handler) setRules(repl *caddy.Replacer) error {
	if err := h.setZone(repl); err != nil {
		return err
	}
	fields, err := parseFields(h.Fields)
	if err != nil {
		return err
	}
	extra, err := h.parseExtra()
	if err != nil {
		return err
	}
	consents, err := parseConsents(h.Consents)
	if err != nil {
		return err
	}
	h.rules = &booking.Rules{
		Fields:    fields,
		Extra:     extra,
		Consents:  consents,
		Zone:      h.zone,
		Duration:  time.Duration(h.Duration),
		Organizer: h.organizer.Address,
		MaxGuests: h.MaxGuests,
	}
	for _, choice := range h.Hosts {
		h.rules.HostKeys = append(h.rules.HostKeys, choice.Key)
	}
	return nil
}

func (h *Handler) setZone(repl *caddy.Replacer) error {
	name, err := repl.ReplaceOrErr(h.Timezone, true, true)
	if err != nil {
		return fmt.Errorf("expanding timezone: %w", err)
	}
	if name == "" {
		return nil
	}
	if h.zone, err = booking.LoadZone(name); err != nil {
		return fmt.Errorf("timezone %q %w", name, err)
	}
	return nil
}

// parseFields compiles the fields option.
func parseFields(config map[string][]string) (map[booking.Property][]booking.Path, error) {
	fields := make(map[booking.Property][]booking.Path, len(config))
	for word, sources := range config {
		property, err := booking.ParseProperty(word)
		if err != nil {
			return nil, fmt.Errorf("fields: %w", err)
		}
		if len(sources) < 1 || len(sources) > 2 {
			return nil, fmt.Errorf("fields: %s takes one field, or two that are joined", word)
		}
		for _, source := range sources {
			path, err := booking.ParsePath(source)
			if err != nil {
				return nil, fmt.Errorf("fields: %s: %w", word, err)
			}
			fields[property] = append(fields[property], path)
		}
	}
	return fields, nil
}

func (h *Handler) parseExtra() ([]booking.ExtraField, error) {
	var extra []booking.ExtraField
	for _, e := range h.Extra {
		path, err := booking.ParsePath(e.Field)
		if err != nil {
			return nil, fmt.Errorf("extra: %w", err)
		}
		label := booking.CleanLine(e.Label)
		if label == "" {
			return nil, fmt.Errorf("extra %s needs a label", e.Field)
		}
		if slices.ContainsFunc(extra, func(known booking.ExtraField) bool { return known.Field.String() == path.String() }) {
			return nil, fmt.Errorf("extra has the field %s twice", e.Field)
		}
		extra = append(extra, booking.ExtraField{Field: path, Label: label})
	}
	return extra, nil
}
