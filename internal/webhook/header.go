package webhook

import (
	"net/http"
	"strings"
)

// Bounds of what is read from a request that nobody has vouched for yet.
const (
	maxHeader     = 8 << 10 // bytes of one header value
	maxSignatures = 32      // entries in a list of signatures
	maxID         = 256     // bytes of a sender's own id
)

// single returns the only value of the header called name. A repeated header is
// refused: which of its values counts would be a guess, and a proxy in front
// may have guessed differently.
func single(h http.Header, name string) (string, error) {
	values := h.Values(name)
	switch {
	case len(values) > 1:
		return "", refuse(name, "is repeated")
	case len(values) == 0 || values[0] == "":
		return "", refuse(name, "is missing")
	case len(values[0]) > maxHeader:
		return "", refuse(name, "is too long")
	}
	return values[0], nil
}

// isToken reports whether s can be a header's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for _, r := range s {
		letter := r|0x20 >= 'a' && r|0x20 <= 'z'
		digit := r >= '0' && r <= '9'
		if !letter && !digit && !strings.ContainsRune("!#$%&'*+-.^_`|~", r) {
			return false
		}
	}
	return s != ""
}
