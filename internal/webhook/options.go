package webhook

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
)

// checkHeaders checks the names of headers in o.
func checkHeaders(o HMACOptions) error {
	if o.Header == "" {
		return errors.New("configuring webhook hmac: the signature's header is needed")
	}
	seen := make(map[string]bool)
	for _, name := range []string{o.Header, o.TimestampHeader} {
		if name == "" {
			continue
		}
		if !isToken(name) {
			return fmt.Errorf("configuring webhook hmac: %q is not a header name", name)
		}
		key := http.CanonicalHeaderKey(name)
		if seen[key] {
			return fmt.Errorf("configuring webhook hmac: header %s is used twice", key)
		}
		seen[key] = true
	}
	return nil
}

// chooseAlgorithm returns the hash called name. SHA-1 is there for senders that
// have nothing else: its collisions do not break an HMAC (RFC 6194, section 3.3).
func chooseAlgorithm(name string) (func() hash.Hash, error) {
	switch name {
	case "", "sha256":
		return sha256.New, nil
	case "sha1":
		return sha1.New, nil
	case "sha512":
		return sha512.New, nil
	}
	return nil, fmt.Errorf("configuring webhook hmac: algorithm %q is not sha256, sha1 or sha512", name)
}

// chooseDecoder returns the decoder of the encoding called name.
func chooseDecoder(name string) (func(string) ([]byte, error), error) {
	switch name {
	case "", "hex":
		return hex.DecodeString, nil
	case "base64":
		return decodeEitherBase64, nil
	}
	return nil, fmt.Errorf("configuring webhook hmac: encoding %q is not hex or base64", name)
}
