package booking

import (
	"encoding/json"
	"errors"
	"net/mail"
	"net/url"
	"strings"
	"testing"
	"unicode"
)

func mustAddress(t testing.TB, s string) Address {
	t.Helper()
	a, err := ParseAddress(s)
	if err != nil {
		t.Fatalf("ParseAddress(%q): %v", s, err)
	}
	return a
}

func TestParseAddress(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "ada@example.com", "ada@example.com"},
		{"spaces around", " ada@example.com\r\n", "ada@example.com"},
		{"domain case", "Ada@EXAMPLE.Com", "Ada@example.com"},
		{"atext", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"idn", "ada@müller.example", "ada@xn--mller-kva.example"},
		{"idn decomposed", "ada@mu\u0308ller.example", "ada@xn--mller-kva.example"},
		{"sharp s is no ss", "ada@straße.example", "ada@xn--strae-oqa.example"},
		{"ideographic dot", "ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"},
		{"a-label", "ada@XN--MLLER-kva.example", "ada@xn--mller-kva.example"},
		{"hyphens", "ada@my--company.example", "ada@my--company.example"},
		{"local part", "jürgen@example.com", "jürgen@example.com"},
		{"local part decomposed", "ju\u0308rgen@example.com", "jürgen@example.com"},
		{"hindi", "संपर्क@example.com", "संपर्क@example.com"},
		{"longest local part", strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64) + "@example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mustAddress(t, tt.in).String(); got != tt.want {
				t.Errorf("ParseAddress(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	label := strings.Repeat("a", 63)
	tests := []struct {
		name, in string
		want     error
	}{
		{"empty", " ", errAddressShape},
		{"no at", "example.com", errAddressNoAt},
		{"two ats", "a@b@example.com", errAddressTwoAt},
		{"no local part", "@example.com", errAddressShape},
		{"no domain", "a@", errAddressDomain},
		{"display name", "Ada <ada@example.com>", errAddressPlain},
		{"comment", "ada(x)@example.com", errAddressPlain},
		{"quoted", `"a b"@example.com`, errAddressPlain},
		{"literal", "ada@[127.0.0.1]", errAddressPlain},
		{"route", "@a.example:b@example.com", errAddressTwoAt},
		{"list", "a@example.com, b@example.com", errAddressTwoAt},
		{"space", "a b@example.com", errAddressRune},
		{"crlf", "a\r\nb@example.com", errAddressRune},
		{"crlf after", "a@example.com\r\nBcc: x", errAddressDomain},
		{"nul", "a\x00@example.com", errAddressRune},
		{"invalid utf-8", "a\xff@example.com", errAddressShape},
		{"bidi", "a\u202eb@example.com", errAddressRune},
		{"joiner", "a\u200db@example.com", errAddressRune},
		{"filler", "a\u3164@example.com", errAddressRune},
		{"variation selector", "a\ufe0f@example.com", errAddressRune},
		{"mark first", "\u0301a@example.com", errAddressRune},
		{"emoji", "🎉@example.com", errAddressRune},
		{"full width", "ａda@example.com", errAddressRune},
		{"full-width at", "ada＠example.com", errAddressNoAt},
		{"dots", "a..b@example.com", errAddressDots},
		{"dot first", ".a@example.com", errAddressDots},
		{"one label", "a@localhost", errAddressDomain},
		{"trailing dot", "a@example.com.", errAddressDomain},
		{"empty label", "a@example..com", errAddressDomain},
		{"numeric top", "a@127.0.0.1", errAddressDomain},
		{"underscore", "a@ex_ample.com", errAddressDomain},
		{"hyphen first", "a@-example.com", errAddressDomain},
		{"hyphen last", "a@example-.com", errAddressDomain},
		{"invisible in domain", "a@exa\u00admple.com", errAddressDomain},
		{"bidi in domain", "a@exa\u202emple.com", errAddressDomain},
		{"fake a-label", "a@xn--a.example", errAddressDomain},
		{"smtp parameters", "a@example.com> NOTIFY=NEVER", errAddressPlain},
		{"long label", "a@" + label + "a.com", errAddressDomain},
		{"long local part", strings.Repeat("a", 65) + "@example.com", errAddressLocal},
		{"300 characters", "a@" + strings.Repeat("b.", 149) + "com", errAddressLength},
		{"255 octets", strings.Repeat("a", 55) + "@" + label + "." + label + "." + label + ".example", errAddressLength},
		{"1 MB", strings.Repeat("é", 1<<19) + "@example.com", errAddressLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := ParseAddress(tt.in)
			if !errors.Is(err, tt.want) || !a.IsZero() {
				t.Errorf("ParseAddress(%.60q) = %q, %v, want %v", tt.in, a, err, tt.want)
			}
		})
	}
}

func TestAddressForms(t *testing.T) {
	tests := []struct{ in, display, fold, mailbox, uri string }{
		{"Ada@example.com", "Ada@example.com", "ada@example.com", "ada@example.com", "mailto:Ada@example.com"},
		{"Ada+Tag@example.com", "Ada+Tag@example.com", "ada+tag@example.com", "ada@example.com", "mailto:Ada+Tag@example.com"},
		{"+a@example.com", "+a@example.com", "+a@example.com", "+a@example.com", "mailto:+a@example.com"},
		{"a@müller.example", "a@müller.example", "a@xn--mller-kva.example", "a@xn--mller-kva.example", "mailto:a@xn--mller-kva.example"},
		{"JÜRGEN@example.com", "JÜRGEN@example.com", "jürgen@example.com", "jürgen@example.com", "mailto:J%C3%9CRGEN@example.com"},
		{"σς@example.com", "σς@example.com", "σσ@example.com", "σσ@example.com", "mailto:%CF%83%CF%82@example.com"},
		{"!#$%&'*+-/=?^_`{|}~@x.yz", "!#$%&'*+-/=?^_`{|}~@x.yz", "!#$%&'*+-/=?^_`{|}~@x.yz", "!#$%&'*@x.yz",
			"mailto:!%23$%25%26'*+-%2F%3D%3F%5E_%60%7B%7C%7D~@x.yz"},
		{"a@аррӏе.com", "a@xn--80ak6aa92e.com", "a@xn--80ak6aa92e.com", "a@xn--80ak6aa92e.com", "mailto:a@xn--80ak6aa92e.com"},
		{"a@gооgle.com", "a@xn--ggle-55da.com", "a@xn--ggle-55da.com", "a@xn--ggle-55da.com", "mailto:a@xn--ggle-55da.com"},
		{"a@пример.рф", "a@пример.рф", "a@xn--e1afmkfd.xn--p1ai", "a@xn--e1afmkfd.xn--p1ai", "mailto:a@xn--e1afmkfd.xn--p1ai"},
		{"a@食べ物.jp", "a@食べ物.jp", "a@xn--59j689q5dya.jp", "a@xn--59j689q5dya.jp", "mailto:a@xn--59j689q5dya.jp"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			a := mustAddress(t, tt.in)
			for name, pair := range map[string][2]string{
				"Display": {a.Display(), tt.display}, "Fold": {a.Fold(), tt.fold},
				"Mailbox": {a.Mailbox(), tt.mailbox}, "URI": {a.URI(), tt.uri},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s() = %q, want %q", name, pair[0], pair[1])
				}
			}
		})
	}
}

func TestNeedsSMTPUTF8(t *testing.T) {
	if mustAddress(t, "a@müller.example").NeedsSMTPUTF8() {
		t.Error("an ASCII local part needs no SMTPUTF8, whatever the domain")
	}
	if !mustAddress(t, "ü@example.com").NeedsSMTPUTF8() {
		t.Error("a local part that is not ASCII needs SMTPUTF8")
	}
}

func TestZeroAddress(t *testing.T) {
	var a Address
	if got := a.String() + a.Display() + a.Fold() + a.Mailbox() + a.URI() + a.Domain(); got != "" {
		t.Errorf("the zero address shows as %q", got)
	}
	data, err := json.Marshal(Person{})
	if err != nil || string(data) != `{"address":""}` {
		t.Errorf("marshaled to %s, %v", data, err)
	}
	p := Person{Address: mustAddress(t, "a@example.com")}
	if err := json.Unmarshal(data, &p); err != nil || !p.Address.IsZero() {
		t.Errorf("unmarshaled to %v, %v", p, err)
	}
}

func TestAddressJSON(t *testing.T) {
	want := Person{Address: mustAddress(t, "jürgen@müller.example"), Name: "J"}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Person
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("%s became %v, %v", data, got, err)
	}
	if err := json.Unmarshal([]byte(`{"address":"a@b> NOTIFY=NEVER"}`), &got); err == nil {
		t.Error("a stored address was not validated again")
	}
}

// TestFoldCaseIsStable proves that folding a fold changes nothing, for every
// character there is.
func TestFoldCaseIsStable(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		once := foldCase(string(r))
		if twice := foldCase(once); twice != once {
			t.Errorf("%U folds to %q and then to %q", r, once, twice)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"ada@example.com", "jürgen+x@müller.example", "a@xn--mller-kva.example", `"a b"@c.d`, "a@b@c.d",
		"a@[1.2.3.4]", "<a@b.c>", "संपर्क@उदाहरण.भारत", "a@b\u3002c", "%/?#[]&;=@b.cd", "a@xn--.com", "ﬁ@b.c",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			if !a.IsZero() {
				t.Errorf("%q is refused but not zero", s)
			}
			return
		}
		checkAddress(t, a)
	})
}

// checkAddress fails unless a is what ParseAddress promises.
func checkAddress(t *testing.T, a Address) {
	t.Helper()
	s := a.String()
	if len(s) > maxAddress || strings.ContainsAny(s, " \r\n\t<>\"(),:;\\\x00\x7f") || strings.Count(s, "@") != 1 {
		t.Errorf("%q must not be accepted", s)
	}
	if again, err := ParseAddress(s); err != nil || again != a {
		t.Errorf("%q reads back as %q, %v", s, again, err)
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		t.Errorf("net/mail reads %q as %v, %v", s, parsed, err)
	}
	if u, err := url.Parse(a.URI()); err != nil || u.Scheme != "mailto" || u.RawQuery != "" || u.Fragment != "" {
		t.Errorf("%q is not a mailto URI: %v", a.URI(), err)
	} else if back, err := url.PathUnescape(u.Opaque); err != nil || back != s {
		t.Errorf("%q decodes to %q, %v", a.URI(), back, err)
	}
	for _, form := range []string{a.Display(), a.Fold(), a.Mailbox()} {
		if strings.Count(form, "@") != 1 || strings.ContainsFunc(form, isInvisible) {
			t.Errorf("%q has the form %q", s, form)
		}
	}
}
