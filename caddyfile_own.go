package caddyicalmail

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// parseDirective parses the directive into its route and, if it has pages of
// its own, a second one, which matches their paths whatever the first matches.
func parseDirective(d httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	if !d.Next() {
		return nil, d.ArgErr()
	}
	matcher, err := d.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	handler := new(Handler)
	if err := handler.UnmarshalCaddyfile(d.Dispenser); err != nil {
		return nil, err
	}
	paths := handler.configuredPaths()
	if len(paths) == 0 {
		return d.NewRoute(matcher, handler), nil
	}
	if handler.Name, err = handler.digest(); err != nil {
		return nil, d.WrapErr(err)
	}
	own := caddy.ModuleMap{"path": caddyconfig.JSON(paths, nil)}
	return append(d.NewRoute(own, &Pages{For: handler.Name}), d.NewRoute(matcher, handler)...), nil
}

// digest is a name for the handler that changes with nothing but its config.
func (h *Handler) digest() (string, error) {
	encoded, err := json.Marshal(h)
	if err != nil {
		return "", fmt.Errorf("encoding the handler: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:6]), nil
}

// configuredPaths are ownPaths before there are defaults.
func (h *Handler) configuredPaths() []string {
	whole := new(Handler)
	whole.Manage = h.Manage
	if h.Confirm != nil {
		whole.Confirm = &Confirmation{Path: orDefault(h.Confirm.Path, defaultConfirmPath)}
	}
	if h.FormToken != nil {
		whole.FormToken = &FormToken{Path: orDefault(h.FormToken.Path, defaultTokenPath)}
	}
	if h.Captcha.isProof() {
		whole.Captcha = &Captcha{Provider: captchaAltcha, Path: orDefault(h.Captcha.Path, defaultChallengePath)}
	}
	return whole.ownPaths()
}

func orDefault(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// parsePath parses the path of a page.
func parsePath(d *caddyfile.Dispenser, to *string) error {
	option := d.Val()
	if err := parseString(d, to); err != nil {
		return err
	}
	if err := checkPath(*to, option); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// parseManage parses
//
//	manage <path> {
//	    on_cancel     <url>
//	    on_reschedule <url>
//	    secret        <placeholder>
//	    timeout       <duration>
//	}
func (h *Handler) parseManage(d *caddyfile.Dispenser) error {
	if h.Manage != nil {
		return errTwice(d, d.Val())
	}
	h.Manage = new(Manage)
	if err := parsePath(d, &h.Manage.Path); err != nil {
		return err
	}
	return parseBlock(d, "manage", map[string]func(*caddyfile.Dispenser) error{
		"on_cancel":     func(d *caddyfile.Dispenser) error { return parseString(d, &h.Manage.OnCancel) },
		"on_reschedule": func(d *caddyfile.Dispenser) error { return parseString(d, &h.Manage.OnReschedule) },
		"secret":        func(d *caddyfile.Dispenser) error { return parseSecret(d, &h.Manage.Secret) },
		"timeout":       func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Manage.Timeout) },
	})
}

// parseConfirm parses
//
//	confirm [<path>] {
//	    expires  <duration>
//	    hold     <duration>
//	    max_held <n>
//	}
func (h *Handler) parseConfirm(d *caddyfile.Dispenser) error {
	if h.Confirm != nil {
		return errTwice(d, d.Val())
	}
	h.Confirm = new(Confirmation)
	if err := parseOptionalPath(d, &h.Confirm.Path); err != nil {
		return err
	}
	return parseBlock(d, "confirm", map[string]func(*caddyfile.Dispenser) error{
		"expires":  func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Confirm.Expires) },
		"hold":     func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.Confirm.Hold) },
		"max_held": func(d *caddyfile.Dispenser) error { return parseCount(d, &h.Confirm.MaxHeld) },
	})
}

// parseFormToken parses
//
//	form_token [<path>] {
//	    field   <field>
//	    min_age <duration>
//	    max_age <duration>
//	}
func (h *Handler) parseFormToken(d *caddyfile.Dispenser) error {
	if h.FormToken != nil {
		return errTwice(d, d.Val())
	}
	h.FormToken = new(FormToken)
	if err := parseOptionalPath(d, &h.FormToken.Path); err != nil {
		return err
	}
	return parseBlock(d, "form_token", map[string]func(*caddyfile.Dispenser) error{
		"field":   func(d *caddyfile.Dispenser) error { return parseString(d, &h.FormToken.Field) },
		"min_age": func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.FormToken.MinAge) },
		"max_age": func(d *caddyfile.Dispenser) error { return parseDuration(d, &h.FormToken.MaxAge) },
	})
}

func parseOptionalPath(d *caddyfile.Dispenser, to *string) error {
	if d.CountRemainingArgs() == 0 {
		return nil
	}
	return parsePath(d, to)
}

// parseExclusive parses
//
//	exclusive [<resource>]
func (h *Handler) parseExclusive(d *caddyfile.Dispenser) error {
	resource := hostResource
	if d.NextArg() {
		resource = d.Val()
	}
	if d.NextArg() {
		return d.ArgErr()
	}
	if slices.Contains(h.Exclusive, resource) {
		return errTwice(d, "exclusive "+resource)
	}
	h.Exclusive = append(h.Exclusive, resource)
	return nil
}

// parseKeys parses
//
//	key <placeholder|stored...>
func (a *App) parseKeys(d *caddyfile.Dispenser) error {
	if a.Keys != nil {
		return errTwice(d, d.Val())
	}
	keys := d.RemainingArgs()
	if len(keys) == 0 {
		return d.ArgErr()
	}
	for _, key := range keys {
		if key == keyStored {
			continue
		}
		if err := checkSecret(key, "key"); err != nil {
			return d.WrapErr(err)
		}
	}
	a.Keys = keys
	return nil
}

// parseBlock parses the block of an option by the words that there are in it.
func parseBlock(d *caddyfile.Dispenser, option string, words map[string]func(*caddyfile.Dispenser) error) error {
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		parse, ok := words[d.Val()]
		if !ok {
			return d.Errf("unrecognized %s option %q", option, d.Val())
		}
		if err := parse(d); err != nil {
			return err
		}
	}
	return nil
}
