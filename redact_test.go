package caddyicalmail

import (
	"errors"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
)

func TestRedact(t *testing.T) {
	got := redact(errors.New("RCPT: 550 5.1.1 <Ada.L@example.net>:\r\n user jörg@müller.de \u202eunknown " + strings.Repeat("x", 300)))
	if want := "RCPT: 550 5.1.1 <(address)>: user (address) unknown xxx"; !strings.HasPrefix(got, want) || len([]rune(got)) != maxReplyText {
		t.Errorf("got %q", got)
	}
}

// TestRedactRecipient: servers have many ways to repeat whom they refuse.
func TestRedactRecipient(t *testing.T) {
	recipient := mustAddress(t, "Ada.L+1@example.net")
	for reply, want := range map[string]string{
		"550 ada.l+1@EXAMPLE.net unknown":             "550 (address) unknown",
		"550 ADA.L+1: no such user":                   "550 (address): no such user",
		"550 'ada.l+1' is unknown, user=ada.l+1;":     "550 '(address)' is unknown, user=(address);",
		"550 see https://x.example/?who=ada%40b.net":  "550 see (address)",
		"550 <bounce+ada.l=40example.net@x.example>.": "550 <(address)>.",
		"550 ada.l＠example.net":                       "550 (address)",
		"550 xada.l+1x stays":                         "550 xada.l+1x stays",
		"421 4.7.0 try again later":                   "421 4.7.0 try again later",
		"":                                            "",
	} {
		if got := redact(errors.New(reply), recipient); got != want {
			t.Errorf("%q became %q, want %q", reply, got, want)
		}
	}
}

func TestRedactIsBounded(t *testing.T) {
	endless := errors.New(strings.Repeat("a@", 10<<20))
	if n := testing.AllocsPerRun(1, func() { redact(endless, mustAddress(t, "a@example.net")) }); n > 200 {
		t.Errorf("%.0f allocations", n)
	}
}

// TestFailureTextInFull: with log_pii the reply is logged as it is, but for
// what would break the line.
func TestFailureTextInFull(t *testing.T) {
	failure := &outbox.Failure{Err: errors.New("550 <ada@example.net>\r\nunknown")}
	if got := (&observer{pii: true}).failureText(failure); got != "550 <ada@example.net> unknown" {
		t.Errorf("got %q", got)
	}
	if got := (&observer{}).failureText(failure); got != "550 <(address)> unknown" {
		t.Errorf("got %q", got)
	}
}
