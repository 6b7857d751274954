package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestStripeShapes checks forms of the header: "RIGHT" stands for the right
// signature, and "NOW" for the timestamp it is over.
func TestStripeShapes(t *testing.T) {
	v := must[Verifier](t)(NewStripe([]string{testSecret}))
	now := unix(testTime)
	right := hex.EncodeToString(macOf(sha256.New, []byte(testSecret), now+"."+testBody))
	other := strings.Repeat("00", sha256.Size)
	const none, wrong, many = "has no well-formed v1", "does not match", "has too many"
	const noTime = "has no Unix time"
	cases := []struct{ value, want string }{
		{"t=NOW,v1=RIGHT", ""},
		{"v1=RIGHT,t=NOW", ""},
		{"t=NOW,v1=" + strings.ToUpper(right), ""},
		{"t=NOW,v1=" + other + ",v1=RIGHT,v0=" + other, ""},
		{"t=NOW,v1=xyz,v1=RIGHT", ""},
		{"t=NOW,v1=RIGHT,v9=", ""},
		{"t=NOW" + strings.Repeat(",v1="+other, maxSignatures-2) + ",v1=RIGHT", ""},
		{"t=NOW" + strings.Repeat(",v1="+other, maxSignatures-1) + ",v1=RIGHT", many},
		{strings.Repeat("x=,", 1000) + "t=NOW,v1=RIGHT", many},
		{"t=NOW", none},
		{"t=NOW,v0=RIGHT", none},
		{"t=NOW,v1=", none},
		{"t=NOW,v1=" + right[1:], none},
		{"t=NOW,v1=" + right[2:], none},
		{"t=NOW,v1=RIGHT00", none},
		{"t=NOW, v1=RIGHT", none},
		{"t=NOW,V1=RIGHT", none},
		{"v1=RIGHT", "has no timestamp"},
		{"t=NOW,t=NOW,v1=RIGHT", "has two timestamps"},
		{"t=1,t=NOW,v1=RIGHT", "has two timestamps"},
		{"t=,v1=RIGHT", noTime},
		{"t=+NOW,v1=RIGHT", noTime},
		{"t=NOW000,v1=RIGHT", noTime},
		{"t=NOW=,v1=RIGHT", noTime},
		{"t=NOW,v1=RIGHT,", "is malformed"},
		{"t=NOW;v1=RIGHT", noTime},
		{"RIGHT", "is malformed"},
		{",", "is malformed"},
		{"t=NOW,v1=" + other, wrong},
		{"t=0NOW,v1=RIGHT", wrong},
	}
	for _, c := range cases {
		value := strings.NewReplacer("RIGHT", right, "NOW", now).Replace(c.value)
		id, err := v.Verify(headers("Stripe-Signature", value), []byte(testBody), testTime)
		switch {
		case c.want == "" && (err != nil || id != hashOf(testBody)):
			t.Errorf("%q: got %q, %v", c.value, id, err)
		case c.want != "" && (!errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: got %v, want %q", c.value, err, c.want)
		}
	}
}

// TestRetriesKeepTheirID signs one body at two times.
func TestRetriesKeepTheirID(t *testing.T) {
	for _, s := range schemes() {
		v := must[Verifier](t)(s.build(testSecret))
		var ids [2]string
		for i := range ids {
			at := testTime.Add(time.Duration(i) * time.Hour)
			ids[i] = must[string](t)(v.Verify(s.sign(testSecret, testBody, at, straight), []byte(testBody), at))
		}
		if ids[0] != ids[1] {
			t.Errorf("%s: %q became %q", s.name, ids[0], ids[1])
		}
	}
}
