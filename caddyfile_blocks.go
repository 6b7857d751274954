package caddyicalmail

import (
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// parseHosts parses
//
//	hosts {
//	    <key> <address> [<name>]
//	}
func (h *Handler) parseHosts(d *caddyfile.Dispenser) error {
	if h.Hosts != nil {
		return errTwice(d, d.Val())
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		key := d.Val()
		for _, known := range h.Hosts {
			if known.Key == key {
				return errTwice(d, "host "+key)
			}
		}
		var mailbox *Mailbox
		if err := parseMailbox(d, &mailbox); err != nil {
			return err
		}
		h.Hosts = append(h.Hosts, HostChoice{Key: key, Mailbox: *mailbox})
	}
	if h.Hosts == nil {
		return d.Err("hosts is empty")
	}
	return nil
}

// parseFields parses
//
//	fields {
//	    <property> <field> [<second field>]
//	}
func (h *Handler) parseFields(d *caddyfile.Dispenser) error {
	return parseFieldsBlock(d, &h.Fields)
}

// parseFieldsBlock parses a block of properties and where they are found.
func parseFieldsBlock(d *caddyfile.Dispenser, to *map[string][]string) error {
	if *to != nil {
		return errTwice(d, d.Val())
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	fields := make(map[string][]string)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		property := d.Val()
		if _, err := booking.ParseProperty(property); err != nil {
			return d.WrapErr(err)
		}
		if _, dup := fields[property]; dup {
			return errTwice(d, property)
		}
		sources := d.RemainingArgs()
		if len(sources) < 1 || len(sources) > 2 {
			return d.ArgErr()
		}
		fields[property] = sources
	}
	if len(fields) == 0 {
		return d.Err("fields is empty")
	}
	*to = fields
	return nil
}

// parseExtraField parses
//
//	extra <field> <label>
func (h *Handler) parseExtraField(d *caddyfile.Dispenser) error {
	var e ExtraField
	if !d.AllArgs(&e.Field, &e.Label) {
		return d.ArgErr()
	}
	for _, known := range h.Extra {
		if known.Field == e.Field {
			return errTwice(d, "extra "+e.Field)
		}
	}
	h.Extra = append(h.Extra, e)
	return nil
}

// parseTemplate parses
//
//	template subject|text|html <file>
//	template confirm_subject|confirm_text|confirm_html <file>
//	template pages <dir>
func (h *Handler) parseTemplate(d *caddyfile.Dispenser) error {
	var part, file string
	if !d.AllArgs(&part, &file) {
		return d.ArgErr()
	}
	if h.Template == nil {
		h.Template = new(TemplateFiles)
	}
	to := h.Template.part(part)
	if to == nil {
		return d.Errf("there are templates for subject, text, html, confirm_subject, confirm_text, confirm_html "+
			"and pages, not for %q", part)
	}
	if *to != "" {
		return errTwice(d, "template "+part)
	}
	*to = file
	return nil
}

// part is where the file of the part of that name belongs; nil if there is no
// such part.
func (f *TemplateFiles) part(name string) *string {
	switch name {
	case "subject":
		return &f.Subject
	case "text":
		return &f.Text
	case "html":
		return &f.HTML
	case "confirm_subject":
		return &f.ConfirmSubject
	case "confirm_text":
		return &f.ConfirmText
	case "confirm_html":
		return &f.ConfirmHTML
	case "pages":
		return &f.Pages
	}
	return nil
}

// parseLimit parses
//
//	limit recipient|total <n> <window>
func (h *Handler) parseLimit(d *caddyfile.Dispenser) error {
	if h.Limit == nil {
		h.Limit = new(Limits)
	}
	var what, count, window string
	if !d.AllArgs(&what, &count, &window) {
		return d.ArgErr()
	}
	var to **Limit
	switch what {
	case limitRecipient:
		to = &h.Limit.Recipient
	case limitTotal:
		to = &h.Limit.Total
	default:
		return d.Errf("there are limits for recipient and total, not for %q", what)
	}
	if *to != nil {
		return errTwice(d, "limit "+what)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 {
		return d.Errf("limit %s must be a positive whole number, not %q", what, count)
	}
	span, err := caddy.ParseDuration(window)
	if err != nil {
		return d.Errf("parsing the window of limit %s: %v", what, err)
	}
	if span <= 0 {
		return d.Errf("the window of limit %s must be positive", what)
	}
	*to = &Limit{Max: n, Window: caddy.Duration(span)}
	return nil
}
