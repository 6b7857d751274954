package caddyicalmail

import (
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddyicalmail/caddyicalmail/internal/addresslist"
)

// parseOrigin parses
//
//	origin [<origin...>]
func (h *Handler) parseOrigin(d *caddyfile.Dispenser) error {
	if h.Origin != nil {
		return errTwice(d, d.Val())
	}
	h.Origin = &OriginGuard{Allow: d.RemainingArgs()}
	for _, origin := range h.Origin.Allow {
		if strings.Contains(origin, "{") {
			continue // a placeholder is resolved when the config is loaded
		}
		if _, err := normalOrigin(origin); err != nil {
			return d.Errf("origin %q %v", origin, err)
		}
	}
	return nil
}

// parseAddressList parses one of several lines of
//
//	deny|allow <address|domain...>
//	deny|allow file <path...>
func parseAddressList(d *caddyfile.Dispenser, to **AddressList) error {
	option, args := d.Val(), d.RemainingArgs()
	if len(args) == 0 {
		return d.ArgErr()
	}
	if *to == nil {
		*to = new(AddressList)
	}
	if args[0] == "file" {
		if len(args) == 1 {
			return d.ArgErr()
		}
		return appendNew(d, option+" file", &(*to).Files, args[1:])
	}
	for _, entry := range args {
		if strings.Contains(entry, "{") {
			continue
		}
		if err := new(addresslist.List).Add(entry); err != nil {
			return d.Errf("%s: %q %v", option, entry, err)
		}
	}
	return appendNew(d, option, &(*to).Entries, args)
}

// appendNew appends words to a list that must not have them yet.
func appendNew(d *caddyfile.Dispenser, option string, to *[]string, words []string) error {
	for _, word := range words {
		if slices.Contains(*to, word) {
			return errTwice(d, option+" "+word)
		}
		*to = append(*to, word)
	}
	return nil
}

// parseCaptcha parses
//
//	captcha turnstile|hcaptcha|recaptcha {
//	    secret    <placeholder>
//	    field     <name>
//	    endpoint  <url>
//	    timeout   <duration>
//	    on_error  refuse|allow
//	    hostname  <name...>
//	    min_score <0..1>
//	    action    <name>
//	}
//	captcha altcha {
//	    path      <path>
//	    cost      <maxnumber>
//	    expires   <duration>
//	    field     <name>
//	}
func (h *Handler) parseCaptcha(d *caddyfile.Dispenser) error {
	if h.Captcha != nil {
		return errTwice(d, d.Val())
	}
	h.Captcha = new(Captcha)
	words := parseWord(captchaTurnstile, captchaHCaptcha, captchaReCaptcha, captchaAltcha)
	if err := words(d, &h.Captcha.Provider); err != nil {
		return err
	}
	parse := h.Captcha.parseCheckOption
	if h.Captcha.Provider == captchaAltcha {
		parse = h.Captcha.parseProofOption
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := parse(d); err != nil {
			return err
		}
	}
	if h.Captcha.Secret == "" && h.Captcha.Provider != captchaAltcha {
		return d.Errf("captcha %s needs a secret", h.Captcha.Provider)
	}
	return nil
}

// parseCheckOption parses an option of a captcha whose provider is asked.
func (c *Captcha) parseCheckOption(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "secret":
		return parseSecret(d, &c.Secret)
	case "field":
		return parseString(d, &c.Field)
	case "endpoint":
		return parseString(d, &c.Endpoint)
	case "timeout":
		return parseDuration(d, &c.Timeout)
	case "on_error":
		return parseWord(onErrorRefuse, onErrorAllow)(d, &c.OnError)
	case "hostname":
		names := d.RemainingArgs()
		if len(names) == 0 {
			return d.ArgErr()
		}
		return appendNew(d, "hostname", &c.Hostnames, names)
	case "min_score":
		return c.parseScore(d)
	case "action":
		return parseString(d, &c.Action)
	}
	return d.Errf("unrecognized captcha %s option %q", c.Provider, d.Val())
}

// parseProofOption parses an option of a proof of work.
func (c *Captcha) parseProofOption(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "path":
		return parseString(d, &c.Path)
	case "cost":
		return parseCount(d, &c.Cost)
	case "expires":
		return parseDuration(d, &c.Expires)
	case "field":
		return parseString(d, &c.Field)
	}
	return d.Errf("unrecognized captcha %s option %q", c.Provider, d.Val())
}

func (c *Captcha) parseScore(d *caddyfile.Dispenser) error {
	option, text, err := parseOne(d, c.MinScore != 0)
	if err != nil {
		return err
	}
	score, err := strconv.ParseFloat(text, 64)
	if err != nil || !(score > 0 && score <= 1) {
		return d.Errf("%s must be more than 0 and at most 1, not %q", option, text)
	}
	c.MinScore = score
	return nil
}
