package booking

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestCleanLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Ada Lovelace", "Ada Lovelace"},
		{"empty", "", ""},
		{"crlf", "Ada\r\nBcc: x", "Ada Bcc: x"},
		{"nul and tab", "a\x00b\tc", "a b c"},
		{"del and c1", "a\x7fb\u0085c\u009bd", "a b c d"},
		{"line separators", "a\u2028b\u2029c", "a b c"},
		{"bidi", "a\u202eb\u2066c\u200fd\u061ce", "abcde"},
		{"bom and annotation", "\ufeffa\ufff9b\ufffbc", "abc"},
		{"tags", "a\U000E0061\U000E007Fb", "ab"},
		{"soft hyphen, zero width space, word joiner", "a\u00adb\u200bc\u2060d", "abcd"},
		{"hangul filler", "a\u3164b\u115f\u1160\uffa0c", "abc"},
		{"unicode spaces", "\u00a0a\u3000\u2003b\u2800c\u1680 ", "a b c"},
		{"joiners stay", "👩\u200d🚀 می\u200cخواهم", "👩\u200d🚀 می\u200cخواهم"},
		{"invalid utf-8", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"surrogate bytes", "a\xed\xa0\x80b", "a\ufffdb"},
		{"noncharacter", "a\ufdd0\U0001ffffb", "a\ufffd\ufffdb"},
		{"nfc", "e\u0301", "é"},
		{"encoded word", "=?utf-8?q?x?=", "= ?utf-8?q?x?="},
		{"encoded word by cleaning", "=\u200b?x", "= ?x"},
		{"encoded word twice", "==??=?", "== ??= ?"},
		{"arabic number sign can be seen", "\u0600\u0661", "\u0600\u0661"},
		{"verbatim", `{env.HOME} {{.}} </script> "; PARTSTAT=ACCEPTED, 'x' \`, `{env.HOME} {{.}} </script> "; PARTSTAT=ACCEPTED, 'x' \`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CleanLine(tt.in); string(got) != tt.want {
				t.Errorf("CleanLine(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestCleanText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"breaks", "a\r\nb\rc\u2028d\u2029e\u0085f\ng", "a\nb\nc\nd\ne\nf\ng"},
		{"blank lines", "\n\n a \n\n \n\t\nb\n\n", "a\n\nb"},
		{"line is cleaned", "a\u202e  =?b", "a = ?b"},
		{"nothing", " \r\n ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := CleanText(tt.in); string(got) != tt.want {
				t.Errorf("CleanText(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDefang(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"url", "https://evil.example/x?y", "https evil. example/x?y"},
		{"www", "WWW.evil.nowhere", "WWW evil.nowhere"},
		{"subdomains", "www.shop.evil.example", "www shop.evil. example"},
		{"placeholder", "{env.HOME}", "{env.HOME}"},
		{"address", "me@evil.example", "me evil. example"},
		{"wide at", "me＠evil．example", "me evil． example"},
		{"ideographic dots", "evil。example｡com", "evil。 example｡ com"},
		{"punycode", "evil.xn--p1ai", "evil. xn--p1ai"},
		{"unicode domain", "пример.рф", "пример. рф"},
		{"digit before dot", "1und1.de", "1und1. de"},
		{"hyphen before dot", "a-.de", "a-. de"},
		{"joiner after dot", "evil.\u200cexample", "evil. \u200cexample"},
		{"title", "Dr.Müller", "Dr.Müller"},
		{"initials", "J.R.R. Tolkien", "J.R.R. Tolkien"},
		{"number", "3.5", "3.5"},
		{"time", "10:30", "10:30"},
		{"dots", "wait...what", "wait...what"},
		{"mailto", "mailto:x", "mailto x"},
		{"mailto with a space", "Mailto: x", "Mailto x"},
		{"javascript", "JavaScript:alert(1)", "JavaScript: alert(1)"},
		{"tel", "tel:+49301", "tel: +49301"},
		{"label", "Topic: tax", "Topic: tax"},
		{"brackets", "<a href=http://x.de>", "<a href=http x. de>"},
		{"doubled", "a:://b.cd@@e.fr", "a: b. cd e. fr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Defang(CleanLine(tt.in))
			if string(got) != tt.want {
				t.Errorf("Defang(%q) = %q, want %q", tt.in, got, tt.want)
			}
			checkLine(t, string(got))
			if again := Defang(got); again != got {
				t.Errorf("Defang(%q) = %q, want no change", got, again)
			}
		})
	}
}

// TestCleanIsLinear notices quadratic work: each of these takes milliseconds.
func TestCleanIsLinear(t *testing.T) {
	const size = 1 << 18
	for _, unit := range []string{"a", " ", "=?", "\u0301", "\xff", "\n", "a\n\n", "a.bc@", "://", "\u202e", "\u1100\u1161"} {
		in := strings.Repeat(unit, size/len(unit))
		began := time.Now()
		text := CleanText(in)
		Defang(CleanLine(in))
		Defang(CleanLine(string(text)))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("cleaning 256 kB of %q took %v", unit, took)
		}
	}
}

// checkLine fails unless s is what CleanLine promises.
func checkLine(t *testing.T, s string) {
	t.Helper()
	switch {
	case !utf8.ValidString(s):
		t.Errorf("%q is not valid UTF-8", s)
	case !norm.NFC.IsNormalString(s):
		t.Errorf("%q is not in NFC", s)
	case strings.Contains(s, "=?"):
		t.Errorf("%q contains =?", s)
	case strings.Contains(s, "  ") || strings.TrimSpace(s) != s:
		t.Errorf("%q has loose spaces", s)
	}
	for _, r := range s {
		switch {
		case r == zwj || r == zwnj || unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		case r != ' ' && unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			t.Errorf("%q contains %U", s, r)
		}
	}
}

func FuzzCleanLine(f *testing.F) {
	for _, s := range []string{"", "a\r\nb", "=\u200b?", "e\u0301\u0344", "\xff\xfe", "\u1100\u1161\u11a8", "a.bc:d://e@f=?", "\u0340=\u0338?", strings.Repeat("\u0301", 70)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := CleanLine(s)
		checkLine(t, string(line))
		if again := CleanLine(string(line)); again != line {
			t.Errorf("cleaning %q again gives %q", line, again)
		}
		safe := Defang(line)
		checkLine(t, string(safe))
		if again := Defang(safe); again != safe {
			t.Errorf("defanging %q again gives %q", safe, again)
		}
		text := CleanText(s)
		for l := range strings.SplitSeq(string(text), "\n") {
			checkLine(t, l)
		}
		if again := CleanText(string(text)); again != text {
			t.Errorf("cleaning %q again gives %q", text, again)
		}
	})
}
