package webhook

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The test vector of the Standard Webhooks libraries.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorTime      = "1614265330"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func vectorHeaders(prefix string) http.Header {
	return headers(prefix+"-id", vectorID, prefix+"-timestamp", vectorTime, prefix+"-signature", vectorSignature)
}

func TestStandardVector(t *testing.T) {
	raw := strings.TrimPrefix(vectorSecret, "whsec_")
	for _, secret := range []string{vectorSecret, raw} {
		for _, prefix := range []string{"webhook", "svix"} {
			v := must[Verifier](t)(NewStandard([]string{secret}))
			id, err := v.Verify(vectorHeaders(prefix), []byte(vectorBody), time.Unix(1614265330, 0))
			if err != nil || id != vectorID {
				t.Errorf("%s: got %q, %v", prefix, id, err)
			}
		}
	}
}

// TestStandardHeaderSets makes sure that the two sets are never mixed.
func TestStandardHeaderSets(t *testing.T) {
	now := time.Unix(1614265330, 0)
	v := must[Verifier](t)(NewStandard([]string{vectorSecret}))
	own, svix := vectorHeaders("webhook"), vectorHeaders("svix")
	both, mixed, half := own.Clone(), own.Clone(), svix.Clone()
	maps.Copy(both, svix)
	mixed.Del("Webhook-Id")
	mixed["Svix-Id"] = svix["Svix-Id"]
	half["Webhook-Id"] = []string{"msg_of_somebody_else"}
	wrong := both.Clone()
	wrong.Set("Webhook-Id", "msg_changed")

	for name, c := range map[string]struct {
		h    http.Header
		want string // part of the error, or ""
	}{
		"both":                          {both, ""},
		"svix with a stray webhook-id":  {half, ""},
		"mixed":                         {mixed, "Webhook-Id is missing"},
		"own set wrong, the other good": {wrong, "Webhook-Signature does not match"},
	} {
		id, err := v.Verify(c.h, []byte(vectorBody), now)
		if c.want == "" {
			if err != nil || id != vectorID {
				t.Errorf("%s: got %q, %v", name, id, err)
			}
			continue
		}
		if !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// signStandard returns headers that are signed rightly, whatever they hold.
func signStandard(id, timestamp, body string) http.Header {
	mac := macOf(sha256.New, []byte(testSecret), id+"."+timestamp+"."+body)
	return headers("webhook-id", id, "webhook-timestamp", timestamp,
		"webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac))
}

// TestStandardShapes refuses ids and timestamps by their form, although the
// signature over them is right.
func TestStandardShapes(t *testing.T) {
	v := must[Verifier](t)(NewStandard([]string{whsec(testSecret)}))
	now := unix(testTime)
	cases := []struct{ id, timestamp, want string }{
		{"msg.1", now, "Webhook-Id is malformed"},
		{"msg 1", now, "Webhook-Id is malformed"},
		{"msg\x001", now, "Webhook-Id is malformed"},
		{"msg\x7f", now, "Webhook-Id is malformed"},
		{"mség", now, "Webhook-Id is malformed"},
		{strings.Repeat("a", maxID+1), now, "Webhook-Id is malformed"},
		{strings.Repeat("a", maxID), now, ""},
		{"evt:1/2-3_4~", now, ""},
		{"msg", "+" + now, "Webhook-Timestamp has no"},
		{"msg", "-" + now, "Webhook-Timestamp has no"},
		{"msg", now + ".0", "Webhook-Timestamp has no"},
		{"msg", now + " ", "Webhook-Timestamp has no"},
		{"msg", now + "000", "Webhook-Timestamp has no"},
		{"msg", "0x6553f100", "Webhook-Timestamp has no"},
		{"msg", "1_700_000_000", "Webhook-Timestamp has no"},
		{"msg", "1.7e9", "Webhook-Timestamp has no"},
		{"msg", "١٧", "Webhook-Timestamp has no"},
		{"msg", "99999999999999999999", "Webhook-Timestamp has no"},
		{"msg", "2023-11-14T22:13:20Z", "Webhook-Timestamp has no"},
	}
	for _, c := range cases {
		id, err := v.Verify(signStandard(c.id, c.timestamp, testBody), []byte(testBody), testTime)
		switch {
		case c.want == "" && (err != nil || id != c.id):
			t.Errorf("%q: got %q, %v", c.id, id, err)
		case c.want != "" && (!errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q, %q: got %v, want %q", c.id, c.timestamp, err, c.want)
		}
	}
	for _, timestamp := range []string{"0", "999999999999"} {
		_, err := v.Verify(signStandard("msg", timestamp, testBody), []byte(testBody), testTime)
		if !errors.Is(err, ErrTimestamp) {
			t.Errorf("%s: got %v, want ErrTimestamp", timestamp, err)
		}
	}
}

// TestStandardCannotBeCutElsewhere takes a body that begins like a timestamp
// and moves the border between id, timestamp and body.
func TestStandardCannotBeCutElsewhere(t *testing.T) {
	v := must[Verifier](t)(NewStandard([]string{whsec(testSecret)}))
	now := unix(testTime)
	h := signStandard("msg", now, now+".name=Ada")
	if _, err := v.Verify(h, []byte(now+".name=Ada"), testTime); err != nil {
		t.Fatal(err)
	}
	h.Set("Webhook-Id", "msg."+now)
	if id, err := v.Verify(h, []byte("name=Ada"), testTime); !errors.Is(err, ErrSignature) {
		t.Errorf("got %q, %v", id, err)
	}
}

// TestStandardLists checks lists of signatures: "RIGHT" stands for the right
// one, in base64.
func TestStandardLists(t *testing.T) {
	v := must[Verifier](t)(NewStandard([]string{whsec(testSecret)}))
	h := signStandard("msg", unix(testTime), testBody)
	right := strings.TrimPrefix(h.Get("Webhook-Signature"), "v1,")
	other := base64.StdEncoding.EncodeToString(make([]byte, sha256.Size))
	long := base64.StdEncoding.EncodeToString(make([]byte, sha512.Size))
	const none, wrong, many = "has no well-formed v1", "does not match", "has too many"
	cases := []struct{ list, want string }{
		{"v1,RIGHT", ""},
		{"v1," + strings.TrimRight(right, "="), ""},
		{"v1," + other + " v1,RIGHT", ""},
		{"v1,RIGHT v1," + other, ""},
		{"v1a,AAAA v2,BBBB  v1,RIGHT ", ""},
		{"garbage v1,!!! v1, , v1,RIGHT", ""},
		{strings.Repeat("v1,"+other+" ", maxSignatures-1) + "v1,RIGHT", ""},
		{strings.Repeat("v1,"+other+" ", maxSignatures) + "v1,RIGHT", many},
		{strings.Repeat("v9,x ", maxSignatures) + "v1,RIGHT", many},
		{"RIGHT", none},
		{"v1=RIGHT", none},
		{"V1,RIGHT", none},
		{"v1a,RIGHT", none},
		{"v1,RIGHT,v1,RIGHT", none},
		{"v1,RIGHT=", none},
		{"v1,RIGHT\r", ""}, // white space that ends the entry
		{"v1," + right[:8] + "\n" + right[8:], none},
		{"v1," + long, none},
		{"v1,", none},
		{" ", none},
		{"v1," + other, wrong},
	}
	for _, c := range cases {
		h.Set("Webhook-Signature", strings.ReplaceAll(c.list, "RIGHT", right))
		_, err := v.Verify(h, []byte(testBody), testTime)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%q: %v", c.list, err)
		case c.want != "" && (!errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: got %v, want %q", c.list, err, c.want)
		}
	}
}

func TestStandardSecretForms(t *testing.T) {
	encoded := base64.StdEncoding.EncodeToString([]byte(testSecret + "!"))
	cases := map[string]bool{
		"whsec_" + encoded: true,
		encoded:            true,
		"whsec_" + strings.TrimRight(encoded, "="):  true,
		"whsec_" + strings.Repeat("z", 43):          true, // unused bits are set
		"whsec_":                                    false,
		"whpk_" + encoded:                           false,
		"whsk_" + encoded:                           false,
		"v1,whsec_" + encoded:                       false,
		"whsec_" + encoded[:9] + "\n" + encoded[9:]: false,
		"whsec_AAAAAAAAAA==":                        false, // seven bytes
		"{env.WEBHOOK_SECRET}":                      false,
	}
	for secret, want := range cases {
		_, err := NewStandard([]string{secret})
		if (err == nil) != want {
			t.Errorf("%q: got %v", secret, err)
		}
		if err != nil && strings.Contains(err.Error(), encoded[:8]) {
			t.Errorf("%q: the error shows the secret: %v", secret, err)
		}
	}
}
