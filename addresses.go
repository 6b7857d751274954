package caddyicalmail

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/addresslist"
	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// AddressList are e-mail addresses and domains. A domain stands for itself and
// all of its subdomains; addresses are compared without case, +tags and, at
// Gmail, dots.
type AddressList struct {
	// Addresses and domains.
	Entries []string `json:"entries,omitempty"`

	// Files with one address or domain a line; what follows a # is a comment.
	// They are read when the config is loaded.
	Files []string `json:"files,omitempty"`

	list addresslist.List
}

// deniedDetail does not say which list it was: the address may be on none.
const deniedDetail = "cannot be used here; please give another address"

// provision reads the list. Its option is named in error messages.
func (l *AddressList) provision(option string, repl *caddy.Replacer) error {
	if l == nil {
		return nil
	}
	for _, entry := range l.Entries {
		expanded, err := repl.ReplaceOrErr(entry, true, true)
		if err != nil {
			return fmt.Errorf("expanding %s: %w", option, err)
		}
		if err := l.list.Add(expanded); err != nil {
			return fmt.Errorf("%s: %q %w", option, entry, err)
		}
	}
	for _, file := range l.Files {
		path, err := repl.ReplaceOrErr(file, true, true)
		if err != nil {
			return fmt.Errorf("expanding the file of %s: %w", option, err)
		}
		if err := l.read(path); err != nil {
			return fmt.Errorf("reading the file of %s: %w", option, err)
		}
	}
	if l.list.Len() == 0 {
		return fmt.Errorf("%s is empty", option)
	}
	return nil
}

func (l *AddressList) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := l.list.Read(f); err != nil {
		if _, named := errors.AsType[*os.PathError](err); named {
			return err
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// permits reports whether the lists let an address book or be invited. Deny
// wins.
func (h *Handler) permits(address booking.Address) bool {
	if h.Deny != nil && h.Deny.list.Has(address) {
		return false
	}
	return h.Allow == nil || h.Allow.list.Has(address)
}

// checkRecipients refuses a booking that would write to somebody whom the
// lists do not permit. The client may be absent, when a back end knows who it
// is.
func (h *Handler) checkRecipients(client booking.Address, guests []booking.Address) error {
	if !client.IsZero() && !h.permits(client) {
		return h.denied(booking.PropEmail)
	}
	for _, guest := range guests {
		if !h.permits(guest) {
			return h.denied(booking.PropGuests)
		}
	}
	return nil
}

func (h *Handler) denied(p booking.Property) error {
	return &guardError{
		reason: reasonDenied, status: http.StatusUnprocessableEntity, field: h.rules.Field(p), detail: deniedDetail,
	}
}
