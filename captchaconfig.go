package caddyicalmail

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/altcha"
	"github.com/caddyicalmail/caddyicalmail/internal/siteverify"
)

// Whose captcha it is.
const (
	captchaTurnstile = "turnstile"
	captchaHCaptcha  = "hcaptcha"
	captchaReCaptcha = "recaptcha"
	captchaAltcha    = "altcha"
)

// What to do if the provider does not tell.
const (
	onErrorRefuse = "refuse"
	onErrorAllow  = "allow"
)

const (
	defaultCaptchaTimeout = caddy.Duration(5 * time.Second)
	maxCaptchaTimeout     = caddy.Duration(25 * time.Second) // below acceptTimeout

	defaultChallengePath = "/ical_invite/challenge"
	defaultCost          = 100_000
	defaultChallengeLife = caddy.Duration(time.Hour)
	maxChallengeLife     = caddy.Duration(24 * time.Hour)
)

// captchaWidget returns the field that a provider's widget fills, and the URL
// that is asked about it.
func captchaWidget(provider string) (field, endpoint string) {
	switch provider {
	case captchaTurnstile:
		return "cf-turnstile-response", "https://challenges.cloudflare.com/turnstile/v0/siteverify"
	case captchaHCaptcha:
		return "h-captcha-response", "https://api.hcaptcha.com/siteverify"
	case captchaReCaptcha:
		return "g-recaptcha-response", "https://www.google.com/recaptcha/api/siteverify"
	case captchaAltcha:
		return "altcha", ""
	}
	return "", ""
}

// isProof reports whether the captcha is checked here.
func (c *Captcha) isProof() bool { return c != nil && c.Provider == captchaAltcha }

// provision checks the options and resolves the secret. It asks nobody.
func (c *Captcha) provision(repl *caddy.Replacer) (err error) {
	if c == nil {
		return nil
	}
	field, endpoint := captchaWidget(c.Provider)
	if field == "" {
		return fmt.Errorf("captcha is %s, %s, %s or %s, not %q",
			captchaTurnstile, captchaHCaptcha, captchaReCaptcha, captchaAltcha, c.Provider)
	}
	if c.field, err = defaultField(c.Field, field); err != nil {
		return err
	}
	if c.Provider == captchaAltcha {
		return c.provisionProof()
	}
	return c.provisionCheck(endpoint, repl)
}

// provisionProof sets up proofs of work.
func (c *Captcha) provisionProof() error {
	if c.Secret+c.Endpoint+c.OnError+c.Action != "" || c.Timeout != 0 || c.MinScore != 0 || len(c.Hostnames) > 0 {
		return errors.New("captcha altcha asks nobody: it has only path, cost, expires and field")
	}
	c.Path = cmp.Or(c.Path, defaultChallengePath)
	c.Cost = cmp.Or(c.Cost, defaultCost)
	c.Expires = cmp.Or(c.Expires, defaultChallengeLife)
	if err := checkPath(c.Path, "captcha"); err != nil {
		return err
	}
	if c.Cost < 1 || c.Cost > altcha.MaxCost {
		return fmt.Errorf("captcha: cost must be from 1 to %d", altcha.MaxCost)
	}
	if time.Duration(c.Expires) < time.Second || c.Expires > maxChallengeLife {
		return fmt.Errorf("captcha: expires must be from 1s to %s", time.Duration(maxChallengeLife))
	}
	c.spent = new(spentChallenges)
	return nil
}

// provisionCheck sets up what the provider is asked.
func (c *Captcha) provisionCheck(endpoint string, repl *caddy.Replacer) error {
	if c.Path != "" || c.Cost != 0 || c.Expires != 0 {
		return fmt.Errorf("captcha: path, cost and expires are for %s", captchaAltcha)
	}
	if c.Secret == "" {
		return fmt.Errorf("captcha %s needs a secret", c.Provider)
	}
	value, err := secret(repl, c.Secret, "captcha secret")
	if err != nil {
		return err
	}
	c.Endpoint = cmp.Or(c.Endpoint, endpoint)
	c.Timeout = cmp.Or(c.Timeout, defaultCaptchaTimeout)
	c.OnError = cmp.Or(c.OnError, onErrorRefuse)
	if err := c.validate(); err != nil {
		return err
	}
	c.check = &siteverify.Check{
		Endpoint: c.Endpoint, Secret: strings.TrimSpace(value), Timeout: time.Duration(c.Timeout),
		Action: c.Action, MinScore: c.MinScore, Client: siteverify.NewClient(),
	}
	for _, name := range c.Hostnames {
		c.check.Hostnames = append(c.check.Hostnames, strings.ToLower(name))
	}
	return nil
}

func (c *Captcha) validate() error {
	switch {
	case c.Timeout <= 0 || c.Timeout > maxCaptchaTimeout:
		return fmt.Errorf("captcha: timeout must be positive and at most %s", time.Duration(maxCaptchaTimeout))
	case c.OnError != onErrorRefuse && c.OnError != onErrorAllow:
		return fmt.Errorf("captcha: on_error is %s or %s, not %q", onErrorRefuse, onErrorAllow, c.OnError)
	case c.MinScore < 0 || c.MinScore > 1:
		return errors.New("captcha: min_score is from 0 to 1")
	case c.MinScore != 0 && c.Provider != captchaReCaptcha:
		return fmt.Errorf("captcha: min_score is for %s, others tell no score or one that means something else", captchaReCaptcha)
	case c.Action != "" && c.Provider == captchaHCaptcha:
		return fmt.Errorf("captcha: %s has no action", captchaHCaptcha)
	}
	return checkEndpoint(c.Endpoint)
}

// checkEndpoint wants TLS, because the secret is sent there, except to this
// machine.
func checkEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("captcha: endpoint must be a URL such as https://captcha.example.com/siteverify")
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return errors.New("captcha: endpoint must be https, because the secret is sent there")
	}
	return nil
}
