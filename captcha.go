package caddyicalmail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/siteverify"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Captcha takes bookings only with the response of a captcha: of a provider
// that is asked about it, or of a proof of work that is checked here.
type Captcha struct {
	// Whose it is: `turnstile`, `hcaptcha`, `recaptcha` or `altcha`. Required.
	Provider string `json:"provider,omitempty"`

	// The form field, dotted JSON path or JSON pointer that holds the
	// response. Default: what the provider's widget calls it.
	Field string `json:"field,omitempty"`

	// Not for `altcha`: the site's secret, as a placeholder such as
	// `{env.CAPTCHA_SECRET}`. Required there.
	Secret string `json:"secret,omitempty"`

	// Not for `altcha`: the URL that is asked. Default: the provider's.
	Endpoint string `json:"endpoint,omitempty"`

	// Not for `altcha`: how long the provider may take. Default: 5s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// Not for `altcha`: what to do if the provider does not tell: `refuse`
	// answers 503, `allow` takes the booking. Default: refuse.
	OnError string `json:"on_error,omitempty"`

	// Not for `altcha`: the sites on which the captcha may have been solved.
	// Default: those that the provider knows.
	Hostnames []string `json:"hostnames,omitempty"`

	// For `recaptcha` with a key of version 3: the least score, from 0 to 1.
	MinScore float64 `json:"min_score,omitempty"`

	// For `recaptcha` and `turnstile`: the action that the page must have named.
	Action string `json:"action,omitempty"`

	// For `altcha`: the path of the challenges. Default: /ical_invite/challenge.
	Path string `json:"path,omitempty"`

	// For `altcha`: how far a browser may have to count, which is twice the
	// hashes that it computes on average. Default: 100000.
	Cost int `json:"cost,omitempty"`

	// For `altcha`: how long a challenge may take, from the page to the
	// booking. Default: 1h.
	Expires caddy.Duration `json:"expires,omitempty"`

	field booking.Path
	check *siteverify.Check // nil for altcha
	spent *spentChallenges  // nil for others
}

// The answers to those who have not solved a captcha.
var (
	errCaptcha = &guardError{
		reason: reasonCaptcha, status: http.StatusForbidden,
		detail: "The check that you are not a robot is missing or has expired. Please go back, reload the form and try again.",
	}
	errCaptchaUnavailable = &guardError{
		reason: reasonCaptchaUnavailable, status: http.StatusServiceUnavailable,
		detail: errUnavailable.Error(),
	}
)

// limitCaptcha is the name of the limit that lets a proof of work count once.
const limitCaptcha = "captcha"

// checkOrderCaptcha checks the captcha of a booking that is valid otherwise. A
// booking that is sent again needs no second one, because it gets its first
// answer: a response can be used only once.
func (h *Handler) checkOrderCaptcha(o *order) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.request.Context()), acceptTimeout)
	defer cancel()
	s, release, err := h.app.running.acquire(ctx)
	if err != nil {
		return &unavailableError{err}
	}
	defer release()
	if known, err := h.isKnown(ctx, s, o.key); known || err != nil {
		return err
	}
	if h.Captcha.check == nil {
		return h.checkProof(o)
	}
	err = h.askProvider(ctx, o.fields)
	if errors.Is(err, errCaptcha) {
		// Of two that are sent at once only the first can use the response.
		if known, storeErr := h.isKnown(ctx, s, o.key); known || storeErr != nil {
			return storeErr
		}
	}
	return err
}

// checkPassedCaptcha checks the captcha of a request to the back end.
func (h *Handler) checkPassedCaptcha(ctx context.Context, fields booking.Fields) error {
	if h.Captcha.check != nil {
		return h.askProvider(ctx, fields)
	}
	if err := h.app.running.await(ctx); err != nil {
		return &unavailableError{err}
	}
	return h.spendProof(fields)
}

// isKnown reports whether an order would get an answer that was given before.
func (h *Handler) isKnown(ctx context.Context, s store.Store, key *store.Key) (bool, error) {
	if key == nil {
		return false, nil
	}
	t, err := h.answered(ctx, s, key)
	if t == nil || err != nil || !key.UnlessCancelled {
		return t != nil, err
	}
	e, _, err := s.Event(ctx, t.UID)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return false, nil
	case err != nil:
		return false, &unavailableError{err}
	}
	return e.Status != booking.Cancelled, nil
}

// askProvider asks the provider about the response in the body.
func (h *Handler) askProvider(ctx context.Context, fields booking.Fields) error {
	err := h.Captcha.check.Verify(ctx, fields.Text(h.Captcha.field))
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, siteverify.ErrUnavailable):
		return errCaptcha
	case errors.Is(err, siteverify.ErrSetup):
		h.logger.Error("CAPTCHA NOT SET UP WELL: the provider refuses this site, so nobody can solve it",
			zap.String("provider", h.Captcha.Provider), zap.Error(err))
	default:
		h.logger.Error("captcha provider is not available", zap.String("provider", h.Captcha.Provider), zap.Error(err))
	}
	if h.Captcha.OnError == onErrorAllow {
		h.logger.Warn("booking let through without a captcha", zap.String("provider", h.Captcha.Provider))
		return nil
	}
	return errCaptchaUnavailable
}

// defaultField is what the widgets of the providers call their field.
func defaultField(configured, widget string) (booking.Path, error) {
	path, err := booking.ParsePath(cmp.Or(configured, widget))
	if err != nil {
		return path, fmt.Errorf("captcha field: %w", err)
	}
	return path, nil
}
