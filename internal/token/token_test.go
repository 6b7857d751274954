package token

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

var (
	now  = time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC)
	key1 = bytes.Repeat([]byte{1}, MinKey)
	key2 = bytes.Repeat([]byte{2}, MinKey)
)

func keyring(t testing.TB, keys ...[]byte) *Keyring {
	t.Helper()
	k, err := NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sample(subject string) Token {
	return Token{Purpose: ManageClient, Subject: subject, Sequence: 3, Issued: now.Local().Truncate(time.Second), Expires: now.Add(time.Hour).Local()}
}

func TestRoundTrip(t *testing.T) {
	k := keyring(t, key1)
	for _, subject := range []string{
		"", "x", "0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com", "0C6B3F0E-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com",
		"0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1", "{0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1}", "ümlaut\x00", strings.Repeat("x", 300),
	} {
		text := k.Sign(sample(subject))
		got, err := k.Verify(text, now, ManageClient)
		if err != nil || got.Subject != subject || got.Sequence != 3 || !got.Issued.Equal(now) || !got.Expires.Equal(now.Add(time.Hour)) {
			t.Errorf("%q: %+v, %v", subject, got, err)
		}
		if strings.ContainsFunc(text, func(r rune) bool {
			return !strings.ContainsRune("-_", r) && (r < '0' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a')
		}) {
			t.Errorf("%q is not safe in a URL", text)
		}
	}
}

// TestShort keeps links in plain text mails on one line.
func TestShort(t *testing.T) {
	text := keyring(t, key1).Sign(sample("0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com"))
	if len(text) > 76 {
		t.Errorf("%d characters: %s", len(text), text)
	}
}

func TestVerifyRefuses(t *testing.T) {
	k := keyring(t, key1)
	text := k.Sign(sample("a"))
	for name, tt := range map[string]struct {
		text    string
		purpose Purpose
		now     time.Time
		want    error
	}{
		"empty":           {"", ManageClient, now, ErrInvalid},
		"other purpose":   {text, ManageHost, now, ErrInvalid},
		"form's purpose":  {text, Form, now, ErrInvalid},
		"other key":       {keyring(t, key2).Sign(sample("a")), ManageClient, now, ErrInvalid},
		"padding":         {text + "=", ManageClient, now, ErrInvalid},
		"line break":      {text + "\n", ManageClient, now, ErrInvalid},
		"long":            {strings.Repeat("A", 5000), ManageClient, now, ErrInvalid},
		"at its end":      {text, ManageClient, now.Add(time.Hour), ErrExpired},
		"expired, forged": {text[:10] + "~" + text[11:], ManageClient, now.Add(2 * time.Hour), ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := k.Verify(tt.text, tt.now, tt.purpose); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// TestEveryBit changes each character and cuts the token at each place.
func TestEveryBit(t *testing.T) {
	k := keyring(t, key1)
	text := k.Sign(sample("0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com"))
	for i := range text {
		if _, err := k.Verify(text[:i], now, ManageClient); !errors.Is(err, ErrInvalid) {
			t.Errorf("cut at %d: %v", i, err)
		}
		for _, c := range "AQgw_-9z" {
			forged := text[:i] + string(c) + text[i+1:]
			if _, err := k.Verify(forged, now, ManageClient); forged != text && !errors.Is(err, ErrInvalid) {
				t.Errorf("changed at %d: %v", i, err)
			}
		}
	}
}

func TestRotation(t *testing.T) {
	before, after, over := keyring(t, key1), keyring(t, key2, key1), keyring(t, key2)
	text := before.Sign(sample("a"))
	if _, err := after.Verify(text, now, ManageClient); err != nil {
		t.Errorf("a link of the old key: %v", err)
	}
	if _, err := over.Verify(text, now, ManageClient); !errors.Is(err, ErrInvalid) {
		t.Errorf("a link of a key that is gone: %v", err)
	}
	if _, err := over.Verify(after.Sign(sample("a")), now, Form, ManageClient); err != nil {
		t.Errorf("the first key does not sign: %v", err)
	}
}

func TestKeys(t *testing.T) {
	if _, err := NewKeyring(); err == nil {
		t.Error("no key was taken")
	}
	if _, err := NewKeyring(key1, key2[1:]); err == nil {
		t.Error("a short key was taken")
	}
	k := keyring(t, key1)
	if bytes.Equal(k.Derive("a"), k.Derive("b")) || !bytes.Equal(k.Derive("a"), keyring(t, key1, key2).Derive("a")) {
		t.Error("derived keys are not by label and first key")
	}
}

func FuzzVerify(f *testing.F) {
	k := keyring(f, key1)
	f.Add(k.Sign(sample("0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com")))
	f.Add(k.Sign(sample("plain")))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := k.Verify(text, now, ManageClient)
		if err == nil && k.Sign(got) != text {
			t.Errorf("%q has a second spelling", text)
		}
	})
}

// FuzzPayload reads payloads as if they had been signed.
func FuzzPayload(f *testing.F) {
	s := sample("0c6b3f0e-8d0f-4d53-a4b4-9ef8d6f7e2a1@example.com")
	f.Add(s.appendPayload(nil))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = parsePayload(b) })
}
