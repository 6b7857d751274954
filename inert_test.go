package caddyicalmail

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/templates"
	"golang.org/x/net/html"
)

// TestInertTemplates books through Caddy's own templates handler, which looks
// at every page that passes.
func TestInertTemplates(t *testing.T) {
	t.Setenv("TEST_ONLY_HERE", "leaked-value")
	h := newHandler(t, minimalDirective)
	capture(t, h)
	engine := &templates.Templates{}
	ctx, err := caddy.ProvisionContext(&caddy.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error { return h.ServeHTTP(w, r, notFound) })
	for _, name := range []string{"{{env `TEST_ONLY_HERE`}}", "{{.Req.Method}}", "{{", "a{{/*"} {
		w := httptest.NewRecorder()
		r := caddyhttp.PrepareRequest(post(formType, "email=ada%40example.net&start=2027-03-05T10%3A30&name=Ada"+url.QueryEscape(name)), caddy.NewReplacer(), w, nil)
		if err := engine.ServeHTTP(w, r, next); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		page := w.Body.String()
		if w.Code != http.StatusAccepted || strings.Contains(page, "leaked-value") {
			t.Errorf("%s: %d %s", name, w.Code, page)
		}
		if !strings.Contains(textOf(t, page), name) {
			t.Errorf("the page does not show %q as it was typed:\n%s", name, page)
		}
	}
}

// textOf is what a browser shows of a page.
func textOf(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for node := range root.Descendants() {
		if node.Type == html.TextNode && node.Parent.Data != "style" {
			text.WriteString(node.Data)
		}
	}
	return text.String()
}

func TestInert(t *testing.T) {
	for page, want := range map[string]string{
		"":                                      "",
		"plain":                                 "plain",
		"{{x}}":                                 "&#123;&#123;x&#125;&#125;",
		"<style>a{b}</style>{":                  "<style>a{b}</style>&#123;",
		"<style>a{b}":                           "<style>a{b}",
		"{<style>a{}</style>{<style>{</style>}": "&#123;<style>a{}</style>&#123;<style>{</style>&#125;",
	} {
		if got := string(inert([]byte(page))); got != want {
			t.Errorf("%q became %q, want %q", page, got, want)
		}
	}
}
