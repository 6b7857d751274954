package webhook

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// minSecret is the shortest secret in bytes that is accepted. It does not make
// a secret good; it catches the placeholder that came out almost empty.
const minSecret = 8

// signer returns the HMAC of all parts, one after the other, under one secret.
// It is a function because nothing that prints a verifier, a log or an error,
// can look into one.
type signer func(parts ...[]byte) []byte

// keyring holds a signer for each secret that is valid at the moment: there is
// more than one while a secret is being rotated.
type keyring []signer

// newKeyring returns the keyring of secrets for the given hash. Secrets are
// checked as they were written; decode then makes the key from one. Errors
// count secrets from 1 and never show them.
func newKeyring(algorithm func() hash.Hash, secrets []string, decode func(string) ([]byte, error)) (keyring, error) {
	if len(secrets) == 0 {
		return nil, errors.New("loading webhook secrets: at least one is needed")
	}
	ring := make(keyring, 0, len(secrets))
	for i, secret := range secrets {
		key, err := loadKey(secret, decode)
		if err != nil {
			return nil, fmt.Errorf("loading webhook secret %d: %w", i+1, err)
		}
		ring = append(ring, newSigner(algorithm, key))
	}
	return ring, nil
}

// loadKey checks one secret and returns its key.
func loadKey(secret string, decode func(string) ([]byte, error)) ([]byte, error) {
	if secret == "" {
		return nil, errors.New("it is empty")
	}
	// A line break that came along from a file would make every signature
	// wrong, and nothing would tell why.
	if strings.TrimSpace(secret) != secret {
		return nil, errors.New("it begins or ends with white space")
	}
	key, err := decode(secret)
	if err != nil {
		return nil, err
	}
	if len(key) < minSecret {
		return nil, fmt.Errorf("it is shorter than %d bytes", minSecret)
	}
	return key, nil
}

// verbatim is the decode function of schemes that use a secret as it is.
func verbatim(secret string) ([]byte, error) {
	return []byte(secret), nil
}

// newSigner returns the signer of one key.
func newSigner(algorithm func() hash.Hash, key []byte) signer {
	return func(parts ...[]byte) []byte {
		mac := hmac.New(algorithm, key)
		for _, part := range parts {
			mac.Write(part)
		}
		return mac.Sum(nil)
	}
}

// signed reports whether any candidate is the HMAC of parts under any secret.
// All pairs are compared, each in constant time, so that the time taken tells
// neither how much of a signature was right nor which secret is in use.
func (k keyring) signed(candidates [][]byte, parts ...[]byte) bool {
	found := false
	for _, sign := range k {
		want := sign(parts...)
		for _, candidate := range candidates {
			if hmac.Equal(want, candidate) {
				found = true
			}
		}
	}
	return found
}
