// Package webhook verifies the signatures of incoming webhooks. It works on
// the raw body, before anything is parsed, and compares in constant time.
package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Tolerance is how far a signed timestamp may lie from the receiver's clock,
// in the past and in the future. It bounds how long a captured request can be
// replayed; the id that Verify returns has to stop a replay within it.
const Tolerance = 5 * time.Minute

// Why a request was refused. The texts that wrap them name headers, and never
// hold a header's value, a secret or the signature that was expected.
var (
	// ErrSignature is a signature, or another header that belongs to it,
	// that is missing, malformed or wrong.
	ErrSignature = errors.New("verifying webhook signature")
	// ErrTimestamp is a right signature whose timestamp is further than
	// Tolerance from now: a replay, or a clock that is off.
	ErrTimestamp = errors.New("checking webhook timestamp")
)

// Verifier checks the signature of a request. It is made once, when the config
// is loaded, and safe for concurrent use.
type Verifier interface {
	// Verify checks the headers h against the whole raw body at the time now.
	// A nil error means that someone who has one of the secrets signed these
	// bytes. The id is never empty then, and depends on signed bytes alone:
	// replaying a request gives the same id, whatever headers were changed.
	// It is the sender's own id where that is signed, and otherwise the
	// SHA-256 of the body in hex. Errors are ErrSignature or ErrTimestamp.
	Verify(h http.Header, body []byte, now time.Time) (id string, err error)
}

// refuse returns an ErrSignature about the header called name.
func refuse(name, problem string) error {
	return fmt.Errorf("%w: header %s %s", ErrSignature, name, problem)
}
