package caddyicalmail

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

const (
	defaultTokenPath  = "/ical_invite/token"
	defaultTokenField = "form_token"
	defaultMinAge     = caddy.Duration(2 * time.Second)
	defaultMaxAge     = caddy.Duration(2 * time.Hour)
	maxMaxAge         = 7 * 24 * time.Hour

	// usesPerToken is how many bookings one form may send: it is left open by
	// people who book twice, and a robot does not get far with it.
	usesPerToken = 5
)

// FormToken lets the booking form prove how long it has been open. A page
// fetches a token when it is shown and sends it with the form: robots that post
// without a page have none, and those that post at once have a young one.
type FormToken struct {
	// Where a page gets a token by GET: as plain text, or as JSON for those
	// who ask for it. Default: `/ical_invite/token`.
	Path string `json:"path,omitempty"`

	// The form field, or JSON path, that holds the token. Default: `form_token`.
	Field string `json:"field,omitempty"`

	// How old a token must be at least. Default: 2s.
	MinAge caddy.Duration `json:"min_age,omitempty"`

	// How old a token may be. Default: 2h.
	MaxAge caddy.Duration `json:"max_age,omitempty"`

	field booking.Path
	spent spentChallenges // by requests to a back end
}

// Why a form's token is refused.
var (
	errTokenMissing = tokenError("The form has no valid token. Please go back, reload the page and send it again.")
	errTokenYoung   = tokenError("The form was sent too quickly. Please wait some seconds and send it again.")
	errTokenOld     = tokenError("The form was open for too long. Please go back, reload the page and send it again.")
	errTokenSpent   = tokenError("The form was used for several bookings. Please go back, reload the page and send it again.")
)

func tokenError(detail string) *guardError {
	return &guardError{reason: reasonFormToken, status: http.StatusForbidden, detail: detail}
}

func (h *Handler) setFormToken(*caddy.Replacer) (err error) {
	f := h.FormToken
	if f == nil {
		return nil
	}
	if h.Verify != nil {
		return errors.New("form_token is for forms: a signed webhook has a signature")
	}
	if f.Path == "" {
		f.Path = defaultTokenPath
	}
	if f.Field == "" {
		f.Field = defaultTokenField
	}
	if f.MinAge == 0 {
		f.MinAge = defaultMinAge
	}
	if f.MaxAge == 0 {
		f.MaxAge = defaultMaxAge
	}
	switch {
	case f.MinAge < 0 || f.MaxAge <= f.MinAge:
		return errors.New("form_token: max_age must be longer than min_age, and min_age positive")
	case time.Duration(f.MaxAge) > maxMaxAge:
		return fmt.Errorf("form_token: max_age must be at most %s", inWords(maxMaxAge))
	}
	if f.field, err = booking.ParsePath(f.Field); err != nil {
		return fmt.Errorf("form_token: field: %w", err)
	}
	return checkPath(f.Path, "form_token")
}

// mint makes a token.
func (h *Handler) mint() string {
	nonce := make([]byte, 9)
	_, _ = rand.Read(nonce) // never fails
	now := h.now()
	return h.keys().Sign(token.Token{
		Purpose: token.Form, Subject: string(nonce), Issued: now, Expires: now.Add(time.Duration(h.FormToken.MaxAge)),
	})
}

// serveFormToken hands out a token.
func (h *Handler) serveFormToken(w http.ResponseWriter, r *http.Request) error {
	if !allowMethods(w, r, http.MethodGet, http.MethodHead) {
		return nil
	}
	if err := h.app.running.await(r.Context()); err != nil {
		return h.refuse(w, r, &unavailableError{err})
	}
	w.Header().Set("Cache-Control", "no-store")
	h.allowOrigin(w.Header(), r)
	if acceptQuality(r.Header, "json") > acceptQuality(r.Header, "html") {
		return writeJSON(w, http.StatusOK, "application/json", map[string]string{"token": h.mint()})
	}
	text := h.mint()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write([]byte(text))
	return err
}

// checkFormToken checks the token of an order's form, and lets the order count
// against what one token is good for.
func (h *Handler) checkFormToken(o *order) error {
	if h.FormToken == nil {
		return nil
	}
	t, err := h.verifyFormToken(o.request, o.fields)
	if err != nil {
		return err
	}
	o.limits = append(o.limits, store.Limit{
		Name: limitFormToken, Counter: limitFormToken + "\x00" + hex.EncodeToString([]byte(t.Subject)),
		Max: usesPerToken, Window: maxMaxAge,
	})
	return nil
}

// spendFormToken checks the token of a request to the back end. There is no
// transaction yet in which it could be counted, so that is done here.
func (h *Handler) spendFormToken(r *http.Request, fields booking.Fields) error {
	if h.FormToken == nil {
		return nil
	}
	t, err := h.verifyFormToken(r, fields)
	if err != nil {
		return err
	}
	for use := range usesPerToken {
		if h.FormToken.spent.spend(sha256.Sum256(append([]byte(t.Subject), byte(use))), h.now(), t.Expires) {
			return nil
		}
	}
	return errTokenSpent
}

// verifyFormToken checks a token and its age.
func (h *Handler) verifyFormToken(r *http.Request, fields booking.Fields) (token.Token, error) {
	if err := h.app.running.await(r.Context()); err != nil {
		return token.Token{}, &unavailableError{err}
	}
	t, err := h.keys().Verify(fields.Text(h.FormToken.field), h.now(), token.Form)
	age := h.now().Sub(t.Issued)
	switch {
	case errors.Is(err, token.ErrExpired), err == nil && age > time.Duration(h.FormToken.MaxAge):
		return t, errTokenOld
	case err != nil:
		return t, errTokenMissing
	case age < time.Duration(h.FormToken.MinAge):
		return t, errTokenYoung
	}
	return t, nil
}
