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
	if h.Fields != nil {
		return errTwice(d, d.Val())
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	h.Fields = make(map[string][]string)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		property := d.Val()
		if _, err := booking.ParseProperty(property); err != nil {
			return d.WrapErr(err)
		}
		if _, dup := h.Fields[property]; dup {
			return errTwice(d, property)
		}
		sources := d.RemainingArgs()
		if len(sources) < 1 || len(sources) > 2 {
			return d.ArgErr()
		}
		h.Fields[property] = sources
	}
	if len(h.Fields) == 0 {
		return d.Err("fields is empty")
	}
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
func (h *Handler) parseTemplate(d *caddyfile.Dispenser) error {
	var part, file string
	if !d.AllArgs(&part, &file) {
		return d.ArgErr()
	}
	if h.Template == nil {
		h.Template = new(TemplateFiles)
	}
	var to *string
	switch part {
	case "subject":
		to = &h.Template.Subject
	case "text":
		to = &h.Template.Text
	case "html":
		to = &h.Template.HTML
	default:
		return d.Errf("there are templates for subject, text and html, not for %q", part)
	}
	if *to != "" {
		return errTwice(d, "template "+part)
	}
	*to = file
	return nil
}

// parseStore parses
//
//	store bolt [<path>]
func (a *App) parseStore(d *caddyfile.Dispenser) error {
	if a.Store != nil {
		return errTwice(d, d.Val())
	}
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.ArgErr()
	}
	if args[0] != engineBolt {
		return d.Errf("store is %s, not %q", engineBolt, args[0])
	}
	a.Store = &StoreConfig{Engine: args[0]}
	if len(args) == 2 {
		a.Store.Path = args[1]
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

// parseTransport parses
//
//	smtp <host:port> { ... }
//	file <dir>
func parseTransport(d *caddyfile.Dispenser, to *Transport) error {
	option := d.Val()
	if !to.isZero() {
		return d.Errf("%s: there is an smtp or file already; add further ones as mailers with names", option)
	}
	if option == "file" {
		return parseString(d, &to.File)
	}
	to.SMTP = new(SMTP)
	return to.SMTP.parse(d)
}

// parse parses
//
//	smtp <host:port> {
//	    username <user>
//	    password <placeholder>
//	    auth     plain|login|cram-md5|scram-sha-256
//	    tls      starttls|implicit|off
//	    helo     <fqdn>
//	    timeout  <duration>
//	    connections <n>
//	}
func (s *SMTP) parse(d *caddyfile.Dispenser) error {
	if !d.AllArgs(&s.Address) {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch d.Val() {
		case "username":
			err = parseString(d, &s.Username)
		case "password":
			err = parseSecret(d, &s.Password)
		case "auth":
			err = parseString(d, &s.Auth)
		case "tls":
			err = parseString(d, &s.TLS)
		case "helo":
			err = parseString(d, &s.HELO)
		case "timeout":
			err = parseDuration(d, &s.Timeout)
		case "connections":
			err = parseCount(d, &s.Connections)
		default:
			err = d.Errf("unrecognized smtp option %q", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
