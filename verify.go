package caddyicalmail

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/webhook"
)

// The signature schemes of webhooks.
const (
	schemeStandard = "standard_webhooks"
	schemeStripe   = "stripe"
	schemeHMAC     = "hmac"
)

// Verify takes only requests that are signed by somebody who shares a secret
// with us: a booking service that calls a webhook. What they say is trusted,
// also the booking's id, so that they can change and cancel.
type Verify struct {
	// The scheme: `standard_webhooks`, `stripe` or `hmac`. Required.
	Scheme string `json:"scheme,omitempty"`

	// The secrets, as placeholders such as `{env.WEBHOOK_SECRET}`. Any of them
	// will do, so that they can be rotated. Required.
	Secrets []string `json:"secrets,omitempty"`

	// For `hmac`: the header with the signature. Required there.
	Header string `json:"header,omitempty"`

	// For `hmac`: what stands before the signature in the header, such as `sha256=`.
	Prefix string `json:"prefix,omitempty"`

	// For `hmac`: how the signature is written, `hex` or `base64`. Default: hex.
	Encoding string `json:"encoding,omitempty"`

	// For `hmac`: the hash, `sha256`, `sha1` or `sha512`. Default: sha256.
	Algorithm string `json:"algorithm,omitempty"`

	// For `hmac`: the header with a Unix time that is signed in front of the
	// body, with a dot between them, and may be five minutes off.
	TimestampHeader string `json:"timestamp_header,omitempty"`

	verifier webhook.Verifier
}

// When takes only webhooks whose body has one of some values at a path. All
// others are answered 202 and skipped, because a provider repeats what it is
// refused.
type When struct {
	// The dotted JSON path or JSON pointer. Required.
	Path string `json:"path,omitempty"`

	// The values. Required.
	Values []string `json:"values,omitempty"`

	path booking.Path
}

func (v *Verify) provision(repl *caddy.Replacer) error {
	if len(v.Secrets) == 0 {
		return errors.New("verify needs a secret")
	}
	secrets := make([]string, len(v.Secrets))
	for i, placeholder := range v.Secrets {
		var err error
		if secrets[i], err = secret(repl, placeholder, "verify secret"); err != nil {
			return err
		}
	}
	if v.Scheme != schemeHMAC && (v.Header+v.Prefix+v.Encoding+v.Algorithm+v.TimestampHeader) != "" {
		return fmt.Errorf("verify: %s has its own headers and encoding", v.Scheme)
	}
	var err error
	switch v.Scheme {
	case schemeStandard:
		v.verifier, err = webhook.NewStandard(secrets)
	case schemeStripe:
		v.verifier, err = webhook.NewStripe(secrets)
	case schemeHMAC:
		v.verifier, err = webhook.NewHMAC(secrets, webhook.HMACOptions{
			Header: v.Header, Prefix: v.Prefix, Encoding: v.Encoding, Algorithm: v.Algorithm, TimestampHeader: v.TimestampHeader,
		})
	default:
		return fmt.Errorf("verify is %s, %s or %s, not %q", schemeStandard, schemeStripe, schemeHMAC, v.Scheme)
	}
	if err != nil {
		return fmt.Errorf("verify %s: %w", v.Scheme, err)
	}
	return nil
}

func (w *When) provision() (err error) {
	if len(w.Values) == 0 {
		return errors.New("when needs a path and at least one value")
	}
	if w.path, err = booking.ParsePath(w.Path); err != nil {
		return fmt.Errorf("when: %w", err)
	}
	return nil
}

// matches reports whether the body is one that is meant.
func (w *When) matches(body []byte) bool {
	value, ok := booking.JSONValue(body, w.path)
	return ok && slices.Contains(w.Values, value)
}

// webhookOrder reads a signed webhook. One that is not for us is an order to
// skip.
func (h *Handler) webhookOrder(r *http.Request, body []byte) (*order, error) {
	id, err := h.Verify.verifier.Verify(r.Header, body, h.now())
	if err != nil {
		return nil, err
	}
	if h.When != nil && !h.When.matches(body) {
		return &order{request: r, action: booking.ActionSkip, vouched: true}, nil
	}
	in := &booking.Input{
		ContentType: r.Header.Get("Content-Type"),
		Body:        body,
		Trusted:     true,
		Partial:     true,
	}
	b, err := in.Decode(h.rules, h.now())
	if err != nil {
		return nil, err
	}
	o := &order{request: r, booking: b, action: b.Action, vouched: true}
	if o.action == booking.ActionNone {
		o.action = booking.ActionCreate
	}
	o.id = b.ID
	o.key = h.webhookKey(id, body)
	return o, nil
}

// webhookKey makes a repeated webhook get the first answer again.
func (h *Handler) webhookKey(id string, body []byte) *store.Key {
	return h.newKey("webhook", id, sha256.Sum256(body))
}
