package caddyicalmail

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/dustin/go-humanize"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// The functions of this file parse one option each. They stand at the option's
// word, refuse an option that is set already, and leave placeholders as they
// are, because those are resolved when the config is loaded.

func errTwice(d *caddyfile.Dispenser, option string) error {
	return d.Errf("%s is set twice", option)
}

func parseString(d *caddyfile.Dispenser, to *string) error {
	option := d.Val()
	if *to != "" {
		return errTwice(d, option)
	}
	if !d.AllArgs(to) {
		return d.ArgErr()
	}
	if *to == "" {
		return d.Errf("%s is empty", option)
	}
	return nil
}

// parseWord parses an option that is one of some words.
func parseWord(words ...string) func(*caddyfile.Dispenser, *string) error {
	return func(d *caddyfile.Dispenser, to *string) error {
		option := d.Val()
		if err := parseString(d, to); err != nil {
			return err
		}
		if !slices.Contains(words, *to) {
			return d.Errf("%s is one of %s, not %q", option, strings.Join(words, ", "), *to)
		}
		return nil
	}
}

// parseZone parses a time zone's name, or a placeholder for it.
func parseZone(d *caddyfile.Dispenser, to *string) error {
	if err := parseString(d, to); err != nil {
		return err
	}
	if strings.Contains(*to, "{") {
		return nil
	}
	if _, err := booking.LoadZone(*to); err != nil {
		return d.Errf("timezone %q %v", *to, err)
	}
	return nil
}

// parseSecret parses a placeholder. A literal secret is refused here already,
// so that not even `caddy adapt` shows it.
func parseSecret(d *caddyfile.Dispenser, to *string) error {
	option := d.Val()
	if err := parseString(d, to); err != nil {
		return err
	}
	if err := checkSecret(*to, option); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

// parseOne takes the word of an option and its only argument.
func parseOne(d *caddyfile.Dispenser, isSet bool) (option, text string, err error) {
	option = d.Val()
	if isSet {
		return option, "", errTwice(d, option)
	}
	if !d.AllArgs(&text) {
		return option, "", d.ArgErr()
	}
	return option, text, nil
}

func parseDuration(d *caddyfile.Dispenser, to *caddy.Duration) error {
	option, text, err := parseOne(d, *to != 0)
	if err != nil {
		return err
	}
	duration, err := caddy.ParseDuration(text)
	if err != nil {
		return d.Errf("parsing %s: %v", option, err)
	}
	if duration <= 0 {
		return d.Errf("%s must be positive", option)
	}
	*to = caddy.Duration(duration)
	return nil
}

func parseCount(d *caddyfile.Dispenser, to *int) error {
	option, text, err := parseOne(d, *to != 0)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return d.Errf("%s must be a positive whole number, not %q", option, text)
	}
	*to = n
	return nil
}

func parseSize(d *caddyfile.Dispenser, to *int64) error {
	option, text, err := parseOne(d, *to != 0)
	if err != nil {
		return err
	}
	size, err := humanize.ParseBytes(text)
	if err != nil {
		return d.Errf("parsing %s: %v", option, err)
	}
	if size == 0 || size > math.MaxInt64 {
		return d.Errf("%s must be positive", option)
	}
	*to = int64(size)
	return nil
}

// parseMailbox parses an address with an optional name.
func parseMailbox(d *caddyfile.Dispenser, to **Mailbox) error {
	option := d.Val()
	if *to != nil {
		return errTwice(d, option)
	}
	args := d.RemainingArgs()
	if len(args) < 1 || len(args) > 2 {
		return d.ArgErr()
	}
	*to = &Mailbox{Address: args[0]}
	if len(args) == 2 {
		(*to).Name = args[1]
	}
	return nil
}
