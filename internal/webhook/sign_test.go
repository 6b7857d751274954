package webhook

import (
	"net/http"
	"testing"
	"time"
)

// TestSign signs the specification's own example, and verifies the result.
func TestSign(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s, err := NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	header, body, now := http.Header{}, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)
	s.Sign(header, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, body)
	if got := header.Get("Webhook-Signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
	v, err := NewStandard([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	if id, err := v.Verify(header, body, now); err != nil || id != "msg_p5jXN8AQM9LWM0D4loKWxJek" {
		t.Errorf("verifying: %q, %v", id, err)
	}
}

func TestSignerSecrets(t *testing.T) {
	for _, secret := range []string{"", "whsec_", "not base64!", "AAAA", " MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		if _, err := NewSigner(secret); err == nil {
			t.Errorf("the secret %q was taken", secret)
		}
	}
}
