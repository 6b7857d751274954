package caddyicalmail

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func TestPagePolicy(t *testing.T) {
	own := t.TempDir()
	write(t, own, "page.css", "\uFEFFbody { color: red }\r\n\rp { margin: 0 }\r")
	for name, tt := range map[string]struct {
		dir, page string
		want      []string
		not       []string
	}{
		"answer":     {"", "page_thanks.html", []string{"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'self'"}, []string{"img-src", " 'self'; img", "unsafe", "script-src"}},
		"action":     {"", "page_manage.html", []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"}, []string{"img-src", "unsafe", "script-src"}},
		"own answer": {own, "page_error.html", []string{"default-src 'none'", "' 'self'; img-src 'self' data:; font-src 'self'", "form-action 'none'"}, []string{"unsafe", "script-src"}},
		"own action": {own, "page_confirm.html", []string{"form-action 'self'", "font-src 'self'", "frame-ancestors 'none'"}, []string{"unsafe", "script-src"}},
	} {
		t.Run(name, func(t *testing.T) {
			sample := samplePages(tt.page)[0]
			w := renderPage(t, mustPages(t, tt.dir), tt.page, sample)
			policy := w.Header().Get("Content-Security-Policy")
			_, style, _ := strings.Cut(w.Body.String(), "<style>")
			style, _, _ = strings.Cut(style, "</style>")
			sum := sha256.Sum256([]byte(style))
			for _, s := range append(tt.want, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
				if !strings.Contains(policy, s) {
					t.Errorf("%s is missing in %s", s, policy)
				}
			}
			for _, s := range tt.not {
				if strings.Contains(policy, s) {
					t.Errorf("%s is in %s", s, policy)
				}
			}
			if strings.ContainsAny(style, "\r\uFEFF") {
				t.Errorf("a browser would normalize %q before it takes the hash", style)
			}
		})
	}
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOwnPages(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ".hidden", "not a page")
	write(t, dir, "page_base.html", `{{define "head"}}<header>Practice</header><style>{{css}}</style>{{end}}{{define "foot"}}{{end}}`)
	write(t, dir, "page_thanks.html", `{{define "leaf"}}-{{end}}{{template "head" .}}Thank you, {{.Event.Client.Name}}!`)
	t.Setenv("PAGES_TEST_DIR", dir)
	p := mustPages(t, "{env.PAGES_TEST_DIR}")
	event := pageEvent(t, booking.RoleClient)
	event.Client.Name = "<Ada>"
	thanks := renderPage(t, p, "page_thanks.html", &page{Event: event}).Body.String()
	if !strings.HasPrefix(thanks, "<header>Practice</header>") || !strings.HasSuffix(thanks, "Thank you, &lt;Ada&gt;!") {
		t.Errorf("got %q", thanks)
	}
	pending := renderPage(t, p, "page_pending.html", &page{Title: "Pending", Event: event}).Body.String()
	for _, s := range []string{"<header>Practice</header>", "Not booked yet", `class="leaf"`, "color-scheme"} {
		if !strings.Contains(pending, s) {
			t.Errorf("%q is missing in the page that was not replaced", s)
		}
	}
}

// TestDocumentedPage loads the example of docs/templates.md.
func TestDocumentedPage(t *testing.T) {
	docs, err := os.ReadFile("docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	const first, last = "    {{define \"head\" -}}\n", "\n    {{end}}\n"
	_, example, ok := strings.Cut(string(docs), first)
	if !ok {
		t.Fatal("there is no example")
	}
	example = first + example[:strings.LastIndex(example, last)+len(last)]
	dir := t.TempDir()
	write(t, dir, "page_base.html", strings.ReplaceAll(example, "\n    ", "\n"))
	text := renderPage(t, mustPages(t, dir), "page_link.html", &page{Title: "A title"}).Body.String()
	checkSays(t, text, []string{"<title>A title</title>", "/logo.svg", "</html>", "--accent"}, nil)
}

func TestPagesRefused(t *testing.T) {
	for name, tt := range map[string]struct{ file, text, want string }{
		"misspelled":  {"page_thank.html", "x", `no page "page_thank.html" to replace: the names are page.css, page_base.html`},
		"other file":  {"logo.svg", "x", "page_manage.html, page_parts.html"},
		"syntax":      {"page_manage.html", "{{if}}", "page_manage.html"},
		"unknown":     {"page_manage.html", "{{.Nonsense}}", "trying out page_manage.html"},
		"some state":  {"page_manage.html", "{{if eq .State `past`}}{{.Event.Nonsense}}{{end}}", "trying out page_manage.html"},
		"no event":    {"page_link.html", "{{.Event.When}}", "trying out page_link.html"},
		"needed part": {"page_parts.html", `{{define "problems"}}{{end}}`, "trying out"},
		"bad context": {"page_confirm.html", `<a href='{{if .Title}}"{{else}}'{{end}}>`, "page_confirm.html"},
		"not text":    {"page.css", "a\xff", "not UTF-8"},
		"nul":         {"page.css", "a\x00", "not UTF-8"},
		"too large":   {"page.css", strings.Repeat("x", maxPageFile+1), "larger than"},
		"only hidden": {".page.css", "x", "holds no pages: the names are"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.file, tt.text)
			_, err := loadPages(&TemplateFiles{Pages: dir}, caddy.NewReplacer())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	t.Run("a directory for a file", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "page_link.html"), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := loadPages(&TemplateFiles{Pages: dir}, caddy.NewReplacer()); err == nil {
			t.Error("no error")
		}
	})
	for _, dir := range []string{filepath.Join(t.TempDir(), "missing"), "{env.PAGES_TEST_UNSET}"} {
		if _, err := loadPages(&TemplateFiles{Pages: dir}, caddy.NewReplacer()); err == nil {
			t.Errorf("%s: no error", dir)
		}
	}
}

func TestTemplateOption(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "page_link.html", "{{.Title}}")
	write(t, dir, "text.txt", "{{.ConfirmURL}}")
	with := func(options string) string {
		return strings.Replace(minimalDirective, "timezone", options+"\n\ttimezone", 1)
	}
	pages := t.TempDir()
	write(t, pages, "page_link.html", "{{.Title}}")
	file := filepath.Join(dir, "text.txt")
	for name, tt := range map[string]struct{ options, want string }{
		"all": {"template pages " + pages + "\ntemplate confirm_subject " + file + "\ntemplate confirm_text " + file +
			"\ntemplate confirm_html " + file, ""},
		"unknown":          {"template page " + pages, "pages, not for"},
		"twice":            {"template pages " + pages + "\ntemplate pages " + pages, "template pages"},
		"no directory":     {"template pages", "argument"},
		"too many":         {"template pages a b", "argument"},
		"misspelled file":  {"template pages " + dir, "text.txt"},
		"missing template": {"template confirm_html " + filepath.Join(dir, "missing"), "reading template"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := provisionHandler(t, with(tt.options))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got := renderPage(t, h.pages, "page_link.html", &page{Title: "own"}).Body.String(); got != "own" {
					t.Errorf("got %q", got)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
