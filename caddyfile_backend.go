package caddyicalmail

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// parsePassThru parses
//
//	pass_thru {
//	    match      status <code...> | header <field> [<value>]
//	    fields {
//	        <property> <JSON path>
//	    }
//	    on_failure pass|error
//	}
func (h *Handler) parsePassThru(d *caddyfile.Dispenser) error {
	if h.PassThru != nil {
		return errTwice(d, d.Val())
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	h.PassThru = new(PassThru)
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		var err error
		switch d.Val() {
		case "match":
			err = h.PassThru.parseMatch(d)
		case "fields":
			err = parseFieldsBlock(d, &h.PassThru.Fields)
		case "on_failure":
			err = parseWord(onFailurePass, onFailureError)(d, &h.PassThru.OnFailure)
		default:
			err = d.Errf("unrecognized pass_thru option %q", d.Val())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// parseMatch parses a response matcher, in the forms that Caddy's encode has.
func (p *PassThru) parseMatch(d *caddyfile.Dispenser) error {
	if p.Match != nil {
		return errTwice(d, d.Val())
	}
	matchers := make(map[string]caddyhttp.ResponseMatcher)
	if err := caddyhttp.ParseNamedResponseMatcher(d.NewFromNextSegment(), matchers); err != nil {
		return err
	}
	matcher := matchers["match"]
	p.Match = &matcher
	return nil
}

// parseVerify parses
//
//	verify standard_webhooks|stripe|hmac {
//	    secret           <placeholder...>
//	    header           <name> [<prefix>]
//	    encoding         hex|base64
//	    algorithm        sha256|sha1|sha512
//	    timestamp_header <name>
//	}
func (h *Handler) parseVerify(d *caddyfile.Dispenser) error {
	if h.Verify != nil {
		return errTwice(d, d.Val())
	}
	h.Verify = new(Verify)
	if err := parseWord(schemeStandard, schemeStripe, schemeHMAC)(d, &h.Verify.Scheme); err != nil {
		return err
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := h.Verify.parseOption(d); err != nil {
			return err
		}
	}
	if len(h.Verify.Secrets) == 0 {
		return d.Err("verify needs a secret")
	}
	return nil
}

func (v *Verify) parseOption(d *caddyfile.Dispenser) error {
	switch d.Val() {
	case "secret":
		return v.parseSecrets(d)
	case "header":
		return v.parseHeader(d)
	case "encoding":
		return parseString(d, &v.Encoding)
	case "algorithm":
		return parseString(d, &v.Algorithm)
	case "timestamp_header":
		return parseString(d, &v.TimestampHeader)
	default:
		return d.Errf("unrecognized verify option %q", d.Val())
	}
}

// parseSecrets takes several secrets, on one line or on many.
func (v *Verify) parseSecrets(d *caddyfile.Dispenser) error {
	secrets := d.RemainingArgs()
	if len(secrets) == 0 {
		return d.ArgErr()
	}
	for _, s := range secrets {
		if err := checkSecret(s, "secret"); err != nil {
			return d.WrapErr(err)
		}
	}
	v.Secrets = append(v.Secrets, secrets...)
	return nil
}

func (v *Verify) parseHeader(d *caddyfile.Dispenser) error {
	if v.Header != "" {
		return errTwice(d, d.Val())
	}
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.ArgErr()
	}
	v.Header = args[0]
	if len(args) == 2 {
		v.Prefix = args[1]
	}
	return nil
}

// parseWhen parses
//
//	when <JSON path> <value...>
func (h *Handler) parseWhen(d *caddyfile.Dispenser) error {
	if h.When != nil {
		return errTwice(d, d.Val())
	}
	args := d.RemainingArgs()
	if len(args) < 2 {
		return d.ArgErr()
	}
	h.When = &When{Path: args[0], Values: args[1:]}
	return nil
}
