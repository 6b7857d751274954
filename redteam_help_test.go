package caddyicalmail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"
)

// hookSecret is what signed webhooks of the tests are signed with.
const hookSecret = "a secret that is long enough for an HMAC"

// webhookDirective takes signed webhooks, with further options.
func webhookDirective(t testing.TB, options string) string {
	t.Helper()
	t.Setenv("TEST_HOOK_SECRET", hookSecret)
	return fmt.Sprintf(`ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file unused
		timezone Europe/Berlin
		verify hmac {
			secret {env.TEST_HOOK_SECRET}
			header X-Signature
		}
		fields {
			id id
			action action
			guests guests
			summary summary
			location location
		}
		%s
	}`, options)
}

// signed is a webhook with this body.
func signed(body string) *http.Request {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	_, _ = mac.Write([]byte(body))
	r := post(jsonType, body)
	r.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	return r
}
