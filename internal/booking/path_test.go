package booking

import (
	"strings"
	"testing"
)

func mustPath(t testing.TB, s string) Path {
	t.Helper()
	p, err := ParsePath(s)
	if err != nil {
		t.Fatalf("ParsePath(%q): %v", s, err)
	}
	return p
}

func TestPathLookup(t *testing.T) {
	src, err := parseJSON([]byte(`{"a":{"b":[{"c":"deep"},"second"],"x/y":"slash","m~n":"tilde","":"empty"},
		"a.b":"literal","user[email]":"brackets","/p":"literal pointer","p":"pointed","null":null}`))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		path string
		want any
	}{
		{"a.b", "literal"}, {"a.b.0.c", "deep"}, {"/a/b/0/c", "deep"}, {"/a/b/1", "second"},
		{"/a/x~1y", "slash"}, {"/a/m~0n", "tilde"}, {"/a/", "empty"}, {"user[email]", "brackets"},
		{"/p", "literal pointer"}, {"p", "pointed"}, {"null", nil}, {"a.b.2", nil}, {"a.b.-1", nil},
		{"a.b.00.c", nil}, {"a.b.+0.c", nil}, {"/a/b/-", nil}, {"p.q", nil}, {"nothing", nil}, {"a..b", nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if got := src.find(mustPath(t, tt.path)); got != tt.want {
				t.Errorf("found %v, want %v", got, tt.want)
			}
		})
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, s := range []string{"", "a\nb", "a\xff", "/a~2", "/a~", strings.Repeat("a", 201), strings.Repeat("a.", 40)} {
		if p, err := ParsePath(s); err == nil || !p.IsZero() {
			t.Errorf("ParsePath(%q) = %q, %v, want an error", s, p, err)
		}
	}
	if p := mustPath(t, "a~b"); p.String() != "a~b" {
		t.Errorf("a field name may have a tilde, got %q", p)
	}
}

func TestParseProperty(t *testing.T) {
	for _, p := range properties {
		if got, err := ParseProperty(string(p)); got != p || err != nil {
			t.Errorf("ParseProperty(%q) = %q, %v", p, got, err)
		}
	}
	for _, s := range []string{"", "Name", "id", "organizer"} {
		if _, err := ParseProperty(s); err == nil || !strings.Contains(err.Error(), "guests") {
			t.Errorf("ParseProperty(%q) = %v, want an error that lists the names", s, err)
		}
	}
}
