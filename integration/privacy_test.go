package integration_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// privateWords are in every name and address of the busy day, and nowhere else.
var privateWords = []string{"lovelace", "ada.secret", "client.example", "grace.hopper", "dr. grace"}

// privateNames are of people whom logs must not know either.
var privateNames = []string{
	"Lovelace\r\nBcc: ada.secret@client.example", `Lovelace";ATTENDEE=mailto:ada.secret@client.example`,
	"{env.HOME} Lovelace {{.}} ${jndi:ldap://client.example}", "Lovelace\x00\x1b[31m\u202e", `Lovelace","msg":"x`,
}

// privacySite books by form and by webhook, and logs all that Caddy can log.
func privacySite(server, global string) string {
	return "{\n\tdebug\n\tmetrics\n\tical_invite {\n\t\torganizer booking@example.com\n\t\t" + global + `
		smtp ` + server + ` {
			tls off
		}
	}
}
` + site(`log
	ical_invite /book {
		scope public
		host grace.hopper@example.org "Dr. Grace Hopper"
		consent privacy "I have read the privacy notice"
		redirect /thanks
	}
	ical_invite /hook {
		scope hooks
		host grace.hopper@example.org "Dr. Grace Hopper"
		verify hmac {
			secret {env.WEBHOOK_SECRET}
			header X-Signature
		}
		fields {
			id     id
			action action
			guests guests
		}
	}`)
}

// quotingServer refuses some recipients, in words that repeat them.
func quotingServer(t *testing.T) *smtptest.Server {
	t.Helper()
	var deferred atomic.Int64
	return smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
		local, _, _ := strings.Cut(e.To, "@")
		switch {
		case e.Step != smtptest.StepRcpt:
			return nil
		case strings.HasSuffix(local, "refused"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + strings.ToUpper(e.To) + ">: " + local + " is unknown"}
		case strings.HasSuffix(local, "later") && deferred.Add(1) < 3:
			return &smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: strings.ReplaceAll(e.To, "@", "%40") + " is busy, " + local}
		}
		return nil
	}})
}

// TestPrivacyOfABusyDay lets everything happen that makes Caddy or the plugin
// say something, and looks for people in all that was said.
func TestPrivacyOfABusyDay(t *testing.T) {
	server := quotingServer(t)
	home := caddytest.NewHome(t)
	home.Hurried = true
	caddy := home.Start(t, privacySite(server.Addr, ""), "WEBHOOK_SECRET="+exampleSecret)
	publicDay(t, caddy)
	webhookDay(t, caddy)
	caddy.WaitLog("message failed")
	caddy.WaitLog("message deferred")
	adminDay(t, caddy)
	metrics := caddytest.Do(t, caddy.AdminClient(), caddytest.Request(t, http.MethodGet, "http://127.0.0.1/metrics", "", "")).Body
	caddy.Terminate()
	for _, message := range []string{"booking accepted", "booking refused", "message sent", "webhook skipped", "an address was erased", "handled request", "event"} {
		caddy.WaitLog(message)
	}
	checkPrivate(t, "the metrics", metrics)
	checkPrivate(t, "the log", caddy.Output())
}

// publicDay books and fails to book as strangers do.
func publicDay(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	for i, name := range privateNames {
		body := jsonBooking(name)
		body["email"], body["privacy"] = "ada.secret+"+string(rune('a'+i))+"@client.example", "yes"
		if a := caddy.PostJSON("/book", body); a.Status != http.StatusAccepted {
			t.Errorf("%q: %d %s", name, a.Status, a.Body)
		}
	}
	form := url.Values{"name": {"Lovelace"}, "start": {booked().Format(time.RFC3339)}, "privacy": {"on"}}
	for _, email := range []string{"ada.secret.refused@client.example", "ada.secret.later@client.example"} {
		form.Set("email", email)
		a := caddy.PostForm("/book", form)
		if a.Status != http.StatusSeeOther || a.Header.Get("Location") != "/thanks" {
			t.Errorf("%d to %q", a.Status, a.Header.Get("Location"))
		}
	}
	for body, status := range map[string]int{
		`{"ada.secret@client.example":1,"ada.secret@client.example":2}`:                                      http.StatusBadRequest,
		`{"name":"Lovelace","email":"ada.secret@client.example","start":`:                                    http.StatusBadRequest,
		`{"name":"Lovelace","email":"ada.secret@@client.example","start":"lovelace","privacy":"ada.secret"}`: http.StatusUnprocessableEntity,
		`{"name":"` + strings.Repeat("Lovelace", 9000) + `"}`:                                                http.StatusRequestEntityTooLarge,
	} {
		a := caddytest.Do(t, caddy.Client(), caddytest.Request(t, http.MethodPost, "http://site.test/book", "application/json", body))
		if a.Status != status {
			t.Errorf("%.60s: %d, want %d", body, a.Status, status)
		}
		checkPrivate(t, "a refusal", a.Body)
	}
	var last caddytest.Answer
	for i := range 11 {
		body := jsonBooking("Lovelace")
		body["email"], body["privacy"] = "lovelace@client.example", "yes"
		body["start"] = booked().Add(time.Duration(i) * time.Hour).Format(time.RFC3339)
		last = caddy.PostJSON("/book", body)
	}
	if last.Status != http.StatusTooManyRequests {
		t.Errorf("too many bookings: %d", last.Status)
	}
	checkPrivate(t, "the answer to too many", last.Body)
}

// webhookDay creates, changes and cancels bookings by webhooks, of which some
// come to nothing.
func webhookDay(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	start := booked().Format(time.RFC3339)
	for _, fields := range []map[string]string{
		{"id": "1", "name": "Lovelace", "email": "ada.secret@client.example", "start": start},
		{"id": "1", "action": "update", "email": "lovelace2@client.example", "guests": "guest.of.lovelace@client.example"},
		{"id": "1", "action": "update", "guests": ""},
		{"id": "2", "name": "Lovelace", "email": "lovelace2@client.example", "start": start},
		{"id": "2", "action": "cancel"},
		{"id": "ada.secret@client.example", "action": "cancel"},
	} {
		body, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{wrongSecret, exampleSecret} {
			got := send(t, caddy, string(body), hmacSigner("X-Signature", "")(secret, string(body), time.Now()))
			if got.code != http.StatusAccepted && secret == exampleSecret {
				t.Errorf("%s: %d %s", body, got.code, got.body)
			}
		}
	}
}

// adminDay erases addresses in all ways, right and wrong.
func adminDay(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	for body, status := range map[string]int{
		`{"address":"ada.secret at client.example"}`:                    http.StatusBadRequest,
		`{"ada.secret@client.example":1}`:                               http.StatusBadRequest,
		`{"address":"ada.secret@client.example","x":"lovelace"}`:        http.StatusBadRequest,
		`{"address":"ada.secret+a@client.example"}`:                     http.StatusOK,
		`{"address":"` + strings.Repeat("lovelace", 1000) + `@x.test"}`: http.StatusBadRequest,
	} {
		a := postErase(t, caddy, http.MethodPost, body)
		if a.Status != status {
			t.Errorf("%.60s: %d %s, want %d", body, a.Status, a.Body, status)
		}
		checkPrivate(t, "the admin API's answer", a.Body)
	}
	if a := postErase(t, caddy, http.MethodGet, ""); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != http.MethodPost {
		t.Errorf("GET: %d with Allow %q", a.Status, a.Header.Get("Allow"))
	}
	for _, tt := range []struct{ argument, input, want string }{
		{"lovelace@client.example", "", "10 events erased\n"},
		{"lovelace@client.example", "", "0 events erased\n"},
		{"-", "Ada.Secret@client.example\n", "1 events erased\n"}, // its client before an update
		{"-", "lovelace2@client.example", "1 events erased\n"},    // cancelled
		{"-", "ada.secret.refused@client.example", "1 events erased\n"},
		{"-", "ada.secret.later@client.example", "1 events erased\n"},
	} {
		r := caddy.CommandInput(t, nil, tt.input, "ical-invite", "erase", "--address", caddy.AdminAddress(), tt.argument)
		if r.ExitCode != 0 || r.Stdout != tt.want {
			t.Errorf("erase %s %s: status %d, %q, %s, want %q", tt.argument, tt.input, r.ExitCode, r.Stdout, r.Stderr, tt.want)
		}
		checkPrivate(t, "the command", r.Stdout+r.Stderr)
	}
	config := caddy.WriteCaddyfile(t, "{\n\tadmin "+caddy.AdminAddress()+"\n}\n")
	r := caddy.Command(t, nil, "ical-invite", "erase", "--config", config, "--adapter", "caddyfile", "nobody@client.example")
	if r.ExitCode != 0 || r.Stdout != "0 events erased\n" {
		t.Errorf("erase with a config: status %d, %q, %s", r.ExitCode, r.Stdout, r.Stderr)
	}
	for _, args := range [][]string{{}, {"a", "b"}, {"-"}, {"lovelace at client.example"}} {
		args = append([]string{"ical-invite", "erase", "--address", caddy.AdminAddress()}, args...)
		if r := caddy.Command(t, nil, args...); r.ExitCode == 0 {
			t.Errorf("%v ended with status 0: %s", args, r.Stdout)
		}
	}
}

func postErase(t *testing.T, caddy *caddytest.Caddy, method, body string) caddytest.Answer {
	t.Helper()
	return caddytest.Do(t, caddy.AdminClient(),
		caddytest.Request(t, method, "http://127.0.0.1/ical_invite/erase", "application/json", body))
}

// checkPrivate looks for people in a text.
func checkPrivate(t *testing.T, where, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"msg":"adjusted config"`) {
			continue // here Caddy shows its config, and in it who the host is
		}
		lower := strings.ToLower(line)
		for _, word := range privateWords {
			if strings.Contains(lower, word) {
				t.Errorf("%s says %q: %.400s", where, word, line)
			}
		}
	}
}

// TestLogPII: the operator may ask for addresses in the log.
func TestLogPII(t *testing.T) {
	server := quotingServer(t)
	caddy := caddytest.Start(t, privacySite(server.Addr, "log_pii"), "WEBHOOK_SECRET="+exampleSecret)
	body := jsonBooking("Lovelace")
	body["email"], body["privacy"] = "ada.secret.refused@client.example", "yes"
	if a := caddy.PostJSON("/book", body); a.Status != http.StatusAccepted {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	caddy.WaitLog("message failed")
	caddy.WaitLog("message sent")
	for message, want := range map[string]map[string]string{
		"booking accepted": {"client": "ada.secret.refused@client.example", "host": "grace.hopper@example.org"},
		"message failed":   {"recipient": "ada.secret.refused@client.example"},
		"message sent":     {"recipient": "grace.hopper@example.org"},
	} {
		entry, err := findLog(caddy, message)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range want {
			if entry[key] != value {
				t.Errorf("%s: %s is %v, want %s", message, key, entry[key], value)
			}
		}
	}
	if entry, _ := findLog(caddy, "message failed"); !strings.Contains(entry["error"].(string), "ADA.SECRET.REFUSED@CLIENT.EXAMPLE") {
		t.Errorf("the reply is logged as %v", entry["error"])
	}
}

// findLog returns the first log entry with this text.
func findLog(caddy *caddytest.Caddy, message string) (caddytest.Entry, error) {
	for _, entry := range caddy.Logs() {
		if entry.Message() == message {
			return entry, nil
		}
	}
	return nil, errors.New("the log does not say " + message)
}
