package webhook

import (
	"errors"
	"net/http"
	"testing"
)

// FuzzVerify gives every scheme headers that were made without its secret. None
// may be taken, and none may make it panic.
func FuzzVerify(f *testing.F) {
	var verifiers []Verifier
	for _, s := range schemes() {
		verifiers = append(verifiers, must[Verifier](f)(s.build(testSecret, "an older secret of it")))
	}
	h := standardScheme().sign(otherOne, testBody, testTime, straight)
	f.Add("msg_1", unix(testTime), h.Get("Webhook-Signature"), []byte(testBody))
	h = stripeScheme().sign(otherOne, testBody, testTime, straight)
	f.Add("", "", h.Get("Stripe-Signature"), []byte(testBody))
	h = plainScheme().sign(otherOne, testBody, testTime, straight)
	f.Add("id", "0", h.Get("X-Hub-Signature-256"), []byte{})
	h = timedScheme().sign(otherOne, testBody, testTime, straight)
	f.Add("id", unix(testTime), h.Get("X-Sig"), []byte(testBody))
	f.Add("a.b", "-1", "v1, v1,=,t=,v1=", []byte{0xff})

	f.Fuzz(func(t *testing.T, id, timestamp, signature string, body []byte) {
		h := make(http.Header)
		for _, name := range []string{"Webhook-Id", "Svix-Id"} {
			h.Set(name, id)
		}
		for _, name := range []string{"Webhook-Timestamp", "Svix-Timestamp", "X-Time"} {
			h.Set(name, timestamp)
		}
		for _, name := range []string{"Webhook-Signature", "Svix-Signature", "Stripe-Signature", "X-Hub-Signature-256", "X-Sig"} {
			h.Set(name, signature)
		}
		for i, v := range verifiers {
			got, err := v.Verify(h, body, testTime)
			if !errors.Is(err, ErrSignature) || got != "" {
				t.Errorf("verifier %d: got %q, %v", i, got, err)
			}
		}
	})
}
