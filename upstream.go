package caddyicalmail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/webhook"
)

// The types of the requests to a back end.
const (
	typeCancel     = "ical_invite.cancel"
	typeReschedule = "ical_invite.reschedule"
)

const (
	defaultUpstreamTimeout = caddy.Duration(10 * time.Second)
	maxUpstreamTimeout     = 20 * time.Second // leaves some of acceptTimeout for the store
)

// Upstream says where the back end is asked before a link acts. It gets a
// signed POST (Standard Webhooks), and only if it answers 2xx anything happens.
type Upstream struct {
	// The URL that is asked before a booking is cancelled.
	OnCancel string `json:"on_cancel,omitempty"`

	// The URL that is asked before a booking is moved.
	OnReschedule string `json:"on_reschedule,omitempty"`

	// The secret that signs these requests, as a placeholder such as
	// `{env.BOOKING_SECRET}`: base64, with or without `whsec_` before it.
	// Required with the one or the other.
	Secret string `json:"secret,omitempty"`

	// How long the back end may take. Default: 10s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	cancel, move *upstream
}

// upstream is one URL of the back end.
type upstream struct {
	url    string
	signer *webhook.Signer
	client *http.Client
}

func (u *Upstream) provision(repl *caddy.Replacer) error {
	if u.OnCancel == "" && u.OnReschedule == "" {
		if u.Secret != "" || u.Timeout != 0 {
			return errors.New("secret and timeout are for on_cancel and on_reschedule")
		}
		return nil
	}
	if u.Secret == "" {
		return errors.New("on_cancel and on_reschedule need a secret, by which the back end knows who asks")
	}
	value, err := secret(repl, u.Secret, "secret")
	if err != nil {
		return err
	}
	signer, err := webhook.NewSigner(value)
	if err != nil {
		return err
	}
	if time.Duration(u.Timeout) < 0 || time.Duration(u.Timeout) > maxUpstreamTimeout {
		return fmt.Errorf("timeout must be positive and at most %s", maxUpstreamTimeout)
	}
	if u.Timeout == 0 {
		u.Timeout = defaultUpstreamTimeout
	}
	client := &http.Client{
		Timeout: time.Duration(u.Timeout),
		// A redirected POST could end as a GET, and be 2xx for no reason.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if u.cancel, err = newUpstream(repl, u.OnCancel, "on_cancel", signer, client); err != nil {
		return err
	}
	u.move, err = newUpstream(repl, u.OnReschedule, "on_reschedule", signer, client)
	return err
}

func newUpstream(repl *caddy.Replacer, address, what string, signer *webhook.Signer, client *http.Client) (*upstream, error) {
	expanded, err := repl.ReplaceOrErr(address, true, true)
	if err != nil {
		return nil, fmt.Errorf("expanding %s: %w", what, err)
	}
	if expanded == "" {
		return nil, nil
	}
	parsed, err := url.Parse(expanded)
	if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" {
		return nil, fmt.Errorf("%s must be a URL such as http://localhost:3000/bookings/changed", what)
	}
	return &upstream{url: expanded, signer: signer, client: client}, nil
}

// upstreamRequest is the body of a request to the back end.
type upstreamRequest struct {
	Type      string       `json:"type"`
	Timestamp time.Time    `json:"timestamp"`
	Data      upstreamData `json:"data"`
}

// upstreamData says what is to become of a booking.
type upstreamData struct {
	ID       string       `json:"id,omitempty"` // the booking's own
	UID      string       `json:"uid"`
	Sequence int          `json:"sequence"` // that the event will have
	By       booking.Role `json:"by"`       // client or host
	Start    time.Time    `json:"start"`
	End      time.Time    `json:"end"`
	Note     string       `json:"note,omitempty"`
}

// upstreamError is a back end that did not agree: it refused, by a status, or
// there was no answer.
type upstreamError struct {
	status int
	cause  error
}

func (e *upstreamError) Error() string {
	if e.cause != nil {
		return "asking the back end: " + e.cause.Error()
	}
	return fmt.Sprintf("the back end answered %d", e.status)
}

func (e *upstreamError) Unwrap() error { return e.cause }

// refused reports whether the back end said no, rather than nothing.
func (e *upstreamError) refused() bool { return e.status >= 400 && e.status < 500 }

func (e *upstreamError) message() string {
	if e.refused() {
		return "The booking system does not allow that. Nothing was changed."
	}
	return "The booking system does not answer just now, and nothing was changed. Please try again in some minutes."
}

// ask asks the back end, if there is one, whether the event may become what
// the order wants. Sending the same form twice repeats the same request, by
// its id.
func (v *visit) ask(ctx context.Context, u *upstream, kind string, o *order, wanted *booking.Event) error {
	if u == nil {
		return nil
	}
	now := v.handler.now()
	next := v.event.Sequence + 1
	body, err := json.Marshal(upstreamRequest{Type: kind, Timestamp: now.UTC(), Data: upstreamData{
		ID: string(wanted.ID), UID: wanted.UID, Sequence: next, By: v.role,
		Start: wanted.Start, End: wanted.End, Note: string(o.note),
	}})
	if err != nil {
		return fmt.Errorf("encoding the request to the back end: %w", err)
	}
	name := fmt.Sprintf("%s %s %d %d", kind, wanted.UID, next, wanted.Start.Unix())
	if err := u.post(ctx, uuid.NewSHA1(idSpace, []byte(name)).String(), now, body); err != nil {
		v.handler.logger.Warn("the back end did not agree to a change", zap.String("uid", wanted.UID), zap.Error(err))
		return err
	}
	return nil
}

// post sends one signed request. Anything but 2xx is an *upstreamError.
func (u *upstream) post(ctx context.Context, id string, now time.Time, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.url, bytes.NewReader(body))
	if err != nil {
		return &upstreamError{cause: err}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "caddyicalmail")
	u.signer.Sign(r.Header, "msg_"+id, now, body)
	response, err := u.client.Do(r)
	if err != nil {
		return &upstreamError{cause: err}
	}
	defer response.Body.Close()
	// The connection can be used again only if the answer was read.
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return &upstreamError{status: response.StatusCode}
	}
	return nil
}
