package caddyicalmail

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/altcha"
	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// purposeAltcha is what the key of the challenges is for.
const purposeAltcha = "altcha"

// serveChallenge answers a GET with a challenge for the ALTCHA widget.
func (h *Handler) serveChallenge(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	h.allowOrigin(header, r)
	if !allowMethods(w, r, http.MethodGet, http.MethodHead) {
		return nil
	}
	if err := h.app.running.await(r.Context()); err != nil {
		return h.refuse(w, r, &unavailableError{err})
	}
	challenge, err := h.issuer().Challenge(h.Captcha.Cost, h.now().Add(time.Duration(h.Captcha.Expires)))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, "application/json", challenge)
}

// issuer makes and checks challenges. Whoever asks has waited for the keys.
func (h *Handler) issuer() *altcha.Issuer { return altcha.New(h.keys().Derive(purposeAltcha)) }

// verifyProof checks the proof of work in the body.
func (h *Handler) verifyProof(fields booking.Fields) (id [sha256.Size]byte, expires time.Time, err error) {
	if id, expires, err = h.issuer().Verify(fields.Text(h.Captcha.field), h.now()); err != nil {
		return id, expires, errCaptcha
	}
	return id, expires, nil
}

// checkProof checks the proof of work of an order, and lets it count once. It
// is counted in the transaction that takes the booking, so that it survives a
// restart and a refused booking leaves it be.
func (h *Handler) checkProof(o *order) error {
	id, _, err := h.verifyProof(o.fields)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append([]byte(limitCaptcha+"\x00"), id[:]...))
	o.limits = append(o.limits, store.Limit{
		Name:    limitCaptcha,
		Counter: hex.EncodeToString(sum[:]),
		Max:     1,
		// The longest life that any config may give to a challenge, because a
		// counter with another window would be another one.
		Window: time.Duration(maxChallengeLife),
	})
	return nil
}

// spendProof checks the proof of work of a request to the back end. There is
// no transaction yet in which it could be counted, so it is remembered here.
func (h *Handler) spendProof(fields booking.Fields) error {
	id, expires, err := h.verifyProof(fields)
	if err != nil {
		return err
	}
	if !h.Captcha.spent.spend(id, h.now(), expires) {
		return errCaptcha
	}
	return nil
}

// maxSpent bounds the memory for spent challenges, and for the uses of form
// tokens, in front of a back end. It is far more than there can honestly be.
const maxSpent = 100_000

// spentChallenges remembers which challenges were used, until they expire. The
// zero value is ready.
type spentChallenges struct {
	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

// spend reports whether a challenge was not used before. When there are too
// many to remember, nothing more is taken until some have expired.
func (s *spentChallenges) spend(id [sha256.Size]byte, now, expires time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, used := s.until[id]; used {
		return false
	}
	if len(s.until) >= maxSpent {
		for known, end := range s.until {
			if !now.Before(end) {
				delete(s.until, known)
			}
		}
	}
	if len(s.until) >= maxSpent {
		return false
	}
	if s.until == nil {
		s.until = make(map[[sha256.Size]byte]time.Time)
	}
	s.until[id] = expires
	return true
}
