package integration_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// answerFields take the id and the place from the answer, as the Node example
// does.
const answerFields = `
	pass_thru {
		fields {
			id       /booking/id
			location /booking/meet_url
		}
	}`

// backEndSite is a site with a booking back end behind it. Mails go to mailer,
// an option with its arguments.
func backEndSite(upstream, mailer, options string) string {
	return site(`ical_invite /bookings* {
		organizer booking@example.com "Practice Dr. Hopper"
		host ` + deliveryHost + ` "Dr. Grace Hopper"
		timezone Europe/Berlin
		id {http.request.uri.path.1}
		fields {
			guests guests
			rrule  rrule
			exdate exdate
		}
		` + mailer + `
		` + options + `
	}
	reverse_proxy ` + upstream)
}

const fileMailer = "file {$MAIL_DIR}"

// smtpMailer is a mailer for a server on loopback.
func smtpMailer(server string) string { return "smtp " + server + " {\n\ttls off\n\ttimeout 2s\n}" }

// startUpstream runs a back end until the test ends, and returns its address.
func startUpstream(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

// counter is a back end that gives each booking the next number, and takes
// everything else as it comes.
type counter struct {
	mu   sync.Mutex
	last int
}

func (c *counter) next() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return fmt.Sprint(c.last)
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		answerBooking(w, c.next())
	case http.MethodPut:
		answerBooking(w, path.Base(r.URL.Path)) // replaces all, so it says all
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// answerBooking is the answer of a back end that has booked.
func answerBooking(w http.ResponseWriter, id string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprintf(w, `{"booking":{"id":%q,"meet_url":"https://meet.example/%s"}}`, id, id)
}

// ask sends JSON through Caddy to the back end.
func ask(t *testing.T, caddy *caddytest.Caddy, method, path, body string) caddytest.Answer {
	t.Helper()
	return caddytest.Do(t, caddy.Client(), caddytest.Request(t, method, "http://site.test"+path, "application/json", body))
}

// inviteStatus is what an answer says about the invitation.
func inviteStatus(a caddytest.Answer) string { return a.Header.Get("Ical-Invite-Status") }

// checkStatus compares what became of the invitation.
func checkStatus(t *testing.T, a caddytest.Answer, want string) {
	t.Helper()
	if got := inviteStatus(a); got != want {
		t.Errorf("the invitation is %q, want %q; the answer is %d %s", got, want, a.Status, a.Body)
	}
}

// bookingJSON is a booking for Ada at her usual time.
func bookingJSON(start time.Time, more string) string {
	return fmt.Sprintf(`{"name":"Ada","email":"ada@example.net","start":%q%s}`, start.Format(time.RFC3339), more)
}

// waitArrived waits until a server has taken n mails in all.
func waitArrived(t *testing.T, server *smtptest.Server, n int) {
	t.Helper()
	caddytest.Eventually(t, fmt.Sprintf("%d mails have arrived", n), func() bool { return len(server.Messages()) >= n })
	if got := len(server.Messages()); got != n {
		t.Fatalf("%d mails have arrived, want %d", got, n)
	}
}

// atOnce sends requests at the same time and returns their answers in order.
func atOnce(t *testing.T, caddy *caddytest.Caddy, requests []*http.Request) []caddytest.Answer {
	t.Helper()
	answers := make([]caddytest.Answer, len(requests))
	errs := make([]error, len(requests))
	var clients sync.WaitGroup
	for i, r := range requests {
		clients.Go(func() { answers[i], errs[i] = exchange(caddy.Client(), r) })
	}
	clients.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return answers
}

// exchange may be called from any goroutine.
func exchange(client *http.Client, r *http.Request) (caddytest.Answer, error) {
	resp, err := client.Do(r)
	if err != nil {
		return caddytest.Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return caddytest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}, err
}
