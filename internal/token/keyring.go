package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MinKey is the shortest key that is taken, in octets.
const MinKey = 32

// Keyring signs with the first of its keys and takes what was signed with any
// of them, so that a key can be replaced without breaking links. It is safe
// for concurrent use.
type Keyring struct {
	keys [][]byte // derived
}

// NewKeyring makes a keyring of at least one key of at least MinKey octets.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("there is no key")
	}
	k := new(Keyring)
	for _, key := range keys {
		if len(key) < MinKey {
			return nil, fmt.Errorf("a key needs at least %d octets", MinKey)
		}
		k.keys = append(k.keys, derive(key, "token"))
	}
	return k, nil
}

// Derive makes a key for another use of the first key. The same label gives
// the same key.
func (k *Keyring) Derive(label string) []byte { return derive(k.keys[0], "derived "+label) }

// derive separates the uses of a key from each other.
func derive(key []byte, label string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("caddyicalmail " + label))
	return h.Sum(nil)
}

func mac(key, payload []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(payload)
	return h.Sum(nil)[:macSize]
}

// Sign makes the token's text: letters, digits, hyphens and underscores.
func (k *Keyring) Sign(t Token) string {
	payload := t.appendPayload(make([]byte, 0, 96))
	return encoding.EncodeToString(append(payload, mac(k.keys[0], payload)...))
}

// Verify checks a token that may be for one of some purposes. It returns
// ErrInvalid, or ErrExpired together with the token.
func (k *Keyring) Verify(text string, now time.Time, purposes ...Purpose) (Token, error) {
	if len(text) > maxToken || strings.ContainsAny(text, "\r\n") { // which base64 would skip
		return Token{}, ErrInvalid
	}
	raw, err := encoding.DecodeString(text)
	if err != nil || len(raw) <= macSize {
		return Token{}, ErrInvalid
	}
	payload, sum := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	if !k.signed(payload, sum) {
		return Token{}, ErrInvalid
	}
	t, err := parsePayload(payload)
	if err != nil || !t.isFor(purposes) {
		return Token{}, ErrInvalid
	}
	if !now.Before(t.Expires) {
		return t, ErrExpired
	}
	return t, nil
}

// signed compares with every key, in a time that tells nothing about any.
func (k *Keyring) signed(payload, sum []byte) bool {
	ok := false
	for _, key := range k.keys {
		ok = hmac.Equal(mac(key, payload), sum) || ok
	}
	return ok
}
