package integration_test

import (
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

// formExamples are the examples with a form, and what comes of a booking.
var formExamples = map[string]struct {
	path, page, summary string
	duration            time.Duration
}{
	"example.Caddyfile": {"example.Caddyfile", "/book", "Ada and Dr. Grace Hopper", time.Hour},
	"static-site":       {"examples/static-site/Caddyfile", "/book", "Consultation: Ada", 45 * time.Minute},
	"several-hosts":     {"examples/several-hosts/Caddyfile", "/thanks.html", "Ada and Dr. Grace Hopper", 30 * time.Minute},
}

const appExample = "examples/single-page-app/Caddyfile"

// TestExamplesAreComplete makes sure that a new example gets a test.
func TestExamplesAreComplete(t *testing.T) {
	tested := []string{
		absolute(t, appExample), absolute(t, publicExample), absolute(t, nodeExample), absolute(t, pythonExample), absolute(t, webhookExample),
	}
	for example := range maps.Values(formExamples) {
		tested = append(tested, absolute(t, example.path))
	}
	for _, path := range shippedCaddyfiles(t) {
		if !slices.Contains(tested, path) {
			t.Errorf("%s has no test", path)
		}
	}
}

// absolute is the path of a file of the checkout.
func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startExample runs an example as it is, and returns the address of its site.
// Its port may be taken between our choice and Caddy's use.
func startExample(t *testing.T, path string, env ...string) (*caddytest.Caddy, *url.URL) {
	t.Helper()
	var err error
	for range 5 {
		_, port, _ := net.SplitHostPort(freeAddress(t))
		var caddy *caddytest.Caddy
		caddy, err = caddytest.NewHome(t).TryStartFile(t, absolute(t, path), append(exampleEnv(port), env...)...)
		if err == nil {
			return caddy, &url.URL{Scheme: "http", Host: "localhost:" + port, Path: "/"}
		}
	}
	t.Fatal(err)
	return nil, nil
}

// browser follows redirects, and sends nothing through a proxy.
func browser(t *testing.T) *http.Client {
	t.Helper()
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

// TestExamples books in each example, with and without the page's script,
// which fills in the client's time zone.
func TestExamples(t *testing.T) {
	for name, tt := range formExamples {
		for _, zone := range []string{"", "America/New_York"} {
			t.Run(name+"/"+zone, func(t *testing.T) {
				caddy, home := startExample(t, tt.path)
				client := browser(t)
				page := caddytest.Do(t, client, caddytest.Request(t, http.MethodGet, home.String(), "", ""))
				form := findForm(t, home, page.Body)
				form.fields.Set("timezone", zone)
				resp, err := client.Do(form.request(t))
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if resp.StatusCode >= 300 || resp.Request.URL.Path != tt.page {
					t.Fatalf("submitting the form: %s at %s, want %s", resp.Status, resp.Request.URL, tt.page)
				}
				checkExampleMails(t, caddy.WaitMails(t, 2), tt.summary, inBerlin(t, booked()), tt.duration)
			})
		}
	}
}

// inBerlin is what a wall clock time means in the examples.
func inBerlin(t *testing.T, wall time.Time) time.Time {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, berlin)
}

// checkExampleMails judges the mails of a booking in an example, one for Ada and
// one for Grace.
func checkExampleMails(t *testing.T, mails [][]byte, summary string, start time.Time, length time.Duration) {
	t.Helper()
	count := map[string]int{}
	for _, raw := range mails {
		inv := checkInvitation(t, raw, lint.Options{Sender: "booking@example.com"})
		inv.checkSummary(t, summary)
		inv.checkTimes(t, start, start.Add(length))
		inv.checkAttendees(t, map[string]string{"ada@example.net": "Ada", "grace@example.org": "Dr. Grace Hopper"})
		count[inv.to]++
	}
	want := map[string]int{"ada@example.net": 1, "grace@example.org": 1}
	if !maps.Equal(count, want) {
		t.Errorf("the mails went to %v, want %v", count, want)
	}
}
