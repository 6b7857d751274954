package integration_test

import (
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	"golang.org/x/net/html"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// linkedSite is a directive whose bookings are managed by links.
const linkedSite = `{
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file {$MAIL_DIR}
		base_url http://site.test
		manage /appointments
	}`

// siteTest is the base URL of linkedSite.
var siteTest = &url.URL{Scheme: "http", Host: "site.test"}

// linksOf are the links to a site in a mail's parts, and the mail's recipient.
func linksOf(t *testing.T, base *url.URL, raw []byte) (to string, links []string) {
	t.Helper()
	ours := regexp.MustCompile(base.Scheme + "://" + regexp.QuoteMeta(base.Host) + "[A-Za-z0-9_/-]+")
	root, err := message.Read(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	to = strings.Trim(afterLast(root.Header.Get("To"), " "), "<>")
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		mediaType, _, _ := e.Header.ContentType()
		if err != nil || strings.HasPrefix(mediaType, "multipart/") {
			return err
		}
		body, err := io.ReadAll(e.Body)
		links = append(links, ours.FindAllString(string(body), -1)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(links)
	return to, slices.Compact(links)
}

// waitLinks waits for n mails, and returns the one link that is in each, by
// recipient.
func waitLinks(t *testing.T, caddy *caddytest.Caddy, n int) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, raw := range caddy.WaitMails(t, n) {
		to, links := linksOf(t, siteTest, raw)
		if len(links) != 1 {
			t.Fatalf("the mail to %s has the links %v", to, links)
		}
		found[to] = links[0]
	}
	return found
}

// open fetches the page of a link.
func open(t *testing.T, caddy *caddytest.Caddy, link string) caddytest.Answer {
	t.Helper()
	return caddytest.Do(t, caddy.Client(), caddytest.Request(t, http.MethodGet, link, "", ""))
}

// press sends the form with an action of the page of a link.
func press(t *testing.T, caddy *caddytest.Caddy, link, action string, typed url.Values) caddytest.Answer {
	t.Helper()
	return pressAt(t, caddy.Client(), link, action, typed)
}

// pressAt is press for any client.
func pressAt(t *testing.T, client *http.Client, link, action string, typed url.Values) caddytest.Answer {
	t.Helper()
	page := caddytest.Do(t, client, caddytest.Request(t, http.MethodGet, link, "", ""))
	root, err := html.Parse(strings.NewReader(page.Body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data != "form" {
			continue
		}
		fields := url.Values{}
		for field := range node.Descendants() {
			if attribute(field, "type") == "hidden" {
				fields.Set(attribute(field, "name"), attribute(field, "value"))
			}
		}
		if fields.Get("action") == action {
			maps.Copy(fields, typed)
			return caddytest.Do(t, client, caddytest.Request(t, http.MethodPost, link,
				"application/x-www-form-urlencoded", fields.Encode()))
		}
	}
	t.Fatalf("the page of %s has no form to %s: %d\n%s", link, action, page.Status, page.Body)
	return caddytest.Answer{}
}

// TestLinksIgnoreHost books under names that are not the site's.
func TestLinksIgnoreHost(t *testing.T) {
	caddy := caddytest.Start(t, site("ical_invite /book "+linkedSite))
	r := caddytest.Request(t, http.MethodPost, "http://evil.example/book", "application/json",
		`{"name":"Ada","email":"ada@example.net","start":"`+booked().Format("2006-01-02T15:04:05Z")+`"}`)
	r.Header.Set("X-Forwarded-Host", "evil.example")
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("Forwarded", "host=evil.example")
	if a := caddytest.Do(t, caddy.Client(), r); a.Status != http.StatusAccepted || strings.Contains(a.Body, "/appointments") {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	for _, raw := range caddy.WaitMails(t, 2) {
		if strings.Contains(string(raw), "evil") {
			t.Errorf("a mail names the other host:\n%s", raw)
		}
	}
	waitLinks(t, caddy, 2)
}

// TestLinksLast opens links after a reload, a restart and a change of keys.
func TestLinksLast(t *testing.T) {
	home := caddytest.NewHome(t)
	config := site("ical_invite /book " + linkedSite)
	caddy := home.Start(t, config)
	if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusAccepted {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	link := waitLinks(t, caddy, 2)["ada@example.net"]
	check := func(when string) {
		t.Helper()
		if a := open(t, caddy, link); a.Status != http.StatusOK || !strings.Contains(a.Body, "Your appointment") {
			t.Errorf("%s: %d %s", when, a.Status, a.Body)
		}
	}
	check("at first")
	caddy.MustReload(config)
	check("after a reload")
	caddy.Kill()
	caddy = home.Start(t, config, "NEW_KEY="+strings.Repeat("k", 32))
	check("after a crash")
	caddy.MustReload("{\n\tical_invite {\n\t\tkey {env.NEW_KEY} stored\n\t}\n}\n" + config)
	check("with a new key")
	if a := press(t, caddy, link, "cancel", nil); a.Status != http.StatusOK {
		t.Fatalf("cancelling: %d %s", a.Status, a.Body)
	}
	caddy.MustReload("{\n\tical_invite {\n\t\tkey {env.NEW_KEY}\n\t}\n}\n" + config)
	if a := open(t, caddy, link); a.Status != http.StatusNotFound {
		t.Errorf("a link of a key that is gone: %d", a.Status)
	}
}

// TestLinksInRoutes has the directive in all kinds of places.
func TestLinksInRoutes(t *testing.T) {
	prefixed := strings.Replace(linkedSite, "http://site.test", "http://site.test/api", 1)
	for name, config := range map[string]string{
		"path matcher":    site("ical_invite /book " + linkedSite),
		"covered":         site("ical_invite /* " + linkedSite),
		"no matcher":      site("ical_invite " + linkedSite),
		"named matcher":   site("@post {\n\tmethod POST\n\tpath /book\n}\nical_invite @post " + linkedSite + "\nrespond 404"),
		"route":           site("route {\n\tical_invite /book " + linkedSite + "\n\trespond 404\n}"),
		"before a server": site("ical_invite /book " + linkedSite + "\nreverse_proxy localhost:1"),
		"app": site("handle /book {\n\tical_invite " + linkedSite + "\n}\nhandle /appointments/* {\n\tical_invite " + linkedSite +
			"\n}\nhandle {\n\ttry_files {path} /index.html\n\trespond 404\n}"),
		"app with one handle": site("@booking path /book /appointments/*\nhandle @booking {\n\tical_invite /book " + linkedSite +
			"\n}\nhandle {\n\trewrite * /index.html\n\trespond 404\n}"),
		"below a path": site("handle_path /api/* {\n\tical_invite /book " + prefixed + "\n}\nrespond 404"),
		"twice":        site("ical_invite /other " + strings.Replace(linkedSite, "grace@", "linus@", 1) + "\nical_invite /book " + linkedSite),
	} {
		t.Run(name, func(t *testing.T) {
			caddy := caddytest.Start(t, config)
			path := "/book"
			if name == "below a path" {
				path = "/api/book"
			}
			if a := caddy.PostJSON(path, jsonBooking("Ada")); a.Status != http.StatusAccepted {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			link := waitLinks(t, caddy, 2)["ada@example.net"]
			if a := open(t, caddy, link); a.Status != http.StatusOK || !strings.Contains(a.Body, "Dr. Grace Hopper") {
				t.Fatalf("%s: %d %s", link, a.Status, a.Body)
			}
			if a := press(t, caddy, link, "cancel", nil); a.Status != http.StatusOK || !strings.Contains(a.Body, "is cancelled") {
				t.Errorf("cancelling: %d %s", a.Status, a.Body)
			}
		})
	}
}
