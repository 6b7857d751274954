package integration_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

const (
	// appOrigin is where the single-page app is served from, if not here.
	appOrigin   = "https://app.example.com"
	otherOrigin = "https://evil.example.com"
)

// appBooking is what the app's script makes of its form: an instant instead of
// a local time, and the zone.
func appBooking(t *testing.T, form *webForm) string {
	t.Helper()
	data := map[string]string{"timezone": "America/New_York"}
	for name := range form.fields {
		data[name] = form.fields.Get(name)
	}
	data["start"] = booked().Format("2006-01-02T15:04:05.000Z") // Date.toISOString
	body, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// app is the running example with its client.
type app struct {
	caddy  *caddytest.Caddy
	client *http.Client
	home   *url.URL
	api    string
	form   *webForm
}

func startApp(t *testing.T) *app {
	t.Helper()
	a := &app{client: browser(t)}
	a.caddy, a.home = startExample(t, appExample)
	a.form = findForm(t, a.home, a.send(t, http.MethodGet, a.home.String(), "", nil).Body)
	api, err := a.home.Parse(a.form.api)
	if err != nil {
		t.Fatal(err)
	}
	a.api = api.String()
	return a
}

// send sends a request with further header fields. A body is JSON.
func (a *app) send(t *testing.T, method, target, body string, header map[string]string) caddytest.Answer {
	t.Helper()
	r := caddytest.Request(t, method, target, "", body)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	return caddytest.Do(t, a.client, r)
}

// TestAppBooks books from the site's own page and from the allowed origin.
func TestAppBooks(t *testing.T) {
	for _, name := range []string{"own page", "other origin"} {
		t.Run(name, func(t *testing.T) {
			a := startApp(t)
			origin := a.home.Scheme + "://" + a.home.Host
			if name == "other origin" {
				origin = appOrigin
			}
			answer := a.send(t, http.MethodPost, a.api, appBooking(t, a.form), map[string]string{"Origin": origin})
			var booking struct{ UID, Status, Start, End string }
			if err := json.Unmarshal([]byte(answer.Body), &booking); err != nil || answer.Status != http.StatusAccepted {
				t.Fatalf("booking from %s: %d %s (%v)", origin, answer.Status, answer.Body, err)
			}
			if start, err := time.Parse(time.RFC3339, booking.Start); err != nil || !start.Equal(booked()) || booking.UID == "" {
				t.Errorf("the answer is %s", answer.Body)
			}
			checkExampleMails(t, a.caddy.WaitMails(t, 2), "Ada and Dr. Grace Hopper", booked(), time.Hour)
		})
	}
}

// TestAppCORS asks as browsers do before and after they let the script of
// another origin read an answer.
func TestAppCORS(t *testing.T) {
	a := startApp(t)
	for origin, allowed := range map[string]string{appOrigin: appOrigin, otherOrigin: ""} {
		preflight := a.send(t, http.MethodOptions, a.api, "", map[string]string{
			"Origin":                         origin,
			"Access-Control-Request-Method":  http.MethodPost,
			"Access-Control-Request-Headers": "content-type",
		})
		checkAllowed(t, "the preflight from "+origin, preflight, allowed)
		if methods := preflight.Header.Get("Access-Control-Allow-Methods"); (methods == http.MethodPost) != (allowed != "") {
			t.Errorf("the preflight from %s allows the methods %q", origin, methods)
		}
		headers := preflight.Header.Get("Access-Control-Allow-Headers")
		if strings.EqualFold(headers, "Content-Type") != (allowed != "") {
			t.Errorf("the preflight from %s allows the headers %q", origin, headers)
		}
		// The app has to be able to read a refusal as well.
		for body, status := range map[string]int{
			appBooking(t, a.form): http.StatusAccepted, `{"name":"Ada"}`: http.StatusUnprocessableEntity,
		} {
			answer := a.send(t, http.MethodPost, a.api, body, map[string]string{"Origin": origin})
			if answer.Status != status {
				t.Errorf("POST from %s: %d, want %d: %s", origin, answer.Status, status, answer.Body)
			}
			checkAllowed(t, "the POST from "+origin, answer, allowed)
		}
	}
}

func checkAllowed(t *testing.T, what string, answer caddytest.Answer, want string) {
	t.Helper()
	if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
		t.Errorf("%s: Access-Control-Allow-Origin is %q, want %q", what, got, want)
	}
	if !strings.Contains(answer.Header.Get("Vary"), "Origin") {
		t.Errorf("%s: Vary is %q, so a cache may mix up origins", what, answer.Header.Get("Vary"))
	}
}

// TestAppRoutes makes sure that the API does not swallow the app's own paths,
// nor they the API's.
func TestAppRoutes(t *testing.T) {
	a := startApp(t)
	if r := a.send(t, http.MethodGet, a.home.String()+"booked", "", nil); r.Status != http.StatusOK || !strings.Contains(r.Body, "<form") {
		t.Errorf("a path of the app: %d, want its page", r.Status)
	}
	if r := a.send(t, http.MethodGet, a.api, "", nil); r.Status != http.StatusMethodNotAllowed || r.Header.Get("Allow") != http.MethodPost {
		t.Errorf("GET of the API: %d with Allow %q", r.Status, r.Header.Get("Allow"))
	}
}
