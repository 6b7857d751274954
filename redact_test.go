package caddyicalmail

import (
	"errors"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	got := redact(errors.New("RCPT: 550 5.1.1 <Ada.L@example.net>:\r\n user jörg@müller.de \u202eunknown " + strings.Repeat("x", 300)))
	if want := "RCPT: 550 5.1.1 <(address)>: user (address) unknown xxx"; !strings.HasPrefix(got, want) || len([]rune(got)) != maxReplyText {
		t.Errorf("got %q", got)
	}
}
