package webhook

import (
	"net/http"
	"strings"
	"time"
)

// HMACOptions describes a sender that signs the body with an HMAC and puts the
// result into a header of its own. GitHub is {Header: "X-Hub-Signature-256",
// Prefix: "sha256="}, Cal.com is {Header: "X-Cal-Signature-256"}.
type HMACOptions struct {
	// Header holds the signature. Required; case does not matter.
	Header string
	// Algorithm is the hash: sha256 (default), sha1 or sha512.
	Algorithm string
	// Encoding is how the signature is written: hex (default; either case) or
	// base64 (padded or not, in the standard or the URL alphabet).
	Encoding string
	// Prefix stands before the signature, such as "sha256=". It is required
	// in every request, exactly as written here.
	Prefix string
	// TimestampHeader holds Unix seconds. If set, what is signed is the
	// header's value, a full stop and the body, and Tolerance applies. If
	// not, a captured request can be replayed at any time later, and only
	// its id tells.
	TimestampHeader string
}

// generic verifies an HMAC that HMACOptions describes.
type generic struct {
	keys   keyring
	form   signatureForm
	header string
	time   string // a header's name, or ""
}

// NewHMAC returns a Verifier for the sender that o describes. A secret is the
// key as it is. The id is the SHA-256 of the body in hex: the body is what is
// signed, and a delivery that is repeated has the same one. An error is about
// the secrets or the options.
func NewHMAC(secrets []string, o HMACOptions) (Verifier, error) {
	if err := checkHeaders(o); err != nil {
		return nil, err
	}
	algorithm, err := chooseAlgorithm(o.Algorithm)
	if err != nil {
		return nil, err
	}
	decode, err := chooseDecoder(o.Encoding)
	if err != nil {
		return nil, err
	}
	keys, err := newKeyring(algorithm, secrets, verbatim)
	if err != nil {
		return nil, err
	}
	return &generic{
		keys:   keys,
		form:   signatureForm{prefix: o.Prefix, decode: decode, size: algorithm().Size()},
		header: http.CanonicalHeaderKey(o.Header),
		time:   http.CanonicalHeaderKey(o.TimestampHeader),
	}, nil
}

// Verify checks the configured header against the body, and the timestamp if
// there is one.
func (g *generic) Verify(h http.Header, body []byte, now time.Time) (string, error) {
	value, err := single(h, g.header)
	if err != nil {
		return "", err
	}
	signature, err := g.form.parse(g.header, value)
	if err != nil {
		return "", err
	}
	if g.time == "" {
		err = g.match(signature, nil, body)
	} else {
		err = g.matchTimed(h, signature, body, now)
	}
	if err != nil {
		return "", err
	}
	return bodyID(body), nil
}

// match checks a signature over lead and body.
func (g *generic) match(signature, lead, body []byte) error {
	if !g.keys.signed([][]byte{signature}, lead, body) {
		return refuse(g.header, "does not match")
	}
	return nil
}

// matchTimed checks a signature over the timestamp, a full stop and the body,
// and then how old the timestamp is.
func (g *generic) matchTimed(h http.Header, signature, body []byte, now time.Time) error {
	timestamp, err := single(h, g.time)
	if err != nil {
		return err
	}
	sent, err := parseTimestamp(g.time, timestamp)
	if err != nil {
		return err
	}
	if err := g.match(signature, []byte(timestamp+"."), body); err != nil {
		return err
	}
	return checkAge(g.time, sent, now)
}

// signatureForm is how a sender writes one signature.
type signatureForm struct {
	prefix string
	decode func(string) ([]byte, error)
	size   int // bytes, once decoded
}

// parse returns the signature that value, of the header called name, holds.
func (f signatureForm) parse(name, value string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(value, f.prefix)
	if !ok {
		return nil, refuse(name, "does not begin with the configured prefix")
	}
	signature, err := f.decode(encoded)
	if err != nil || len(signature) != f.size {
		return nil, refuse(name, "has no well-formed signature")
	}
	return signature, nil
}
