package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"
)

// standardPrefix marks a symmetric secret of Standard Webhooks.
const standardPrefix = "whsec_"

// standard verifies Standard Webhooks 1.0.0, symmetric signatures (v1).
type standard struct {
	keys keyring
}

// standardHeaders are the names of one request's three headers.
type standardHeaders struct {
	id, timestamp, signature string
}

// standardRequest is what the headers of one request say, checked for shape.
type standardRequest struct {
	names         standardHeaders
	id, timestamp string
	sent          time.Time
	signatures    [][]byte
}

// NewStandard returns a Verifier for the Standard Webhooks specification 1.0.0
// (symmetric signatures) and for Svix, which differs in the headers' names
// only. A secret is base64, with or without whsec_ before it. The id is the
// sender's webhook-id, which is signed. An error is about the secrets.
func NewStandard(secrets []string) (Verifier, error) {
	keys, err := newKeyring(sha256.New, secrets, decodeStandardSecret)
	if err != nil {
		return nil, err
	}
	return &standard{keys: keys}, nil
}

// decodeStandardSecret returns the key that a secret stands for. Unused bits at
// the end may be set, as they may for every other library of the standard.
func decodeStandardSecret(secret string) ([]byte, error) {
	key, err := decodeBase64(base64.StdEncoding, strings.TrimPrefix(secret, standardPrefix))
	if err != nil {
		return nil, errors.New("it is not base64, with or without " + standardPrefix + " before it")
	}
	return key, nil
}

// Verify checks webhook-signature, or svix-signature, against the other two
// headers and the body.
func (s *standard) Verify(h http.Header, body []byte, now time.Time) (string, error) {
	r, err := readStandard(h)
	if err != nil {
		return "", err
	}
	if !s.keys.signed(r.signatures, []byte(r.id+"."+r.timestamp+"."), body) {
		return "", refuse(r.names.signature, "does not match")
	}
	if err := checkAge(r.names.timestamp, r.sent, now); err != nil {
		return "", err
	}
	return r.id, nil
}

// readStandard reads the three headers of a request.
func readStandard(h http.Header) (r standardRequest, err error) {
	r.names = chooseStandardHeaders(h)
	if r.id, err = single(h, r.names.id); err != nil {
		return r, err
	}
	if !isStandardID(r.id) {
		return r, refuse(r.names.id, "is malformed")
	}
	if r.timestamp, err = single(h, r.names.timestamp); err != nil {
		return r, err
	}
	if r.sent, err = parseTimestamp(r.names.timestamp, r.timestamp); err != nil {
		return r, err
	}
	list, err := single(h, r.names.signature)
	if err != nil {
		return r, err
	}
	r.signatures, err = parseStandardSignatures(r.names.signature, list)
	return r, err
}

// chooseStandardHeaders returns Svix's names if their set is complete and the
// standard's own is not. The two sets are never mixed.
func chooseStandardHeaders(h http.Header) standardHeaders {
	own := standardHeaders{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
	svix := standardHeaders{"Svix-Id", "Svix-Timestamp", "Svix-Signature"}
	if !own.complete(h) && svix.complete(h) {
		return svix
	}
	return own
}

// complete reports whether a request has all three headers.
func (n standardHeaders) complete(h http.Header) bool {
	return h.Get(n.id) != "" && h.Get(n.timestamp) != "" && h.Get(n.signature) != ""
}

// isStandardID reports whether an id is safe to use as a key. A full stop is
// what the signed parts are joined with: were it allowed here, as the
// specification warns, signed bytes could be cut in another place and the same
// signature would stand for another id, time and body.
func isStandardID(id string) bool {
	if len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] >= 0x7f || id[i] == '.' {
			return false
		}
	}
	return true
}

// parseStandardSignatures reads "v1,<base64> v1,<base64> …". Entries of another
// version, or that cannot be a signature, are passed over: a sender may add
// some. A list that is too long is refused, not cut.
func parseStandardSignatures(name, list string) ([][]byte, error) {
	var signatures [][]byte
	entries := 0
	for entry := range strings.FieldsSeq(list) {
		if entries++; entries > maxSignatures {
			return nil, refuse(name, "has too many signatures")
		}
		encoded, ok := strings.CutPrefix(entry, "v1,")
		if !ok {
			continue
		}
		signature, err := decodeBase64(base64.StdEncoding.Strict(), encoded)
		if err == nil && len(signature) == sha256.Size {
			signatures = append(signatures, signature)
		}
	}
	if len(signatures) == 0 {
		return nil, refuse(name, "has no well-formed v1 signature")
	}
	return signatures, nil
}
