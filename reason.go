package caddyicalmail

import (
	"errors"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/webhook"
)

// reason is the fixed word for why a booking was refused, in the log and in
// the metrics. docs/guards.md explains each.
type reason string

const (
	reasonMalformed          reason = "malformed"
	reasonMediaType          reason = "media_type"
	reasonTooLarge           reason = "too_large"
	reasonTimeout            reason = "timeout"
	reasonFields             reason = "fields"
	reasonSignature          reason = "signature"
	reasonOrigin             reason = "origin"
	reasonHoneypot           reason = "honeypot"
	reasonFormToken          reason = "form_token"
	reasonDenied             reason = "denied"
	reasonCaptcha            reason = "captcha"
	reasonCaptchaUnavailable reason = "captcha_unavailable"
	reasonLimitRecipient     reason = "limit_recipient"
	reasonLimitTotal         reason = "limit_total"
	reasonLimitMoves         reason = "limit_moves"
	reasonSlotTaken          reason = "slot_taken"
	reasonKeyReused          reason = "key_reused"
	reasonSettled            reason = "settled"
	reasonLink               reason = "link"
	reasonBackEnd            reason = "back_end"
	reasonStore              reason = "store"
	reasonError              reason = "error"
)

// reasons lists all of them.
var reasons = [...]reason{
	reasonMalformed, reasonMediaType, reasonTooLarge, reasonTimeout, reasonFields, reasonSignature, reasonOrigin,
	reasonHoneypot, reasonFormToken, reasonDenied, reasonCaptcha, reasonCaptchaUnavailable, reasonLimitRecipient,
	reasonLimitTotal, reasonLimitMoves, reasonSlotTaken, reasonKeyReused, reasonSettled, reasonLink, reasonBackEnd, reasonStore, reasonError,
}

// reasonOf is the word for why an error refuses a booking.
func reasonOf(err error) reason {
	if g, ok := errors.AsType[*guardError](err); ok {
		return g.reason
	}
	if limit, ok := errors.AsType[*store.LimitError](err); ok {
		return limitReason(limit.Name)
	}
	if _, ok := errors.AsType[*unavailableError](err); ok {
		return reasonStore
	}
	if _, ok := errors.AsType[*upstreamError](err); ok {
		return reasonBackEnd
	}
	if _, ok := errors.AsType[booking.FieldErrors](err); ok {
		return reasonFields
	}
	switch {
	case errors.Is(err, booking.ErrMalformed):
		return reasonMalformed
	case errors.Is(err, booking.ErrMediaType):
		return reasonMediaType
	case errors.Is(err, errTooLarge):
		return reasonTooLarge
	case errors.Is(err, webhook.ErrSignature), errors.Is(err, webhook.ErrTimestamp):
		return reasonSignature
	case errors.Is(err, store.ErrKeyReused):
		return reasonKeyReused
	case errors.Is(err, store.ErrSlotTaken):
		return reasonSlotTaken
	case errors.Is(err, errLinkInvalid), errors.Is(err, errLinkExpired), errors.Is(err, errLinkUnknown), errors.Is(err, errOutdated):
		return reasonLink
	case isSettled(err), errors.Is(err, store.ErrStale):
		return reasonSettled
	}
	return foreignReason(err)
}

// foreignReason is the word for what another handler refused, such as
// request_body.
func foreignReason(err error) reason {
	theirs, ok := errors.AsType[caddyhttp.HandlerError](err)
	if ok && theirs.StatusCode == http.StatusRequestEntityTooLarge {
		return reasonTooLarge
	}
	return reasonError
}

func limitReason(name string) reason {
	switch name {
	case limitTotal:
		return reasonLimitTotal
	case limitMoves:
		return reasonLimitMoves
	default:
		return reasonLimitRecipient
	}
}
