package caddyicalmail

import (
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("ical_invite", parseGlobalOption)
	httpcaddyfile.RegisterDirective("ical_invite", parseDirective)
	// After request_body, authentication and rate limits, which have to come
	// first; before handle and route, which would answer in our place.
	httpcaddyfile.RegisterDirectiveOrder("ical_invite", httpcaddyfile.After, "templates")
}

// parseGlobalOption parses the global block. Several of them are merged; what
// they set must not overlap.
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	app := new(App)
	if previous, ok := existing.(httpcaddyfile.App); ok {
		if err := caddy.StrictUnmarshalJSON(previous.Value, app); err != nil {
			return nil, d.Errf("merging ical_invite blocks: %v", err)
		}
	}
	if err := app.UnmarshalCaddyfile(d); err != nil {
		return nil, err
	}
	return httpcaddyfile.App{Name: "ical_invite", Value: caddyconfig.JSON(app, nil)}, nil
}

// UnmarshalCaddyfile sets up the app from Caddyfile tokens. Syntax:
//
//	ical_invite {
//	    organizer <address> [<name>]
//	    smtp      <host:port> { ... }
//	    file      <dir>
//	    mailer    <name> {
//	        smtp <host:port> { ... }
//	        file <dir>
//	    }
//	    store     bolt [<path>]
//	    workers   <n>
//	    retry_for <duration>
//	    retain    <duration>
//	    key       <placeholder|stored...>
//	    log_pii
//	}
func (a *App) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the option's name
	if d.NextArg() {
		return d.ArgErr()
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch d.Val() {
		case "organizer":
			err = parseMailbox(d, &a.Organizer)
		case "smtp", "file":
			err = parseTransport(d, &a.Transport)
		case "mailer":
			err = a.parseMailer(d)
		case "store":
			err = a.parseStore(d)
		case "workers":
			err = parseCount(d, &a.Workers)
		case "retry_for":
			err = parseDuration(d, &a.RetryFor)
		case "retain":
			err = parseDuration(d, &a.Retain)
		case "key":
			err = a.parseKeys(d)
		case "log_pii":
			err = parseFlag(d, &a.LogPII)
		default:
			err = d.Errf("unrecognized option %q in the global ical_invite block", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseMailer parses a mailer with a name.
func (a *App) parseMailer(d *caddyfile.Dispenser) error {
	var name string
	if !d.AllArgs(&name) {
		return d.ArgErr()
	}
	if _, dup := a.Mailers[name]; dup {
		return d.Errf("mailer %q is set twice", name)
	}
	t := new(Transport)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		switch d.Val() {
		case "smtp", "file":
			if err := parseTransport(d, t); err != nil {
				return err
			}
		default:
			return d.Errf("unrecognized option %q in mailer %q", d.Val(), name)
		}
	}
	if t.isZero() {
		return d.Errf("mailer %q needs smtp or file", name)
	}
	if a.Mailers == nil {
		a.Mailers = make(map[string]*Transport)
	}
	a.Mailers[name] = t
	return nil
}

// UnmarshalCaddyfile sets up the handler from Caddyfile tokens. Syntax:
//
//	ical_invite [<matcher>] {
//	    organizer   <address> [<name>]
//	    host        <address> [<name>]
//	    hosts {
//	        <key> <address> [<name>]
//	    }
//	    smtp        <host:port> { ... }
//	    file        <dir>
//	    mailer      <name>
//	    scope       <name>
//	    summary     <text>
//	    location    <text>
//	    description <text>
//	    timezone    <IANA name>
//	    duration    <duration>
//	    fields {
//	        <property> <field> [<second field>]
//	    }
//	    extra       <field> <label>
//	    consent     <field> <label>
//	    max_guests  <n>
//	    redirect    <url>
//	    template    subject|text|html|confirm_subject|confirm_text|confirm_html <file>
//	    template    pages <dir>
//	    errors      builtin|handle_errors
//	    max_size    <size>
//	    limit       recipient|total <n> <window>
//	    id          <placeholder>
//	    pass_thru   { ... }
//	    verify      standard_webhooks|stripe|hmac { ... }
//	    when        <JSON path> <value...>
//	    base_url    <url>
//	    manage      <path> { ... }
//	    confirm     [<path>] { ... }
//	    form_token  [<path>] { ... }
//	    exclusive   [<resource>]
//	    notice      <duration>
//	    horizon     <duration>
//	    max_duration <duration>
//	    honeypot    <field>
//	    origin      [<origin...>]
//	    deny        <address|domain...> | file <path...>
//	    allow       <address|domain...> | file <path...>
//	    captcha     turnstile|hcaptcha|recaptcha|altcha { ... }
//	}
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive's name; the matcher is gone already
	if d.NextArg() {
		return d.ArgErr()
	}
	options := h.options()
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		option := d.Val()
		parse, ok := options[option]
		if !ok {
			return d.Errf("unrecognized ical_invite option %q", option)
		}
		if err := parse(d); err != nil {
			return err
		}
	}
	return nil
}

// options maps the words of the directive's block to their parsers.
func (h *Handler) options() map[string]func(*caddyfile.Dispenser) error {
	return map[string]func(*caddyfile.Dispenser) error{
		"organizer":    func(d *caddyfile.Dispenser) error { return parseMailbox(d, &h.Organizer) },
		"host":         func(d *caddyfile.Dispenser) error { return parseMailbox(d, &h.Host) },
		"hosts":        h.parseHosts,
		"smtp":         func(d *caddyfile.Dispenser) error { return parseTransport(d, &h.Transport) },
		"file":         func(d *caddyfile.Dispenser) error { return parseTransport(d, &h.Transport) },
		"mailer":       func(d *caddyfile.Dispenser) error { return parseString(d, &h.Mailer) },
		"scope":        func(d *caddyfile.Dispenser) error { return parseString(d, &h.Scope) },
		"summary":      func(d *caddyfile.Dispenser) error { return parseString(d, &h.Summary) },
		"location":     func(d *caddyfile.Dispenser) error { return parseString(d, &h.Location) },
		"description":  func(d *caddyfile.Dispenser) error { return parseString(d, &h.Description) },
		"timezone":     func(d *caddyfile.Dispenser) error { return parseZone(d, &h.Timezone) },
		"duration":     func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Duration) },
		"fields":       h.parseFields,
		"extra":        h.parseExtraField,
		"consent":      h.parseConsent,
		"max_guests":   func(d *caddyfile.Dispenser) error { return parseCount(d, &h.MaxGuests) },
		"redirect":     func(d *caddyfile.Dispenser) error { return parseString(d, &h.Redirect) },
		"template":     h.parseTemplate,
		"errors":       func(d *caddyfile.Dispenser) error { return parseWord(errorsBuiltin, errorsHandle)(d, &h.Errors) },
		"limit":        h.parseLimit,
		"id":           func(d *caddyfile.Dispenser) error { return parseString(d, &h.ID) },
		"pass_thru":    h.parsePassThru,
		"verify":       h.parseVerify,
		"when":         h.parseWhen,
		"base_url":     func(d *caddyfile.Dispenser) error { return parseString(d, &h.BaseURL) },
		"manage":       h.parseManage,
		"confirm":      h.parseConfirm,
		"form_token":   h.parseFormToken,
		"exclusive":    h.parseExclusive,
		"notice":       func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Notice) },
		"horizon":      func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Horizon) },
		"max_duration": func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.MaxDuration) },
		"honeypot":     func(d *caddyfile.Dispenser) error { return parseString(d, &h.Honeypot) },
		"origin":       h.parseOrigin,
		"deny":         func(d *caddyfile.Dispenser) error { return parseAddressList(d, &h.Deny) },
		"allow":        func(d *caddyfile.Dispenser) error { return parseAddressList(d, &h.Allow) },
		"captcha":      h.parseCaptcha,
		"max_size":     func(d *caddyfile.Dispenser) error { return parseSize(d, &h.MaxSize) },
	}
}

// Interface guards
var (
	_ caddyfile.Unmarshaler = (*App)(nil)
	_ caddyfile.Unmarshaler = (*Handler)(nil)
)
