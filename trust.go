package caddyicalmail

import (
	"errors"
	"fmt"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// setTrust sets up who may say which booking is meant, and refuses a config in
// which a stranger could: an id is trusted from a back end's answer, from a
// signed webhook's body, or from a placeholder once the back end has vouched.
func (h *Handler) setTrust(repl *caddy.Replacer) error {
	vouched := h.PassThru != nil || h.Verify != nil
	if h.ID != "" && h.PassThru == nil {
		return errors.New("id needs pass_thru: a stranger's id is not to be trusted, " +
			"and the signature of a webhook covers its body only (take the id from there, by fields)")
	}
	if h.ID != "" && !strings.Contains(h.ID, "{") {
		return errors.New("id must hold a placeholder such as {http.request.uri.path.1}: all bookings would be one")
	}
	if _, mapped := h.Fields["id"]; mapped && h.Verify == nil {
		return errors.New("fields: id is taken from signed webhooks only (verify), from the back end's answer " +
			"(pass_thru { fields }), or from a placeholder (id); a stranger's id is not to be trusted")
	}
	if _, mapped := h.Fields["action"]; mapped && !vouched {
		return errors.New("fields: action needs verify or pass_thru")
	}
	if h.When != nil && h.Verify == nil {
		return errors.New("when needs verify")
	}
	if h.PassThru != nil && h.Verify != nil {
		return errors.New("pass_thru and verify exclude each other: the back end verifies what it gets")
	}
	if h.PassThru != nil {
		if err := h.PassThru.provision(); err != nil {
			return err
		}
	}
	if h.Verify != nil {
		if err := h.Verify.provision(repl); err != nil {
			return err
		}
	}
	if h.When != nil {
		if err := h.When.provision(); err != nil {
			return fmt.Errorf("setting up: %w", err)
		}
	}
	return nil
}
