package caddyicalmail

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

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

// parseFlag parses an option that is there or not.
func parseFlag(d *caddyfile.Dispenser, to *bool) error {
	if *to {
		return errTwice(d, d.Val())
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	*to = true
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
			err = parseWord("plain", "login", "cram-md5", "scram-sha-256")(d, &s.Auth)
		case "tls":
			err = parseWord(tlsStartTLS, tlsImplicit, tlsOff)(d, &s.TLS)
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
