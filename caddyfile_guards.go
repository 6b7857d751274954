package caddyicalmail

import (
	"slices"
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
