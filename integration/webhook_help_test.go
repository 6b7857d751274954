package integration_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

const (
	webhookExample = "examples/webhook/Caddyfile"

	// exampleSecret and the others are long enough, and base64 as Standard
	// Webhooks wants it.
	exampleSecret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
	newSecret     = "bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3bmV3"
	wrongSecret   = "d3Jvbmd3cm9uZ3dyb25nd3Jvbmd3cm9uZ3dyb25n"
)

func sign(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(strings.Join(parts, ".")))
	return mac.Sum(nil)
}

// signer signs a webhook as its sender does: with a secret, at a time.
type signer func(secret, body string, at time.Time) http.Header

func hmacSigner(name, prefix string) signer {
	return func(secret, body string, _ time.Time) http.Header {
		return http.Header{name: {prefix + hex.EncodeToString(sign([]byte(secret), body))}}
	}
}

func standardSigner(id string) signer {
	return func(secret, body string, at time.Time) http.Header {
		key, _ := base64.StdEncoding.DecodeString(secret)
		stamp := fmt.Sprint(at.Unix())
		return http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
			"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(sign(key, id, stamp, body))},
		}
	}
}

func stripeSigner(secret, body string, at time.Time) http.Header {
	stamp := fmt.Sprint(at.Unix())
	return http.Header{"Stripe-Signature": {"t=" + stamp + ",v1=" + hex.EncodeToString(sign([]byte(secret), stamp, body))}}
}

// webhookSite takes webhooks by a scheme, with an own form of payload.
func webhookSite(verify string) string {
	return site(`ical_invite /hook {
		organizer booking@example.com "Practice Dr. Hopper"
		host ` + deliveryHost + ` "Dr. Grace Hopper"
		file {$MAIL_DIR}
		verify ` + verify + `
		when type booking.created booking.moved booking.canceled
		fields {
			id     data.id
			action type
			name   data.name
			email  data.email
			start  data.start
			location data.url
		}
	}
	respond 404`)
}

// hook is a webhook's body.
func hook(kind, id string, start time.Time) string {
	body, _ := json.Marshal(map[string]any{"type": kind, "data": map[string]string{
		"id": id, "name": "Ada", "email": "ada@example.net", "url": "https://meet.example/" + id, "start": start.Format(time.RFC3339),
	}})
	return string(body)
}

// reply is what a webhook's sender is told.
type reply struct {
	code     int
	Status   string `json:"status"`
	UID      string `json:"uid"`
	Sequence int    `json:"sequence"`
	replayed bool
	body     string
}

// send posts a body with headers.
func send(t *testing.T, caddy *caddytest.Caddy, body string, header http.Header) reply {
	t.Helper()
	r := caddytest.Request(t, http.MethodPost, "http://site.test/hook", "application/json", body)
	maps.Copy(r.Header, header)
	answer := caddytest.Do(t, caddy.Client(), r)
	got := reply{code: answer.Status, replayed: answer.Header.Get("Idempotent-Replayed") == "true", body: answer.Body}
	if answer.Status == http.StatusAccepted {
		if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
			t.Fatalf("the answer is %q: %v", answer.Body, err)
		}
	}
	return got
}

// checkReply compares an answer's status, and its word if there is one.
func checkReply(t *testing.T, got reply, code int, status string) {
	t.Helper()
	if got.code != code || got.Status != status {
		t.Errorf("the answer is %d %s, want %d %q", got.code, got.body, code, status)
	}
}
