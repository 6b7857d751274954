package altcha

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC)

func issue(t testing.TB, i *Issuer) *Challenge {
	t.Helper()
	c, err := i.Challenge(1000, now.Add(10*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// solve does what the widget does.
func solve(t testing.TB, c *Challenge) map[string]any {
	t.Helper()
	for n := range c.MaxNumber + 1 {
		sum := digest(c.Salt, strconv.Itoa(n))
		if hex.EncodeToString(sum[:]) == c.Challenge {
			return map[string]any{
				"algorithm": c.Algorithm, "challenge": c.Challenge, "number": n, "salt": c.Salt, "signature": c.Signature, "took": 12.5,
			}
		}
	}
	t.Fatal("there is no solution")
	return nil
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(text)
}

func TestVerify(t *testing.T) {
	i := New([]byte("key"))
	for _, tt := range []struct {
		name  string
		spoil func(map[string]any)
		at    time.Time
		want  error
	}{
		{"solved", func(map[string]any) {}, now, nil},
		{"in the last second", func(map[string]any) {}, now.Add(10*time.Minute - 1), nil},
		{"too late", func(map[string]any) {}, now.Add(10 * time.Minute), ErrExpired},
		{"other number", func(s map[string]any) { s["number"] = 1001 }, now, ErrWrong},
		{"negative number", func(s map[string]any) { s["number"] = -1 }, now, ErrWrong},
		{"fraction", func(s map[string]any) { s["number"] = 1.5 }, now, ErrWrong},
		{"no number", func(s map[string]any) { delete(s, "number") }, now, ErrWrong},
		{"other algorithm", func(s map[string]any) { s["algorithm"] = "SHA-1" }, now, ErrWrong},
		{"other salt", func(s map[string]any) { s["salt"] = "x" + s["salt"].(string) }, now, ErrWrong},
		{"longer life", func(s map[string]any) { s["salt"] = strings.Replace(s["salt"].(string), "expires=1", "expires=2", 1) }, now, ErrWrong},
		{"other challenge", func(s map[string]any) { s["challenge"] = strings.Repeat("0", 64) }, now, ErrWrong},
		{"upper case", func(s map[string]any) { s["challenge"] = strings.ToUpper("a" + s["challenge"].(string)[1:]) }, now, ErrWrong},
		{"other signature", func(s map[string]any) { s["signature"] = strings.Repeat("0", 64) }, now, ErrWrong},
		{"no signature", func(s map[string]any) { s["signature"] = "" }, now, ErrWrong},
		{"long salt", func(s map[string]any) { s["salt"] = strings.Repeat("x", 2000) }, now, ErrWrong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := issue(t, i)
			s := solve(t, c)
			tt.spoil(s)
			id, expires, err := i.Verify(encode(t, s), tt.at)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v", err)
			}
			if err == nil && (hex.EncodeToString(id[:]) != c.Challenge || !expires.Equal(now.Add(10*time.Minute))) {
				t.Errorf("got %x, %s", id, expires)
			}
		})
	}
}

// TestDigitsDoNotMove: a digit of the number that is moved into the salt would
// change the expiry, and must not.
func TestDigitsDoNotMove(t *testing.T) {
	i := New([]byte("key"))
	for range 20 {
		s := solve(t, issue(t, i))
		digits := strconv.Itoa(s["number"].(int))
		if len(digits) < 2 || digits[1] == '0' {
			continue
		}
		s["salt"] = s["salt"].(string) + digits[:1]
		s["number"] = json.Number(digits[1:])
		if _, _, err := i.Verify(encode(t, s), now); err == nil {
			t.Fatal("taken")
		}
	}
}

func TestForeignKeyAndGarbage(t *testing.T) {
	payload := encode(t, solve(t, issue(t, New([]byte("other")))))
	i := New([]byte("key"))
	for _, p := range []string{
		payload, "", "x", "====", encode(t, nil), encode(t, "x"), encode(t, map[string]any{"number": "x"}),
		strings.Repeat("A", MaxPayload+4), encode(t, map[string]any{"challenge": nil, "solution": nil, "test": true}),
	} {
		if _, _, err := i.Verify(p, now); !errors.Is(err, ErrWrong) {
			t.Errorf("%.20s: %v", p, err)
		}
	}
}

func TestChallengesDiffer(t *testing.T) {
	i := New([]byte("key"))
	seen := make(map[string]bool)
	for range 100 {
		c := issue(t, i)
		if seen[c.Challenge] || seen[c.Salt] {
			t.Fatal("a challenge came twice")
		}
		seen[c.Challenge], seen[c.Salt] = true, true
	}
	for _, cost := range []int{0, -1, MaxCost + 1} {
		if _, err := i.Challenge(cost, now); err == nil {
			t.Errorf("cost %d was taken", cost)
		}
	}
}

func FuzzVerify(f *testing.F) {
	i := New([]byte("key"))
	f.Add(encode(f, solve(f, issue(f, i))))
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, payload string) {
		if _, _, err := i.Verify(payload, now.Add(time.Hour)); err == nil {
			t.Error("nothing can be right after an hour")
		}
	})
}

// TestReference takes a solution of the reference implementation, altcha-lib
// 2.8.0, with the key "key".
func TestReference(t *testing.T) {
	const payload = "eyJhbGdvcml0aG0iOiJTSEEtMjU2IiwiY2hhbGxlbmdlIjoiMzlmMWM3OTg2NDk1M2QxNWYxMmFiMTg1MTIyMjkxYWE1MTc2M2M1" +
		"Nzk4N2M4NWQ3MDJiYzk3NjBjZGE1MjljZSIsIm51bWJlciI6MTIzLCJzYWx0IjoiMDAxMTIyMzM0NDU1NjY3Nzg4OTlhYWJiP2V4cGlyZXM9" +
		"MTgwMzg5MjIwMCYiLCJzaWduYXR1cmUiOiI5YzFmMWJkYTI0Yjk1NGQxZDlkZTJmMGI0YmQ1ODhiNDg1OTU4NjkwNjBmZWQzMTAxZmRlODYz" +
		"YjA5NzdhM2I0IiwidG9vayI6N30="
	i := New([]byte("key"))
	if _, expires, err := i.Verify(payload, now); err != nil || !expires.Equal(now.Add(10*time.Minute)) {
		t.Errorf("got %s, %v", expires, err)
	}
	if _, _, err := i.Verify(payload, now.Add(10*time.Minute)); !errors.Is(err, ErrExpired) {
		t.Errorf("got %v", err)
	}
}
