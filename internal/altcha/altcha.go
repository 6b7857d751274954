// Package altcha makes and checks proofs of work in the protocol of the ALTCHA
// widget: the browser has to find the number whose hash, behind a salt, is the
// challenge. It is the first version of the protocol, which the widgets of all
// versions solve.
package altcha

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

const (
	// Algorithm is the hash that browsers have to compute.
	Algorithm = "SHA-256"

	// MaxPayload bounds what a browser sends, in octets. It is less than 500.
	MaxPayload = 4 << 10

	// MaxCost is how far a browser may have to count. It is minutes of work.
	MaxCost = 100_000_000

	saltLength = 16 // octets
	maxSalt    = 200
)

var (
	// ErrWrong means that a solution is missing, forged or wrong.
	ErrWrong = errors.New("proof of work is wrong")

	// ErrExpired means that the challenge was solved too late.
	ErrExpired = errors.New("proof of work is too old")
)

// Challenge is what a browser has to solve, in the form that the widget reads.
type Challenge struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"` // hex
	MaxNumber int    `json:"maxnumber"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"` // hex
}

// solution is what the widget sends, as JSON in base64.
type solution struct {
	Algorithm string      `json:"algorithm"`
	Challenge string      `json:"challenge"`
	Number    json.Number `json:"number"`
	Salt      string      `json:"salt"`
	Signature string      `json:"signature"`
}

// Issuer makes challenges and checks their solutions with a secret key. It is
// safe for concurrent use.
type Issuer struct{ key []byte }

// New returns an issuer. All that share the key take each other's challenges.
func New(key []byte) *Issuer { return &Issuer{key} }

// Challenge makes a challenge that can be solved until expires. The browser has
// to count up to a random number from 0 to cost, half of cost on average.
func (i *Issuer) Challenge(cost int, expires time.Time) (*Challenge, error) {
	if cost < 1 || cost > MaxCost {
		return nil, fmt.Errorf("cost must be from 1 to %d", MaxCost)
	}
	random := make([]byte, saltLength)
	_, _ = rand.Read(random) // it never fails
	number, err := rand.Int(rand.Reader, big.NewInt(int64(cost)+1))
	if err != nil {
		return nil, fmt.Errorf("choosing a number: %w", err)
	}
	// The ampersand at the end keeps digits from moving between the salt and
	// the number, which would change when the challenge expires.
	salt := hex.EncodeToString(random) + "?expires=" + strconv.FormatInt(expires.Unix(), 10) + "&"
	sum := digest(salt, number.String())
	return &Challenge{
		Algorithm: Algorithm,
		Challenge: hex.EncodeToString(sum[:]),
		MaxNumber: cost,
		Salt:      salt,
		Signature: i.sign(hex.EncodeToString(sum[:])),
	}, nil
}

// Verify checks what a widget sent. It returns the challenge's hash, by which
// it can be recognized if it comes again, and when it expires.
func (i *Issuer) Verify(payload string, now time.Time) (id [sha256.Size]byte, expires time.Time, err error) {
	s, err := decode(payload)
	if err != nil {
		return id, expires, err
	}
	number, err := strconv.ParseUint(s.Number.String(), 10, 63)
	if err != nil {
		return id, expires, ErrWrong
	}
	// The challenge is not compared as it was sent but as it must be, so that
	// one challenge has one id however its hash is spelled.
	id = digest(s.Salt, strconv.FormatUint(number, 10))
	challenge := hex.EncodeToString(id[:])
	signed := subtle.ConstantTimeCompare([]byte(s.Signature), []byte(i.sign(challenge))) == 1
	if !signed || s.Challenge != challenge {
		return id, expires, ErrWrong
	}
	// From here on the salt is one that was made here.
	expires, err = expiry(s.Salt)
	if err == nil && !now.Before(expires) {
		err = ErrExpired
	}
	return id, expires, err
}

// decode reads the widget's payload.
func decode(payload string) (*solution, error) {
	if payload == "" || len(payload) > MaxPayload {
		return nil, ErrWrong
	}
	text, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return nil, ErrWrong
	}
	s := new(solution)
	if err := json.Unmarshal(text, s); err != nil || s.Algorithm != Algorithm || len(s.Salt) > maxSalt {
		return nil, ErrWrong
	}
	return s, nil
}

// expiry reads when a salt's challenge expires.
func expiry(salt string) (time.Time, error) {
	_, query, _ := strings.Cut(salt, "?expires=")
	text, ok := strings.CutSuffix(query, "&")
	seconds, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return time.Time{}, ErrWrong
	}
	return time.Unix(seconds, 0), nil
}

func digest(salt, number string) [sha256.Size]byte { return sha256.Sum256([]byte(salt + number)) }

func (i *Issuer) sign(challenge string) string {
	mac := hmac.New(sha256.New, i.key)
	mac.Write([]byte(challenge))
	return hex.EncodeToString(mac.Sum(nil))
}
