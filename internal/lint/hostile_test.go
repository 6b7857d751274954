package lint

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// checkFindings holds for every answer: bounded, in order, fit to be printed,
// and nil when there is nothing.
func checkFindings(t *testing.T, f []Finding) {
	t.Helper()
	if f != nil && len(f) == 0 {
		t.Error("an empty answer is not nil")
	}
	if len(f) > 2*(maxPerRule+1)*60 {
		t.Errorf("there are %d findings", len(f))
	}
	for _, one := range f {
		if !utf8.ValidString(one.Text) || strings.ContainsFunc(one.Text, func(c rune) bool { return c < ' ' || bidi(c) }) {
			t.Errorf("this cannot be printed: %q", one.Text)
		}
		if len(one.Text) > 1000 || !quotedRule.MatchString(`"`+one.Rule+`"`) {
			t.Errorf("odd finding: %v", one)
		}
	}
}

// hostileSize is enough to make quadratic work show, and little enough for the
// race detector.
const hostileSize = 512 << 10

// hostile is input that costs much when something is not bounded.
func hostile() map[string][]byte {
	deep := strings.Builder{}
	for i := range 5_000 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	many := func(s string) []byte { return bytes.Repeat([]byte(s), hostileSize/len(s)) }
	head := "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	return map[string][]byte{
		"deep":      []byte(deep.String()),
		"parts":     append([]byte(head), many("--b\r\n\r\n")...),
		"lines":     append([]byte(head), many("\r\n")...),
		"headers":   many("A:b\r\n"),
		"folds":     append([]byte("A: b\r\n"), many(" x\r\n")...),
		"words":     append([]byte("Subject: "), many("=?utf-8?q?a?= \r\n ")...),
		"addresses": append([]byte("To: "), many("(((((a@b,\r\n ")...),
		"html":      append([]byte("Content-Type: text/html\r\n\r\n"), many(`<a "x>`)...),
		"qp":        append([]byte("Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"), many("=zz\r\n")...),
		"begin":     many("BEGIN:VEVENT\r\n"),
		"pairs":     many("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),
		"params":    append([]byte("BEGIN:VCALENDAR\r\nA"), many(";B=c,d")...),
		"escapes":   append([]byte("BEGIN:VCALENDAR\r\nSUMMARY:"), many(`\x`)...),
		"nothing":   make([]byte, hostileSize),
		"too big":   make([]byte, maxInput+1),
	}
}

// TestHostileInput gives generous time, because the machine that runs the
// tests may be busy, and the race detector is slow.
func TestHostileInput(t *testing.T) {
	for name, input := range hostile() {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			checkFindings(t, Mail(input, options))
			mail := time.Since(began)
			checkFindings(t, Calendar(input))
			t.Logf("mail %v, calendar %v", mail, time.Since(began)-mail)
			if spent := time.Since(began); spent > time.Minute {
				t.Errorf("took %v", spent)
			}
		})
	}
}

func TestTooBigIsOneFinding(t *testing.T) {
	big := make([]byte, maxInput+1)
	for _, f := range [][]Finding{Mail(big, options), Calendar(big), Successor(big, nil)} {
		if len(f) != 1 || f[0].Rule != "M9" {
			t.Errorf("got %v, want one M9", f)
		}
	}
}

func TestErrorsLeavesWarningsOut(t *testing.T) {
	warning := Finding{Rule: "H6", Severity: SeverityWarning, Text: "x"}
	failure := Finding{Rule: "H5", Severity: SeverityError, Text: "y"}
	if f := Errors([]Finding{warning}); f != nil {
		t.Errorf("got %v, want nil", f)
	}
	if f := Errors([]Finding{warning, failure}); len(f) != 1 || f[0] != failure {
		t.Errorf("got %v, want the error only", f)
	}
	if got, want := failure.String(), "error H5: y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzMail(f *testing.F) {
	good := read(f, request)
	f.Add([]byte(good), "zoe@client.example", "bounce@example.com")
	f.Add([]byte(read(f, cancel)), "", "")
	for _, m := range mailMutations {
		if len(m.new) < 1000 && m.base == request {
			f.Add([]byte(strings.ReplaceAll(good, m.old, m.new)), "", "")
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, recipient, sender string) {
		o := Options{Recipient: recipient, Sender: sender}
		first := Mail(raw, o)
		checkFindings(t, first)
		if !slices.Equal(first, Mail(raw, o)) {
			t.Error("the same mail was judged differently")
		}
		checkFindings(t, Successor([]byte(good), raw))
		checkFindings(t, Successor(raw, []byte(good)))
	})
}

func FuzzCalendar(f *testing.F) {
	for _, name := range []string{invite, revoke, local} {
		f.Add([]byte(read(f, name)))
	}
	for _, m := range calendarMutations {
		if len(m.new) < 1000 && m.old != "" {
			f.Add([]byte(strings.ReplaceAll(read(f, m.base), m.old, m.new)))
		}
	}
	f.Fuzz(func(t *testing.T, ics []byte) {
		first := Calendar(ics)
		checkFindings(t, first)
		if !slices.Equal(first, Calendar(ics)) {
			t.Error("the same object was judged differently")
		}
	})
}
