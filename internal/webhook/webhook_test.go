package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestEveryScheme holds what is true of all of them.
func TestEveryScheme(t *testing.T) {
	for _, s := range schemes() {
		t.Run(s.name, func(t *testing.T) {
			v := must[Verifier](t)(s.build(testSecret))
			h := s.sign(testSecret, testBody, testTime, straight)
			for range 2 {
				id, err := v.Verify(h, []byte(testBody), testTime)
				if err != nil || id != s.id {
					t.Fatalf("got %q, %v, want %q", id, err, s.id)
				}
			}
			if id, err := v.Verify(s.sign(testSecret, "", testTime, straight), nil, testTime); err != nil || id == "" {
				t.Errorf("empty body: got %q, %v", id, err)
			}
			if _, err := v.Verify(nil, []byte(testBody), testTime); !errors.Is(err, ErrSignature) {
				t.Errorf("no headers: got %v", err)
			}
		})
	}
}

// TestRotation crosses every set of secrets with every signing secret.
func TestRotation(t *testing.T) {
	secrets := []string{testSecret, otherOne, "the third of the secrets"}
	for _, s := range schemes() {
		for set := 1; set < 1<<len(secrets); set++ {
			var chosen []string
			for i, secret := range secrets {
				if set&(1<<i) != 0 {
					chosen = append(chosen, secret)
				}
			}
			v := must[Verifier](t)(s.build(chosen...))
			for i, secret := range secrets {
				_, err := v.Verify(s.sign(secret, testBody, testTime, straight), []byte(testBody), testTime)
				if known := set&(1<<i) != 0; known != (err == nil) {
					t.Errorf("%s: set %b, secret %d: got %v", s.name, set, i, err)
				}
			}
		}
	}
}

// TestTolerance checks both edges, to the nanosecond.
func TestTolerance(t *testing.T) {
	cases := []struct {
		offset time.Duration
		ok     bool
	}{
		{0, true},
		{300 * time.Second, true},
		{300*time.Second + 1, false},
		{301 * time.Second, false},
		{-300 * time.Second, true},
		{-300*time.Second - 1, false},
		{-301 * time.Second, false},
		{1000 * time.Hour, false},
		{-1000 * time.Hour, false},
	}
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(testSecret))
		h := s.sign(testSecret, testBody, testTime, straight)
		for _, c := range cases {
			t.Run(s.name+" "+c.offset.String(), func(t *testing.T) {
				id, err := v.Verify(h, []byte(testBody), testTime.Add(c.offset))
				if c.ok || !s.timed {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if !errors.Is(err, ErrTimestamp) || errors.Is(err, ErrSignature) || id != "" {
					t.Errorf("got %q, %v, want ErrTimestamp", id, err)
				}
			})
		}
		// A clock says nothing about a signature that is wrong anyway.
		_, err := v.Verify(s.sign(otherOne, testBody, testTime, straight), []byte(testBody), testTime.Add(time.Hour))
		if !errors.Is(err, ErrSignature) || errors.Is(err, ErrTimestamp) {
			t.Errorf("%s: wrong and old: got %v, want ErrSignature", s.name, err)
		}
	}
}

// TestAnyChangeIsRefused flips each bit of the signature and of the body, and
// cuts each of them at every place.
func TestAnyChangeIsRefused(t *testing.T) {
	for _, s := range schemes() {
		t.Run(s.name, func(t *testing.T) {
			v := must[Verifier](t)(s.build(testSecret))
			refused := func(h http.Header, body, what string) {
				t.Helper()
				if id, err := v.Verify(h, []byte(body), testTime); !errors.Is(err, ErrSignature) || id != "" {
					t.Errorf("%s: got %q, %v", what, id, err)
				}
			}
			for bit := range 8 * sha256.Size {
				flip := func(mac []byte) []byte { mac[bit/8] ^= 1 << (bit % 8); return mac }
				refused(s.sign(testSecret, testBody, testTime, flip), testBody, "flipped signature")
			}
			for n := range sha256.Size {
				cut := func(mac []byte) []byte { return mac[:n] }
				refused(s.sign(testSecret, testBody, testTime, cut), testBody, "cut signature")
			}
			longer := func(mac []byte) []byte { return append(mac, 0) }
			refused(s.sign(testSecret, testBody, testTime, longer), testBody, "longer signature")
			h := s.sign(testSecret, testBody, testTime, straight)
			for bit := range 8 * len(testBody) {
				changed := []byte(testBody)
				changed[bit/8] ^= 1 << (bit % 8)
				refused(h, string(changed), "flipped body")
			}
			for n := range len(testBody) {
				refused(h, testBody[:n], "cut body")
			}
			refused(h, testBody+"\n", "longer body")
		})
	}
}

// TestHeaderValuesAreBounded repeats, empties and inflates each header.
func TestHeaderValuesAreBounded(t *testing.T) {
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(testSecret))
		good := s.sign(testSecret, testBody, testTime, straight)
		for name, values := range good {
			changes := map[string][]string{
				"is missing":  nil,
				"is repeated": {values[0], values[0]},
				"is too long": {values[0] + strings.Repeat(" ", maxHeader)},
			}
			for problem, changed := range changes {
				h := good.Clone()
				h[name] = changed
				_, err := v.Verify(h, []byte(testBody), testTime)
				if !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), name+" "+problem) {
					t.Errorf("%s: %s: got %v", s.name, problem, err)
				}
			}
			h := good.Clone()
			h[name] = []string{""}
			if _, err := v.Verify(h, []byte(testBody), testTime); !errors.Is(err, ErrSignature) {
				t.Errorf("%s: empty %s: got %v", s.name, name, err)
			}
		}
	}
}

// TestSecretsAreChecked asks every constructor to refuse what cannot be meant.
func TestSecretsAreChecked(t *testing.T) {
	cases := map[string][]string{
		"none":           {},
		"empty":          {""},
		"one of two":     {testSecret, ""},
		"seven bytes":    {"1234567"},
		"line break":     {testSecret + "\n"},
		"leading blank":  {" " + testSecret},
		"trailing blank": {testSecret + " "},
	}
	build := map[string]func([]string) (Verifier, error){
		"standard": NewStandard,
		"stripe":   NewStripe,
		"hmac":     func(s []string) (Verifier, error) { return NewHMAC(s, HMACOptions{Header: "X-Sig"}) },
	}
	for name, secrets := range cases {
		for kind, make := range build {
			v, err := make(secrets)
			if err == nil || v != nil {
				t.Errorf("%s, %s: got %v, %v", kind, name, v, err)
				continue
			}
			if strings.Contains(err.Error(), "1234567") || strings.Contains(err.Error(), "horse") {
				t.Errorf("%s, %s: the error shows a secret: %v", kind, name, err)
			}
		}
	}
	for _, s := range schemes() {
		if _, err := s.build("12345678"); err != nil {
			t.Errorf("%s: eight bytes: %v", s.name, err)
		}
	}
}

// TestNothingShowsSecrets prints verifiers and errors in every way.
func TestNothingShowsSecrets(t *testing.T) {
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(testSecret))
		right := macOf(sha256.New, []byte(testSecret), testBody)
		_, err := v.Verify(s.sign(otherOne, testBody, testTime, straight), []byte(testBody), testTime)
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			text := fmt.Sprintf(format, v) + fmt.Sprintf(format, err)
			for _, hidden := range []string{
				testSecret, whsec(testSecret)[6:], hex.EncodeToString([]byte(testSecret)), fmt.Sprint(string([]byte(testSecret))),
				hex.EncodeToString(right), base64.StdEncoding.EncodeToString(right), unix(testTime),
			} {
				if strings.Contains(text, strings.Trim(hidden, "[]")) {
					t.Errorf("%s %s shows %q: %s", s.name, format, hidden, text)
				}
			}
		}
	}
}

// TestConcurrentUse is for the race detector.
func TestConcurrentUse(t *testing.T) {
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(otherOne, testSecret))
		h := s.sign(testSecret, testBody, testTime, straight)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					if _, err := v.Verify(h, []byte(testBody), testTime); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
}

// TestRandomBodies signs random bytes, UTF-8 or not.
func TestRandomBodies(t *testing.T) {
	random := rand.New(rand.NewSource(1))
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(testSecret))
		for range 200 {
			body := make([]byte, random.Intn(300))
			random.Read(body)
			h := s.sign(testSecret, string(body), testTime, straight)
			if _, err := v.Verify(h, body, testTime); err != nil {
				t.Fatalf("%s: %x: %v", s.name, body, err)
			}
			if _, err := v.Verify(h, slices.Concat(body, []byte{'x'}), testTime); !errors.Is(err, ErrSignature) {
				t.Fatalf("%s: %x: got %v", s.name, body, err)
			}
		}
	}
}
