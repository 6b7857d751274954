package integration_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/browsertest"
)

// fields are the data of a page, by name.
type fields map[string]any

// appointment is one as pages show it, with long and with foreign words.
func appointment(role string) fields {
	person := func(name, address string) fields { return fields{"Name": name, "Address": address} }
	return fields{
		"Role": role, "Start": time.Date(2027, time.March, 5, 10, 30, 0, 0, time.UTC),
		"Summary": "Augusta Ada King, Countess of Lovelace, and Dr. Grace Brewster Murray Hopper",
		"Date":    "Friday, 5 March 2027", "Time": "10:30 – 11:30", "Zone": "Europe/Berlin (CET, UTC+01:00)",
		"Repeats": "Every week, 5 times", "Expires": "Monday, 1 March 2027, 10:15 (CET)",
		"Location":    "https://meet.example.com/" + strings.Repeat("a-long-room-name-", 8),
		"LocationURL": "https://meet.example.com/",
		"Description": "Please bring your card.\nRing twice.",
		"Client":      person("عدا لوفلايس", strings.Repeat("ada", 15)+"@example.net"),
		"Host":        person("Dr. Grace Hopper", "grace@example.org"),
		"Guests":      []fields{person("Charles", "charles@example.net")},
		"Extra":       []fields{{"Label": "Telephone", "Value": "+44 20 7946 0000"}},
		"Notes":       "First visit.\nשלום " + strings.Repeat("x", 80),
	}
}

// manageable is an appointment that can be moved and cancelled, after an
// action that failed.
func manageable(role, failed, field string) fields {
	return fields{
		"Title": "Your appointment", "Event": appointment(role), "State": "confirmed", "Token": "token",
		"Problem": "Nothing has been changed.", "Open": failed, "Note": "Sorry!",
		"Errors":  []fields{{"Field": field, "Detail": "is not as it should be"}},
		"CanMove": true, "CanCancel": true, "OtherSide": "Dr. Grace Hopper",
		"Start": "2027-03-05T10:30", "Earliest": "2027-03-01T09:00", "Latest": "", "Zone": "Europe/Berlin",
		"Add": fields{
			"File": "/x.ics", "Google": "https://example.com/g", "Outlook": "https://example.com/o",
			"Office365": "https://example.com/m", "Yahoo": "https://example.com/y",
		},
	}
}

// looks are pages in states that take some doing to get to.
func looks() map[string]fields {
	wrong := []fields{{"Field": "start", "Detail": "is in the past"}, {"Field": "email", "Detail": "is missing"}}
	client := appointment("client")
	return map[string]fields{
		"page_thanks.html":        {"Title": "Your booking", "Event": client, "Warnings": wrong},
		"page_error.html":         {"Title": "Your booking could not be taken", "Detail": "Some of the details need to be corrected.", "Errors": wrong},
		"page_pending.html":       {"Title": "Please confirm your booking", "Event": client, "Warnings": wrong},
		"page_confirm.html":       {"Title": "Confirm your booking", "Event": client, "Token": "token", "Problem": "Somebody else was faster."},
		"page_link.html":          {"Title": "This link does not work", "Detail": "It has expired."},
		"page_manage.html":        manageable("client", "move", "start"),
		"page_manage.html#cancel": manageable("host", "cancel", "note"),
		"page_manage.html#cancelled": {
			"Title": "Your appointment", "Event": appointment("host"), "State": "cancelled", "Done": "The appointment has been cancelled.",
		},
		"page_manage.html#past":    {"Title": "Your appointment", "Event": client, "State": "past"},
		"page_manage.html#pending": {"Title": "Your appointment", "Event": client, "State": "pending"},
	}
}

// TestPagesLook has the built-in templates judged in states that a visit to
// the site (TestBrowser) does not lead to.
func TestPagesLook(t *testing.T) {
	need(t, "chromium")
	need(t, "axe-core")
	pages := servePages(t)
	browser := browsertest.Start(t)
	for page := range looks() {
		address := pages.URL + "/" + strings.ReplaceAll(page, "#", "/")
		if status := browser.Open(address); status != http.StatusOK {
			t.Fatalf("%s: status %d", page, status)
		}
		browser.Judge(strings.NewReplacer(".html", "", "#", "-").Replace(page))
	}
}

// servePages serves the built-in templates with their policy.
func servePages(t *testing.T) *httptest.Server {
	t.Helper()
	const dir = "../templates"
	css, err := os.ReadFile(filepath.Join(dir, "page.css"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(css)
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	templates := template.New("").Funcs(template.FuncMap{"css": func() template.CSS { return template.CSS(css) }})
	if templates, err = templates.ParseGlob(filepath.Join(dir, "page_*.html")); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, state, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		if state != "" {
			state = "#" + state
		}
		w.Header().Set("Content-Security-Policy", policy)
		if err := templates.ExecuteTemplate(w, page, looks()[page+state]); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// TestBrowserRunsNoScripts makes sure that the pages work without scripts
// because they do, and not because the browser runs them after all.
func TestBrowserRunsNoScripts(t *testing.T) {
	need(t, "chromium")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<p>as it was</p><noscript>no scripts</noscript><script>document.body.innerText = "changed"</script>`))
	}))
	t.Cleanup(server.Close)
	browser := browsertest.Start(t)
	browser.Open(server.URL)
	browser.Has("as it was", "no scripts")
	browser.Lacks("changed")
}
