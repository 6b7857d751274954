// Package siteverify asks captcha providers whether a response is genuine.
// Turnstile, hCaptcha and reCAPTCHA share one protocol: a form with the secret
// and the response is posted, and a JSON object tells the outcome.
package siteverify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// MaxResponse bounds the response of a captcha, in octets. Those of
	// reCAPTCHA have a little more than two thousand.
	MaxResponse = 8 << 10

	// maxAnswer bounds the provider's answer, in octets.
	maxAnswer = 64 << 10

	// idleTime is how long a connection to the provider is kept.
	idleTime = time.Minute
)

var (
	// ErrRejected means that the response is missing, forged, used or too old,
	// or belongs to another site or action.
	ErrRejected = errors.New("captcha was not solved")

	// ErrSetup means that the provider refuses us, not the response: the
	// secret is wrong, or the key is of another kind. It is an ErrUnavailable.
	ErrSetup = fmt.Errorf("%w: the captcha is not set up well", ErrUnavailable)

	// ErrUnavailable means that the provider did not tell.
	ErrUnavailable = errors.New("captcha provider is not available")
)

// Check is what is asked, and of whom. It is safe for concurrent use.
type Check struct {
	// Endpoint is the URL to post to, and Secret the site's secret there.
	Endpoint, Secret string

	// Timeout bounds one question.
	Timeout time.Duration

	// Hostnames are the sites on which the captcha may have been solved, in
	// lower case; empty means that the provider's own settings do.
	Hostnames []string

	// Action is the action for which it must have been solved, if not empty.
	Action string

	// MinScore is the least score, if not 0.
	MinScore float64

	// Client sends the question.
	Client *http.Client
}

// NewClient returns a client that reuses connections, honors the environment's
// proxy and follows no redirects: whoever answers for a provider is asked by
// its own address.
func NewClient() *http.Client {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        idleTime,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: maxAnswer,
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is what providers say.
type answer struct {
	Success    bool     `json:"success"`
	ErrorCodes []string `json:"error-codes"`
	Hostname   string   `json:"hostname"`
	Action     string   `json:"action"`
	Score      *float64 `json:"score"`
}

// Verify asks whether a response is genuine. It returns nil, ErrRejected, or
// an error that is ErrUnavailable and holds nothing that a user typed.
func (c *Check) Verify(ctx context.Context, response string) error {
	if response == "" || len(response) > MaxResponse {
		return ErrRejected
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	form := url.Values{"secret": {c.Secret}, "response": {response}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	got, err := c.ask(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return c.judge(got)
}

// ask sends the question and reads the answer.
func (c *Check) ask(r *http.Request) (*answer, error) {
	resp, err := c.Client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// It is read to its end, so that the connection can be used again.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answered with status %d", resp.StatusCode)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("its answer is larger than %d octets", maxAnswer)
	}
	got := new(answer)
	if err := json.Unmarshal(body, got); err != nil {
		// The decoder's error might quote the answer.
		return nil, errors.New("its answer is not what it should be")
	}
	return got, nil
}

// judge decides by the answer.
func (c *Check) judge(got *answer) error {
	if !got.Success {
		return failure(got.ErrorCodes)
	}
	if len(c.Hostnames) > 0 && !slices.Contains(c.Hostnames, strings.ToLower(got.Hostname)) {
		return ErrRejected
	}
	if c.Action != "" && got.Action != c.Action {
		return ErrRejected
	}
	if c.MinScore == 0 {
		return nil
	}
	if got.Score == nil {
		return fmt.Errorf("%w: the provider tells no score, which the keys of reCAPTCHA v3 do", ErrSetup)
	}
	if *got.Score < c.MinScore {
		return ErrRejected
	}
	return nil
}

// failure tells what the error codes of a provider mean.
func failure(codes []string) error {
	for _, code := range codes {
		switch code {
		case "missing-input-secret", "invalid-input-secret", "sitekey-secret-mismatch", "invalid-keys":
			return fmt.Errorf("%w: the provider says %s", ErrSetup, code)
		case "internal-error":
			return fmt.Errorf("%w: it says %s", ErrUnavailable, code)
		}
	}
	return ErrRejected
}
