package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/bolt"
)

const deliveryHost = "grace@example.org"

// deliverySite is a site that mails through a server on loopback. Its time-out
// is short, because tests wait for it.
func deliverySite(server, options string) string {
	return site(deliveryDirective("", server, options))
}

func deliveryDirective(matcher, server, options string) string {
	return `ical_invite ` + matcher + ` {
		organizer booking@example.com
		host ` + deliveryHost + `
		smtp ` + server + ` {
			tls off
			timeout 2s
		}
		` + options + `
	}`
}

// storeAt is a global block that puts the store somewhere else.
func storeAt(path string) string {
	return "{\n\tical_invite {\n\t\tstore bolt " + path + "\n\t}\n}\n"
}

// defaultStore is where the store of a home is if the config does not say.
func defaultStore(home *caddytest.Home) string {
	return filepath.Join(home.Dir, "data", "caddy", "ical_invite", "outbox.db")
}

// hurriedHome is a home whose Caddy tries again soon.
func hurriedHome(t *testing.T) *caddytest.Home {
	t.Helper()
	home := caddytest.NewHome(t)
	home.Hurried = true
	return home
}

// bookingOf is the booking of a client whose address tells who it is.
func bookingOf(who string) map[string]string {
	return map[string]string{"name": "Client " + who, "email": addressOf(who), "start": booked().Format(time.RFC3339)}
}

func addressOf(who string) string { return who + "@example.net" }

// bookings are those that were taken: the client's address by UID.
type bookings map[string]string

// book books for clients who are new, and adds them.
func (b bookings) book(t *testing.T, caddy *caddytest.Caddy, clients ...string) {
	t.Helper()
	for _, who := range clients {
		answer := caddy.PostJSON("/book", bookingOf(who))
		if answer.Status != http.StatusAccepted {
			t.Fatalf("booking of %s: %d %s", who, answer.Status, answer.Body)
		}
		b[uidOf(t, answer.Body)] = addressOf(who)
	}
}

func uidOf(t *testing.T, body string) string {
	t.Helper()
	var answer struct{ UID string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.UID == "" {
		t.Fatalf("the answer is %q (%v)", body, err)
	}
	return answer.UID
}

// crowd names n clients.
func crowd(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return names
}

// checkOnce waits until every message of every booking has arrived at one of
// the servers, and makes sure that it did so once, and that nothing else did.
func (b bookings) checkOnce(t *testing.T, servers ...*smtptest.Server) {
	t.Helper()
	count := func() (n int) {
		for _, server := range servers {
			n += len(server.Messages())
		}
		return n
	}
	if !caddytest.Poll(30*time.Second, func() bool { return count() >= 2*len(b) }) {
		t.Errorf("%d messages have arrived, want %d", count(), 2*len(b))
	}
	got := map[mailKey]int{}
	for _, server := range servers {
		for _, m := range server.Messages() {
			got[readArrival(t, m).mailKey]++
		}
	}
	for uid, client := range b {
		for _, to := range []string{client, deliveryHost} {
			key := mailKey{uid, to}
			if n := got[key]; n != 1 {
				t.Errorf("%v has arrived %d times", key, n)
			}
			delete(got, key)
		}
	}
	for key := range got {
		t.Errorf("%v has arrived, which nobody booked", key)
	}
}

// mailKey is what there may be only one message of.
type mailKey struct{ uid, to string }

// arrival is a message that a server took.
type arrival struct {
	mailKey
	id       string // its Message-ID
	sequence string

	acknowledgment acknowledgment
}

func readArrival(t *testing.T, m smtptest.Message) arrival {
	t.Helper()
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Data))
	if err != nil {
		t.Fatalf("net/mail: %v\n%s", err, m.Data)
	}
	inv := readMail(t, m.Data)
	if inv.to != m.To {
		t.Errorf("a mail to %s went to %s", inv.to, m.To)
	}
	event := readCalendar(t, inv.calendar)
	return arrival{
		mailKey:  mailKey{event.Props.Get("UID").Value, m.To},
		id:       parsed.Header.Get("Message-Id"),
		sequence: event.Props.Get("SEQUENCE").Value,
	}
}

// answerWith is what a mail server says when it refuses.
func answerWith(code int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: "as the test wants it"}
}

// entries are the entries of a log with this text.
func entries(caddy *caddytest.Caddy, message string) []caddytest.Entry {
	return slices.DeleteFunc(caddy.Logs(), func(e caddytest.Entry) bool { return e.Message() != message })
}

// checkNoErrors fails the test if Caddy complained.
func checkNoErrors(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	for _, e := range caddy.Logs() {
		if e["level"] == "error" {
			t.Errorf("caddy logs an error: %v", e)
		}
	}
}

// storeStats opens a store that nobody has open any more.
func storeStats(t *testing.T, path string) store.Stats {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Timeout: 10 * time.Second, MinFree: bolt.Off, CompactAbove: bolt.Off})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	stats, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// checkNothingWaits looks into the store for messages that were not settled.
func checkNothingWaits(t *testing.T, path string) {
	t.Helper()
	for mailer, m := range storeStats(t, path).Mailers {
		if m.Queued+m.Deferred+m.Failed > 0 {
			t.Errorf("the store has messages of %s: %+v", mailer, m)
		}
	}
}

// tryJSON posts a booking without failing the test if there is no answer. It
// may be called from any goroutine.
func tryJSON(client *http.Client, key string, booking map[string]string) (caddytest.Answer, error) {
	body, err := json.Marshal(booking)
	if err != nil {
		return caddytest.Answer{}, err
	}
	r, err := http.NewRequest(http.MethodPost, "http://site.test/book", strings.NewReader(string(body)))
	if err != nil {
		return caddytest.Answer{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := client.Do(r)
	if err != nil {
		return caddytest.Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return caddytest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(text)}, err
}
