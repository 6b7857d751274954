package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// testSecret and testBody are what most tests sign.
const (
	testSecret = "correct horse battery"
	otherOne   = "another secret entirely"
	testBody   = `{"name":"Ada","start":"2027-03-05T10:30:00Z"}`
)

// testTime is the receiver's clock.
var testTime = time.Unix(1_700_000_000, 0)

// macOf is the test's own HMAC, apart from the package's code.
func macOf(algorithm func() hash.Hash, key []byte, content string) []byte {
	mac := hmac.New(algorithm, key)
	mac.Write([]byte(content))
	return mac.Sum(nil)
}

// hashOf is the id that is expected where a scheme has none of its own.
func hashOf(body string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
}

// headers makes a header from names and values.
func headers(pairs ...string) http.Header {
	h := make(http.Header)
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// must returns v, or ends the test.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// scheme is one kind of verifier with the test's own way of signing.
type scheme struct {
	name string
	// build makes a verifier of secrets, given as plain text.
	build func(secrets ...string) (Verifier, error)
	// sign returns the headers for body, with mac changed by bend.
	sign func(secret, body string, at time.Time, bend func([]byte) []byte) http.Header
	// timed is set if the scheme has a timestamp.
	timed bool
	id    string
}

func straight(mac []byte) []byte { return mac }

func whsec(key string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(key))
}

// schemes returns one of each.
func schemes() []scheme {
	return []scheme{standardScheme(), stripeScheme(), plainScheme(), timedScheme()}
}

func standardScheme() scheme {
	return scheme{
		name: "standard", timed: true, id: "msg_1",
		build: func(secrets ...string) (Verifier, error) {
			encoded := make([]string, len(secrets))
			for i, s := range secrets {
				encoded[i] = whsec(s)
			}
			return NewStandard(encoded)
		},
		sign: func(secret, body string, at time.Time, bend func([]byte) []byte) http.Header {
			mac := bend(macOf(sha256.New, []byte(secret), "msg_1."+unix(at)+"."+body))
			return headers("webhook-id", "msg_1", "webhook-timestamp", unix(at),
				"webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac))
		},
	}
}

func stripeScheme() scheme {
	return scheme{
		name: "stripe", timed: true, id: hashOf(testBody),
		build: func(secrets ...string) (Verifier, error) { return NewStripe(secrets) },
		sign: func(secret, body string, at time.Time, bend func([]byte) []byte) http.Header {
			mac := bend(macOf(sha256.New, []byte(secret), unix(at)+"."+body))
			return headers("Stripe-Signature", "t="+unix(at)+",v1="+hex.EncodeToString(mac))
		},
	}
}

func plainScheme() scheme {
	return scheme{
		name: "hmac", id: hashOf(testBody),
		build: func(secrets ...string) (Verifier, error) {
			return NewHMAC(secrets, HMACOptions{Header: "X-Hub-Signature-256", Prefix: "sha256="})
		},
		sign: func(secret, body string, _ time.Time, bend func([]byte) []byte) http.Header {
			mac := bend(macOf(sha256.New, []byte(secret), body))
			return headers("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac))
		},
	}
}

func timedScheme() scheme {
	return scheme{
		name: "hmac with timestamp", timed: true, id: hashOf(testBody),
		build: func(secrets ...string) (Verifier, error) {
			return NewHMAC(secrets, HMACOptions{Header: "X-Sig", Encoding: "base64", TimestampHeader: "X-Time"})
		},
		sign: func(secret, body string, at time.Time, bend func([]byte) []byte) http.Header {
			mac := bend(macOf(sha256.New, []byte(secret), unix(at)+"."+body))
			return headers("X-Sig", base64.StdEncoding.EncodeToString(mac), "X-Time", unix(at))
		},
	}
}
