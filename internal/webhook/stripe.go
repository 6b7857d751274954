package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// stripeHeader is the header that holds Stripe's timestamp and signatures.
const stripeHeader = "Stripe-Signature"

// stripe verifies Stripe's scheme v1.
type stripe struct {
	keys keyring
}

// stripeSignature is the content of the header, checked for shape.
type stripeSignature struct {
	timestamp  string
	sent       time.Time
	signatures [][]byte
}

// NewStripe returns a Verifier for Stripe's webhooks: the header is
// Stripe-Signature with t=<Unix seconds>,v1=<hex> and the HMAC-SHA256 covers
// t, a full stop and the body. A secret is the key as it is, whsec_ included.
// The id is the SHA-256 of the body, because the event's id stands only inside
// it, and Stripe signs every retry of the same body with a new time. An error
// is about the secrets.
func NewStripe(secrets []string) (Verifier, error) {
	keys, err := newKeyring(sha256.New, secrets, verbatim)
	if err != nil {
		return nil, err
	}
	return &stripe{keys: keys}, nil
}

// Verify checks Stripe-Signature against the body.
func (s *stripe) Verify(h http.Header, body []byte, now time.Time) (string, error) {
	value, err := single(h, stripeHeader)
	if err != nil {
		return "", err
	}
	signature, err := parseStripe(value)
	if err != nil {
		return "", err
	}
	if !s.keys.signed(signature.signatures, []byte(signature.timestamp+"."), body) {
		return "", refuse(stripeHeader, "does not match")
	}
	if err := checkAge(stripeHeader, signature.sent, now); err != nil {
		return "", err
	}
	return bodyID(body), nil
}

// parseStripe reads "t=<seconds>,v1=<hex>[,v1=<hex>]…". Other keys, such as v0
// of test events, are passed over, as is a v1 that cannot be a signature. Two
// timestamps are refused: one of them would not be the signed one.
func parseStripe(value string) (stripeSignature, error) {
	var s stripeSignature
	entries := 0
	for entry := range strings.SplitSeq(value, ",") {
		if entries++; entries > maxSignatures {
			return s, refuse(stripeHeader, "has too many signatures")
		}
		key, text, ok := strings.Cut(entry, "=")
		if !ok {
			return s, refuse(stripeHeader, "is malformed")
		}
		switch key {
		case "t":
			if err := s.setTime(text); err != nil {
				return s, err
			}
		case "v1":
			s.add(text)
		}
	}
	if s.timestamp == "" {
		return s, refuse(stripeHeader, "has no timestamp")
	}
	if len(s.signatures) == 0 {
		return s, refuse(stripeHeader, "has no well-formed v1 signature")
	}
	return s, nil
}

// setTime takes the value of t, once.
func (s *stripeSignature) setTime(text string) (err error) {
	if s.timestamp != "" {
		return refuse(stripeHeader, "has two timestamps")
	}
	s.timestamp = text
	s.sent, err = parseTimestamp(stripeHeader, text)
	return err
}

// add takes the value of a v1, if it has the form of one.
func (s *stripeSignature) add(text string) {
	signature, err := hex.DecodeString(text)
	if err == nil && len(signature) == sha256.Size {
		s.signatures = append(s.signatures, signature)
	}
}
