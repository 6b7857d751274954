package integration_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

const publicExample = "examples/public-form/Caddyfile"

// TestPublicForm books, confirms, moves and cancels in the example of a form
// on the internet, by what its pages and mails say alone.
func TestPublicForm(t *testing.T) {
	caddy, home := startExample(t, publicExample)
	client := browser(t)
	fetch := func(r *http.Request) caddytest.Answer { return caddytest.Do(t, client, r) }
	page := fetch(caddytest.Request(t, http.MethodGet, home.String(), "", ""))
	form := findForm(t, home, page.Body)
	if form.fields.Get("form_token") == "" || form.fields.Get("website") != "" {
		t.Fatalf("the form's fields are %v", form.fields)
	}
	if a := fetch(form.request(t)); a.Status != http.StatusForbidden || !strings.Contains(a.Body, "too quickly") {
		t.Errorf("a form that was sent at once: %d %s", a.Status, a.Body)
	}
	caddytest.Eventually(t, "the form is old enough", func() bool {
		a := fetch(form.request(t))
		return a.Status == http.StatusAccepted && strings.Contains(a.Body, "Not booked yet")
	})

	_, links := linksOf(t, home, caddy.WaitMails(t, 1)[0])
	if len(links) != 1 || !strings.Contains(links[0], "/ical_invite/confirm/") {
		t.Fatalf("the confirmation's links are %v", links)
	}
	if a := pressAt(t, client, links[0], "confirm", nil); a.Status != http.StatusOK || !strings.Contains(a.Body, "is confirmed") {
		t.Fatalf("confirming: %d %s", a.Status, a.Body)
	}
	manage := map[string]string{}
	for _, raw := range caddy.WaitMails(t, 3) {
		if to, links := linksOf(t, home, raw); len(links) == 1 && strings.Contains(links[0], "/appointments/") {
			manage[to] = links[0]
		}
	}
	later := inBerlin(t, booked().AddDate(0, 0, 1)).Format("2006-01-02T15:04")
	if a := pressAt(t, client, manage["ada@example.net"], "move", url.Values{"start": {later}}); a.Status != http.StatusOK {
		t.Errorf("moving: %d %s", a.Status, a.Body)
	}
	caddy.WaitMails(t, 5)
	if a := pressAt(t, client, manage["grace@example.org"], "cancel", url.Values{"note": {"Sorry!"}}); a.Status != http.StatusOK {
		t.Errorf("cancelling: %d %s", a.Status, a.Body)
	}
	caddy.WaitMails(t, 7)
}

// TestPublicFormRefuses sends what robots and other sites send.
func TestPublicFormRefuses(t *testing.T) {
	caddy, home := startExample(t, publicExample)
	client := browser(t)
	page := caddytest.Do(t, client, caddytest.Request(t, http.MethodGet, home.String(), "", ""))
	for name, tt := range map[string]struct {
		field, value, origin string
		status               int
	}{
		"another site":  {"", "", otherOrigin, http.StatusForbidden},
		"no token":      {"form_token", "", "", http.StatusForbidden},
		"forged token":  {"form_token", "AWbYm43YBqA4AADxm7WtLmlKChy5LUDrFlBCTzSCJeBJyCJj", "", http.StatusForbidden},
		"no consent":    {"privacy", "", "", http.StatusUnprocessableEntity},
		"too soon":      {"start", booked().AddDate(0, -1, 0).Format("2006-01-02T15:04"), "", http.StatusUnprocessableEntity},
		"a trap":        {"website", "https://spam.example", "", http.StatusAccepted},
		"wrong address": {"email", "ada@", "", http.StatusUnprocessableEntity},
	} {
		t.Run(name, func(t *testing.T) {
			form := findForm(t, home, page.Body)
			if tt.field != "" {
				form.fields.Set(tt.field, tt.value)
			}
			r := form.request(t)
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if a := caddytest.Do(t, client, r); a.Status != tt.status {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	caddytest.Eventually(t, "a throw-away address is refused", func() bool {
		form := findForm(t, home, page.Body)
		form.fields.Set("email", "x@sub.Mailinator.com")
		return caddytest.Do(t, client, form.request(t)).Status == http.StatusUnprocessableEntity
	})
	if n := len(caddy.Mails(t)); n != 0 {
		t.Errorf("%d mails", n)
	}
}
