package caddyicalmail

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const consentDirective = `ical_invite {
	organizer booking@example.com
	host grace@example.org
	file unused
	timezone Europe/Berlin
	extra phone Telephone
	consent privacy "I have read the privacy notice"
}`

// TestConsent books without, with and with too little consent.
func TestConsent(t *testing.T) {
	h := newHandler(t, consentDirective)
	out := capture(t, h)
	for _, box := range []string{"", "&privacy=off", "&privacy=maybe"} {
		r := post(formType, goodForm+box)
		r.Header.Set("Accept", jsonType)
		w, err := serve(t, h, r)
		if err != nil || w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `{"field":"privacy","detail":"must be agreed to"}`) {
			t.Errorf("%q: %d, %v, %s", box, w.Code, err, w.Body)
		}
	}
	out.checkEmpty(t)
	_, a := book(t, h, "", strings.Replace(goodJSON, "{", `{"privacy":true,"phone":"123",`, 1))
	for _, m := range out.wait(t, 2) {
		checkMail(t, m)
		shown := strings.Contains(string(m.Raw), "yes, 1 March 2027 09:00 UTC")
		if shown != (m.Role == booking.RoleHost) {
			t.Errorf("the %s's mail shows the consent: %t", m.Role, shown)
		}
	}
	e, _, err := out.store.Event(t.Context(), a.UID)
	if err != nil {
		t.Fatal(err)
	}
	if want := (booking.Consent{Label: "I have read the privacy notice", Given: testNow}); len(e.Consents) != 1 || e.Consents[0] != want || len(e.Extra) != 1 {
		t.Errorf("stored %+v beside %+v", e.Consents, e.Extra)
	}
}

// TestConsentOutlivesChanges: what was agreed to stays as it was, whoever
// changes the booking, and is not asked for by a signed webhook.
func TestConsentOutlivesChanges(t *testing.T) {
	h := newHandler(t, webhookDirective(t, "consent privacy Privacy"))
	out := capture(t, h)
	w, err := serve(t, h, signed(`{"id":"1","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","privacy":"on"}`))
	if err != nil || w.Code != http.StatusAccepted {
		t.Fatalf("%d, %v, %s", w.Code, err, w.Body)
	}
	h.now = func() time.Time { return testNow.Add(time.Hour) }
	for i, change := range []string{
		`{"id":"1","action":"update","name":"Ada","email":"ada@example.net","start":"2027-03-05T11:30"}`,
		`{"id":"1","action":"update","start":"2027-03-05T12:30","privacy":"on"}`,
		`{"id":"1","action":"cancel"}`,
	} {
		if w, err := serve(t, h, signed(change)); err != nil || w.Code != http.StatusAccepted {
			t.Fatalf("%d, %v, %s", w.Code, err, w.Body)
		}
		e, _, err := out.store.EventByID(t.Context(), h.scope(), "1")
		if err != nil || e.Sequence != i+1 || len(e.Consents) != 1 || !e.Consents[0].Given.Equal(testNow) {
			t.Errorf("after %s: %+v, %v", change, e.Consents, err)
		}
	}
}

// TestConsentNotAskedOfWebhooks: whoever signs has asked by itself.
func TestConsentNotAskedOfWebhooks(t *testing.T) {
	h := newHandler(t, webhookDirective(t, "consent privacy Privacy"))
	capture(t, h)
	w, err := serve(t, h, signed(`{"id":"1","name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`))
	if err != nil || w.Code != http.StatusAccepted {
		t.Errorf("%d, %v, %s", w.Code, err, w.Body)
	}
}

func TestConsentErrors(t *testing.T) {
	for block, want := range map[string]string{
		"consent":                              "wrong argument count",
		"consent privacy":                      "wrong argument count",
		"consent privacy a b":                  "wrong argument count",
		"consent privacy a\nconsent privacy b": "consent privacy is set twice",
	} {
		err := new(Handler).UnmarshalCaddyfile(caddyfile.NewTestDispenser("ical_invite {\n" + block + "\n}"))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "at Testfile:") {
			t.Errorf("%s: %v", block, err)
		}
	}
	for _, bad := range [][]ConsentField{
		{{Field: "", Label: "x"}},
		{{Field: "x", Label: "\u202e"}},
		{{Field: "x", Label: "x"}, {Field: "x", Label: "y"}},
	} {
		if _, err := parseConsents(bad); err == nil || !strings.HasPrefix(err.Error(), "consent") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestLogPIIOption(t *testing.T) {
	for block, want := range map[string]string{
		"log_pii":          "",
		"log_pii on":       "wrong argument count",
		"log_pii\nlog_pii": "log_pii is set twice",
	} {
		app := new(App)
		err := app.UnmarshalCaddyfile(caddyfile.NewTestDispenser("ical_invite {\n" + block + "\n}"))
		if want == "" && (err != nil || !app.LogPII) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", block, err)
		}
	}
}
