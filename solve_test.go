package caddyicalmail

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"testing"
)

// solveChallenge does what the ALTCHA widget does, and returns what it puts
// into the form.
func solveChallenge(t testing.TB, challenge []byte) string {
	t.Helper()
	var c struct {
		Algorithm string `json:"algorithm"`
		Challenge string `json:"challenge"`
		MaxNumber int    `json:"maxnumber,omitempty"`
		Number    int    `json:"number"`
		Salt      string `json:"salt"`
		Signature string `json:"signature"`
	}
	if err := json.Unmarshal(challenge, &c); err != nil {
		t.Fatal(err)
	}
	for ; c.Number <= c.MaxNumber; c.Number++ {
		sum := sha256.Sum256([]byte(c.Salt + strconv.Itoa(c.Number)))
		if hex.EncodeToString(sum[:]) == c.Challenge {
			break
		}
	}
	payload, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(payload)
}
