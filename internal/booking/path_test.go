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
	for _, s := range []string{"", "Name", "uid", "organizer"} {
		if _, err := ParseProperty(s); err == nil || !strings.Contains(err.Error(), "guests") {
			t.Errorf("ParseProperty(%q) = %v, want an error that lists the names", s, err)
		}
	}
}

func TestJSONValue(t *testing.T) {
	const body = `{"type":"booking.created","a.b":"dotted","n":1e3,"big":12345678901234567890,"yes":true,"no":false,"null":null,` +
		`"blank":" ","empty":"","list":["x",{"y":"z"}],"object":{"k/1":"slash"},"":"nameless"}`
	for path, want := range map[string]string{
		"type": "booking.created", "/type": "booking.created", "a.b": "dotted", "n": "1e3", "big": "12345678901234567890",
		"yes": "true", "no": "false", "blank": " ", "empty": "", "list.0": "x", "/list/1/y": "z", "/object/k~11": "slash",
	} {
		if got, ok := JSONValue([]byte(body), mustPath(t, path)); got != want || !ok {
			t.Errorf("%s: got %q, %t, want %q", path, got, ok, want)
		}
	}
	for _, path := range []string{"null", "list", "object", "absent", "list.2", "list.-1", "type.x", "a"} {
		if got, ok := JSONValue([]byte(body), mustPath(t, path)); got != "" || ok {
			t.Errorf("%s: got %q, %t, want nothing", path, got, ok)
		}
	}
	if got, ok := JSONValue([]byte(body), Path{}); ok {
		t.Errorf("no path: got %q", got)
	}
	for _, bad := range []string{"", "{", `["x"]`, `{"0":1,"0":2}`, `{"0":1}x`, `{"0":1,"x":` + strings.Repeat("[", 1000)} {
		if got, ok := JSONValue([]byte(bad), mustPath(t, "0")); ok {
			t.Errorf("%.20q: got %q", bad, got)
		}
	}
}
