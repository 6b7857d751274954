package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Signer signs outgoing requests by the Standard Webhooks specification 1.0.0
// (symmetric signatures, v1). It is safe for concurrent use.
type Signer struct{ sign signer }

// NewSigner returns the Signer of a secret: base64, with or without whsec_
// before it. Errors never show the secret.
func NewSigner(secret string) (*Signer, error) {
	key, err := loadKey(secret, decodeStandardSecret)
	if err != nil {
		return nil, fmt.Errorf("loading the webhook secret: %w", err)
	}
	return &Signer{newSigner(sha256.New, key)}, nil
}

// Sign sets the three headers of a request with this body. The id stays the
// same when a request is repeated, and has no full stop in it.
func (s *Signer) Sign(h http.Header, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	sum := s.sign([]byte(id+"."+timestamp+"."), body)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(sum))
}
