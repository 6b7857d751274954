package caddyicalmail

import (
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// maxOperatorName bounds the names that the operator gives to mailboxes and
// hosts, in characters, so that they fit into mail headers and titles.
const maxOperatorName = 80

// Mailbox is an e-mail address with an optional name. Both may hold
// placeholders that are known when the config is loaded, such as `{env.*}`.
type Mailbox struct {
	// The e-mail address: one addr-spec, without a display name. Required.
	Address string `json:"address,omitempty"`

	// The name that mail clients show for the address.
	Name string `json:"name,omitempty"`
}

// HostChoice is one of several hosts, among whom a form chooses by key.
type HostChoice struct {
	// What the form's `host` field must say to choose this host. Required.
	Key string `json:"key,omitempty"`

	Mailbox
}

// ExtraField is a further answer of the form that the host gets to see.
type ExtraField struct {
	// The form field, dotted JSON path or JSON pointer. Required.
	Field string `json:"field,omitempty"`

	// The label under which the answer stands in the host's mail. Required.
	Label string `json:"label,omitempty"`
}

// TemplateFiles replace the built-in mail and page templates. Each is a Go
// template (`text/template` for subjects and texts, `html/template` for HTML)
// that is read when the config is loaded, and gets the fields that
// docs/templates.md lists. The paths may hold placeholders that are known then.
type TemplateFiles struct {
	// The file of the subject line's template.
	Subject string `json:"subject,omitempty"`

	// The file of the plain text part's template.
	Text string `json:"text,omitempty"`

	// The file of the HTML part's template.
	HTML string `json:"html,omitempty"`

	// The file of the subject line's template of the mail that asks the client
	// to confirm a booking.
	ConfirmSubject string `json:"confirm_subject,omitempty"`

	// The file of the same mail's plain text part's template.
	ConfirmText string `json:"confirm_text,omitempty"`

	// The file of the same mail's HTML part's template.
	ConfirmHTML string `json:"confirm_html,omitempty"`

	// A directory with pages. Each file in it replaces the built-in one of the
	// same name, for example `page_thanks.html` or `page.css`; the others stay
	// as they are.
	Pages string `json:"pages,omitempty"`
}

// person expands and checks m. What names the option in error messages.
func (m Mailbox) person(repl *caddy.Replacer, what string) (booking.Person, error) {
	raw, err := repl.ReplaceOrErr(m.Address, true, true)
	if err != nil {
		return booking.Person{}, fmt.Errorf("expanding %s address: %w", what, err)
	}
	if raw == "" {
		return booking.Person{}, fmt.Errorf("%s needs an e-mail address", what)
	}
	address, err := booking.ParseAddress(raw)
	if err != nil {
		return booking.Person{}, fmt.Errorf("%s address %q %w", what, raw, err)
	}
	name, err := repl.ReplaceOrErr(m.Name, true, true)
	if err != nil {
		return booking.Person{}, fmt.Errorf("expanding %s name: %w", what, err)
	}
	line := booking.CleanLine(name)
	if len([]rune(string(line))) > maxOperatorName {
		return booking.Person{}, fmt.Errorf("%s name is longer than %d characters", what, maxOperatorName)
	}
	return booking.Person{Address: address, Name: line}, nil
}

// checkOrganizer refuses an organizer who is also the host.
func checkOrganizer(organizer, host booking.Person) error {
	if organizer.Address.Mailbox() != host.Address.Mailbox() {
		return nil
	}
	return fmt.Errorf("organizer and host are the same mailbox (%s): "+
		"the organizer is the mailbox that sends the invitations and the host is a person in the meeting, "+
		"and a mail client ignores an invitation that comes from its own user; "+
		"use a separate address such as booking@%s as organizer (case and +tags make no difference)",
		host.Address, host.Address.Domain())
}

// secret resolves a password or token. Only a placeholder is taken, because
// anything else would be readable in the config, its autosave file, the admin
// API and the logs.
func secret(repl *caddy.Replacer, placeholder, what string) (string, error) {
	if err := checkSecret(placeholder, what); err != nil {
		return "", err
	}
	value, err := repl.ReplaceOrErr(placeholder, true, true)
	if err != nil {
		return "", fmt.Errorf("expanding %s: %w", what, err)
	}
	return value, nil
}

// checkSecret refuses what is not exactly one placeholder.
func checkSecret(s, what string) error {
	inner, opened := strings.CutPrefix(s, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !opened || !closed || strings.ContainsAny(inner, "{}") {
		return fmt.Errorf("%s must be a placeholder such as {env.SECRET} or {file./run/secrets/secret}, "+
			"so that the secret itself is never part of the config", what)
	}
	return nil
}
