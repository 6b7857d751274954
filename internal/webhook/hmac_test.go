package webhook

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"strings"
	"testing"
)

// gitHub is how GitHub signs, with the values from its documentation.
var gitHub = HMACOptions{Header: "x-hub-signature-256", Prefix: "sha256="}

const (
	gitHubSecret    = "It's a Secret to Everybody"
	gitHubBody      = "Hello, World!"
	gitHubSignature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

func TestGitHubVector(t *testing.T) {
	v := must[Verifier](t)(NewHMAC([]string{gitHubSecret}, gitHub))
	h := headers("X-Hub-Signature-256", gitHubSignature, "X-GitHub-Delivery", "72d3162e")
	id, err := v.Verify(h, []byte(gitHubBody), testTime)
	if err != nil || id != hashOf(gitHubBody) {
		t.Fatalf("got %q, %v", id, err)
	}
}

// TestUnsignedIDIsNotTrusted replays a request under other ids of delivery.
func TestUnsignedIDIsNotTrusted(t *testing.T) {
	v := must[Verifier](t)(NewHMAC([]string{gitHubSecret}, gitHub))
	seen := make(map[string]bool)
	for _, delivery := range []string{"72d3162e", "72d3162f", "../../x"} {
		h := headers("X-Hub-Signature-256", gitHubSignature, "X-GitHub-Delivery", delivery)
		seen[must[string](t)(v.Verify(h, []byte(gitHubBody), testTime))] = true
	}
	if len(seen) != 1 {
		t.Errorf("one signed body has %d ids", len(seen))
	}
}

// TestHMACForms crosses algorithms and encodings.
func TestHMACForms(t *testing.T) {
	algorithms := map[string]func() hash.Hash{"": sha256.New, "sha256": sha256.New, "sha1": sha1.New, "sha512": sha512.New}
	encodings := map[string][]func([]byte) string{
		"":    {hex.EncodeToString},
		"hex": {hex.EncodeToString, func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }},
		"base64": {
			base64.StdEncoding.EncodeToString, base64.RawStdEncoding.EncodeToString,
			base64.URLEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString,
		},
	}
	// Enough bodies that every alphabet's own characters occur.
	bodies := strings.Split("a b c d e f g h i j k l m n o p", " ")
	for algorithm, sum := range algorithms {
		for encoding, writers := range encodings {
			o := HMACOptions{Header: "X-Cal-Signature-256", Algorithm: algorithm, Encoding: encoding}
			v := must[Verifier](t)(NewHMAC([]string{testSecret}, o))
			for _, write := range writers {
				for _, body := range bodies {
					h := headers(o.Header, write(macOf(sum, []byte(testSecret), body)))
					if id, err := v.Verify(h, []byte(body), testTime); err != nil || id != hashOf(body) {
						t.Errorf("%s %s %q: got %q, %v", algorithm, encoding, h.Get(o.Header), id, err)
					}
				}
			}
			h := headers(o.Header, writers[0](macOf(sha512.New384, []byte(testSecret), testBody)))
			if _, err := v.Verify(h, []byte(testBody), testTime); !errors.Is(err, ErrSignature) {
				t.Errorf("%s %s: another hash: got %v", algorithm, encoding, err)
			}
		}
	}
}

// TestHMACShapes checks forms of the header: "RIGHT" stands for the right
// signature in the encoding.
func TestHMACShapes(t *testing.T) {
	const none, prefix = "has no well-formed signature", "does not begin with"
	cases := []struct{ encoding, prefix, value, want string }{
		{"hex", "sha256=", "sha256=RIGHT", ""},
		{"hex", "sha256=", "RIGHT", prefix},
		{"hex", "sha256=", "SHA256=RIGHT", prefix},
		{"hex", "sha256=", "sha1=RIGHT", prefix},
		{"hex", "sha256=", "sha256= RIGHT", none},
		{"hex", "sha256=", "sha256=", none},
		{"hex", "sha256=", "sha256=sha256=RIGHT", none},
		{"hex", "", "sha256=RIGHT", none},
		{"hex", "", "RIGHT,RIGHT", none},
		{"hex", "", "0xRIGHT", none},
		{"hex", "", "RIGHT\n", none},
		{"hex", "", "RIGHT0", none},
		{"base64", "", "RIGHT", ""},
		{"base64", "", "RIGHT=", none},
		{"base64", "", "RIGHT\n", none},
		{"base64", "", "-_RIGHT", none},
		{"base64", "", "RIGHT, RIGHT", none},
	}
	mac := macOf(sha256.New, []byte(testSecret), testBody)
	encoded := map[string]string{"hex": hex.EncodeToString(mac), "base64": base64.StdEncoding.EncodeToString(mac)}
	for _, c := range cases {
		o := HMACOptions{Header: "X-Sig", Encoding: c.encoding, Prefix: c.prefix}
		v := must[Verifier](t)(NewHMAC([]string{testSecret}, o))
		h := http.Header{"X-Sig": {strings.ReplaceAll(c.value, "RIGHT", encoded[c.encoding])}}
		_, err := v.Verify(h, []byte(testBody), testTime)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %q: %v", c.encoding, c.value, err)
		case c.want != "" && (!errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %q: got %v, want %q", c.encoding, c.value, err, c.want)
		}
	}
}

// TestStrictBase64 sets the bits that the last character of an unpadded
// signature does not need: there is one text for each signature.
func TestStrictBase64(t *testing.T) {
	v := must[Verifier](t)(NewHMAC([]string{testSecret}, HMACOptions{Header: "X-Sig", Encoding: "base64"}))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	text := base64.RawStdEncoding.EncodeToString(macOf(sha256.New, []byte(testSecret), testBody))
	last := len(text) - 1
	for bits := 1; bits < 4; bits++ {
		bent := text[:last] + string(alphabet[strings.IndexByte(alphabet, text[last])|bits])
		if _, err := v.Verify(headers("X-Sig", bent), []byte(testBody), testTime); !errors.Is(err, ErrSignature) {
			t.Errorf("%q: got %v", bent, err)
		}
	}
}

// TestHMACTimestampForm refuses timestamps by their form, although the
// signature over them is right.
func TestHMACTimestampForm(t *testing.T) {
	v := must[Verifier](t)(NewHMAC([]string{testSecret}, HMACOptions{Header: "X-Sig", TimestampHeader: "X-Time"}))
	for _, timestamp := range []string{"now", "+1700000000", "1700000000000", "1700000000.5", " 1700000000"} {
		mac := macOf(sha256.New, []byte(testSecret), timestamp+"."+testBody)
		h := headers("X-Sig", hex.EncodeToString(mac), "X-Time", timestamp)
		_, err := v.Verify(h, []byte(testBody), testTime)
		if !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), "X-Time has no Unix time") {
			t.Errorf("%q: got %v", timestamp, err)
		}
	}
}

func TestHMACOptionsAreChecked(t *testing.T) {
	cases := []struct {
		o    HMACOptions
		want string
	}{
		{HMACOptions{}, "header is needed"},
		{HMACOptions{Header: "X Sig"}, "not a header name"},
		{HMACOptions{Header: "X-Sig:"}, "not a header name"},
		{HMACOptions{Header: "X-Sïg"}, "not a header name"},
		{HMACOptions{Header: "X-Sig", TimestampHeader: "{id}"}, "not a header name"},
		{HMACOptions{Header: "X-Sig", TimestampHeader: "a\nb"}, "not a header name"},
		{HMACOptions{Header: "X-Sig", TimestampHeader: "x-sig"}, "used twice"},
		{HMACOptions{Header: "X-Sig", TimestampHeader: "x-sig"}, "used twice"},
		{HMACOptions{Header: "X-Sig", Algorithm: "md5"}, "not sha256, sha1 or sha512"},
		{HMACOptions{Header: "X-Sig", Algorithm: "SHA256"}, "not sha256, sha1 or sha512"},
		{HMACOptions{Header: "X-Sig", Encoding: "base32"}, "not hex or base64"},
	}
	for _, c := range cases {
		v, err := NewHMAC([]string{testSecret}, c.o)
		if v != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
	}
}
