package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
)

// errBase64 stands for everything that is wrong with base64 text.
var errBase64 = errors.New("it is not base64")

// decodeBase64 decodes s, padded or not, in the given alphabet.
func decodeBase64(alphabet *base64.Encoding, s string) ([]byte, error) {
	// The decoder skips line breaks even when it is strict.
	if strings.ContainsAny(s, "\r\n") {
		return nil, errBase64
	}
	if !strings.HasSuffix(s, "=") {
		alphabet = alphabet.WithPadding(base64.NoPadding)
	}
	decoded, err := alphabet.DecodeString(s)
	if err != nil {
		return nil, errBase64
	}
	return decoded, nil
}

// decodeEitherBase64 decodes s in the standard or the URL alphabet, but not in
// a mixture: senders that say base64 mean one or the other.
func decodeEitherBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return decodeBase64(base64.URLEncoding.Strict(), s)
	}
	return decodeBase64(base64.StdEncoding.Strict(), s)
}

// bodyID returns the id of a request whose scheme signs none: the SHA-256 of
// the body in hex. A signed timestamp is left out on purpose. A sender that
// tries again signs the same body with a new one, and it is the same event.
func bodyID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
