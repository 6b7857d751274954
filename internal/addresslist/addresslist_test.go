package addresslist

import (
	"fmt"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func address(t testing.TB, s string) booking.Address {
	t.Helper()
	a, err := booking.ParseAddress(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return a
}

func TestHas(t *testing.T) {
	var l List
	for _, entry := range []string{
		"trash.example", "Bücher.example", "Ada@Example.net", "j.doe+x@googlemail.com", "*.wild.example", ".dotted.example", ".zip", "@at.example",
	} {
		if err := l.Add(entry); err != nil {
			t.Fatalf("%s: %v", entry, err)
		}
	}
	if l.Len() != 8 {
		t.Errorf("%d entries", l.Len())
	}
	for who, want := range map[string]bool{
		"x@trash.example":         true,
		"x@TRASH.example":         true,
		"x@a.b.trash.example":     true,
		"x@nottrash.example":      false,
		"x@trash.example.com":     false,
		"x@xn--bcher-kva.example": true,
		"x@mail.bücher.example":   true,
		"ADA+tag@example.net":     true,
		"bob@example.net":         false,
		"jdoe@gmail.com":          true,
		"J.D.O.E+y@gmail.com":     true,
		"j.doe@example.com":       false,
		"x@wild.example":          true,
		"x@a.dotted.example":      true,
		"x@anything.zip":          true,
		"x@zip.example":           false,
		"x@at.example":            true,
	} {
		if got := l.Has(address(t, who)); got != want {
			t.Errorf("%s: %t", who, got)
		}
	}
	var empty List
	if empty.Has(address(t, "x@trash.example")) {
		t.Error("an empty list has an address")
	}
}

func TestAddRefuses(t *testing.T) {
	for _, entry := range []string{"", "trash", "a@b@c.example", "a b.example", "*", ".", "@", "*.", ".a..b", "ada@", "http://x.example/", strings.Repeat("x", 5000)} {
		var l List
		err := l.Add(entry)
		if err == nil || l.Len() > 0 {
			t.Errorf("%q was taken", entry)
		} else if len(entry) > 2 && strings.Contains(err.Error(), entry) {
			t.Errorf("the error repeats %q", entry)
		}
	}
}

func TestRead(t *testing.T) {
	var l List
	file := "\uFEFFtrash.example\r\n# disposable\r\n\r\n  spam.example\t# a comment\r\nada@example.net"
	if err := l.Read(strings.NewReader(file)); err != nil || l.Len() != 3 {
		t.Fatalf("%d entries, %v", l.Len(), err)
	}
	for file, want := range map[string]string{
		"a.example\nnonsense\n":                          "line 2",
		"a.example\n\n" + strings.Repeat("x", maxLine+1): "line 3",
	} {
		if err := new(List).Read(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestLongList reads as many lines as the lists of disposable services have.
func TestLongList(t *testing.T) {
	var file strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&file, "d%d.example\n", i)
	}
	var l List
	if err := l.Read(strings.NewReader(file.String())); err != nil || l.Len() != 100_000 {
		t.Fatalf("%d entries, %v", l.Len(), err)
	}
	who := address(t, "x@a.b.c.d99999.example")
	if !l.Has(who) {
		t.Error("the last entry is not found")
	}
	if n := testing.AllocsPerRun(100, func() { l.Has(who) }); n > 10 {
		t.Errorf("%v allocations for one look", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("trash.example\n#\r\nada@example.net")
	f.Add("\uFEFF.zip\n*.a.example")
	f.Fuzz(func(t *testing.T, file string) {
		var l List
		if err := l.Read(strings.NewReader(file)); err == nil {
			l.Has(address(t, "ada@mail.example.net"))
		}
	})
}
