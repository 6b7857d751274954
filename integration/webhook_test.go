package integration_test

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// webhookEnv holds the secrets.
var webhookEnv = []string{"OLD=" + exampleSecret, "NEW=" + newSecret}

// schemes are the ways to sign, as they are written in a Caddyfile.
var schemes = map[string]struct {
	verify string
	sign   signer
	window bool // signatures grow old
}{
	"Cal.com":           {"hmac {\nsecret {env.NEW} {env.OLD}\nheader X-Cal-Signature-256\n}", hmacSigner("X-Cal-Signature-256", ""), false},
	"GitHub":            {"hmac {\nsecret {env.NEW} {env.OLD}\nheader X-Hub-Signature-256 sha256=\n}", hmacSigner("X-Hub-Signature-256", "sha256="), false},
	"Standard Webhooks": {"standard_webhooks {\nsecret {env.NEW} {env.OLD}\n}", standardSigner("msg_1"), true},
	"Stripe":            {"stripe {\nsecret {env.NEW}\nsecret {env.OLD}\n}", stripeSigner, true},
}

// TestWebhookSchemes sends good and bad signatures of each scheme.
func TestWebhookSchemes(t *testing.T) {
	for name, scheme := range schemes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caddy := caddytest.Start(t, webhookSite(scheme.verify), webhookEnv...)
			body, now := hook("booking.created", "1", booked()), time.Now()
			old := http.StatusAccepted
			if scheme.window {
				old = http.StatusUnauthorized
			}
			refuse := func(what string, body string, header http.Header) {
				t.Helper()
				if got := send(t, caddy, body, header); got.code != http.StatusUnauthorized && got.code != http.StatusForbidden {
					t.Errorf("%s is answered %d %s", what, got.code, got.body)
				}
			}
			refuse("no signature", body, nil)
			refuse("another secret", body, scheme.sign(wrongSecret, body, now))
			refuse("another body", body+" ", scheme.sign(newSecret, body, now))
			refuse("other spaces", strings.Replace(body, ":", ": ", 1), scheme.sign(newSecret, body, now))
			refuse("no JSON either", "{", nil)

			first := send(t, caddy, body, scheme.sign(newSecret, body, now))
			checkReply(t, first, http.StatusAccepted, "queued")
			// Rotated, and sent again: the first answer again.
			again := send(t, caddy, body, scheme.sign(exampleSecret, body, now))
			checkReply(t, again, http.StatusAccepted, "queued")
			if again.UID != first.UID || !again.replayed {
				t.Errorf("the second answer is %+v", again)
			}
			for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute} {
				if got := send(t, caddy, body, scheme.sign(newSecret, body, now.Add(off))); got.code != old {
					t.Errorf("a signature that is %s off is answered %d", off, got.code)
				}
			}
			caddy.WaitMails(t, 2)
			checkNoErrors(t, caddy)
		})
	}
}

// TestWebhookLife creates, moves and cancels, out of order too.
func TestWebhookLife(t *testing.T) {
	scheme := schemes["GitHub"]
	caddy := caddytest.Start(t, webhookSite(scheme.verify), webhookEnv...)
	step := func(body string, code int, status string, sequence, mails int) {
		t.Helper()
		got := send(t, caddy, body, scheme.sign(newSecret, body, time.Now()))
		checkReply(t, got, code, status)
		if got.Sequence != sequence {
			t.Errorf("SEQUENCE is %d, want %d", got.Sequence, sequence)
		}
		caddy.WaitMails(t, mails)
	}
	later := booked().AddDate(0, 0, 1)
	step(hook("booking.viewed", "1", booked()), 202, "skipped", 0, 0)
	step(`{"type":null}`, 202, "skipped", 0, 0)
	step(`{"data":{}}`, 202, "skipped", 0, 0)
	step(`[]`, 202, "skipped", 0, 0)
	step(hook("booking.canceled", "1", booked()), 202, "skipped", 0, 0)
	step(hook("booking.created", "1", booked()), 202, "queued", 0, 2)
	step(hook("booking.moved", "1", later), 202, "updated", 1, 4)
	step(hook("booking.moved", "1", later), 202, "updated", 1, 4) // sent again
	// A late repetition of the first gets its first answer, and undoes nothing.
	step(hook("booking.created", "1", booked()), 202, "queued", 0, 4)
	step(hook("booking.canceled", "1", later), 202, "cancelled", 2, 6)
	step(hook("booking.moved", "1", booked().AddDate(0, 0, 2)), 202, "skipped", 0, 6)
	// Moved before it was created: that is another booking than we know.
	step(hook("booking.moved", "2", later), 202, "skipped", 0, 6)
	step(strings.Replace(hook("booking.created", "3", booked()), "ada@", "ada", 1), 422, "", 0, 6)
	step(hook("booking.created", "4", time.Now().AddDate(0, 0, -1)), 422, "", 0, 6)
	checkNoErrors(t, caddy)
}

// TestWebhookSameID sends other content under an id that was used: that is
// told, and changes nothing.
func TestWebhookSameID(t *testing.T) {
	scheme := schemes["Standard Webhooks"]
	caddy := caddytest.Start(t, webhookSite(scheme.verify), webhookEnv...)
	for id, want := range []int{http.StatusAccepted, http.StatusUnprocessableEntity} {
		body := hook("booking.created", strconv.Itoa(id), booked())
		if got := send(t, caddy, body, scheme.sign(newSecret, body, time.Now())); got.code != want {
			t.Errorf("the answer is %d %s, want %d", got.code, got.body, want)
		}
		caddy.WaitMails(t, 2)
	}
}

// TestWebhookCrowd repeats one webhook many times at once: one does it, and
// all get the same answer.
func TestWebhookCrowd(t *testing.T) {
	scheme := schemes["Stripe"]
	caddy := caddytest.Start(t, webhookSite(scheme.verify), webhookEnv...)
	body := hook("booking.created", "1", booked())
	requests := make([]*http.Request, 20)
	for i := range requests {
		requests[i] = caddytest.Request(t, http.MethodPost, "http://site.test/hook", "application/json", body)
		maps.Copy(requests[i].Header, scheme.sign(newSecret, body, time.Now()))
	}
	answers := atOnce(t, caddy, requests)
	for _, a := range answers {
		if a.Status != http.StatusAccepted || a.Body != answers[0].Body {
			t.Errorf("the answers are %d %s and %d %s", answers[0].Status, answers[0].Body, a.Status, a.Body)
		}
	}
	caddy.WaitMails(t, 2)
}
