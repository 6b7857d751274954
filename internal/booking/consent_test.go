package booking

import (
	"errors"
	"slices"
	"testing"
	"time"
)

// consentRules want two boxes to be ticked.
func consentRules(t *testing.T) *Rules {
	t.Helper()
	rules := &Rules{MaxGuests: 10, Zone: time.UTC}
	for _, field := range []string{"privacy", "terms.read"} {
		path, err := ParsePath(field)
		if err != nil {
			t.Fatal(err)
		}
		rules.Consents = append(rules.Consents, ExtraField{Field: path, Label: Line("About " + field)})
	}
	return rules
}

const (
	consentForm = "name=Ada&email=ada@example.net&start=2027-03-05T10:30"
	consentJSON = `{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"`
)

// TestConsentIsAsked: only a clear yes to everything will do.
func TestConsentIsAsked(t *testing.T) {
	const form, json = "application/x-www-form-urlencoded", "application/json"
	now := time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, contentType, body string
		missing                 []string
	}{
		{"ticked", form, "&privacy=on&terms.read=1", nil},
		{"words", form, "&privacy=+YES+&terms.read=True", nil},
		{"hidden field first", form, "&privacy=0&privacy=1&terms.read=off&terms.read=on", nil},
		{"JSON", json, `,"privacy":true,"terms":{"read":"yes"}}`, nil},
		{"JSON number", json, `,"privacy":1,"terms.read":"on"}`, nil},
		{"nothing", form, "", []string{"privacy", "terms.read"}},
		{"one", form, "&terms.read=on", []string{"privacy"}},
		{"no", form, "&privacy=no&terms.read=on", []string{"privacy"}},
		{"empty", form, "&privacy=&terms.read=on", []string{"privacy"}},
		{"hidden field only", form, "&privacy=0&terms.read=on", []string{"privacy"}},
		{"taken back", form, "&privacy=on&privacy=off&terms.read=on", []string{"privacy"}},
		{"another word", form, "&privacy=agree&terms.read=on", []string{"privacy"}},
		{"JSON false", json, `,"privacy":false,"terms.read":true}`, []string{"privacy"}},
		{"JSON null", json, `,"privacy":null,"terms.read":true}`, []string{"privacy"}},
		{"JSON list", json, `,"privacy":[true],"terms.read":true}`, []string{"privacy"}},
		{"JSON object", json, `,"privacy":{"on":true},"terms.read":true}`, []string{"privacy"}},
		{"JSON 1e0", json, `,"privacy":1e0,"terms.read":true}`, []string{"privacy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := consentForm
			if tt.contentType == json {
				start = consentJSON
			}
			b, err := Decode(tt.contentType, []byte(start+tt.body), consentRules(t), now)
			var missing []string
			if fields, ok := errors.AsType[FieldErrors](err); ok {
				for _, f := range fields {
					missing = append(missing, f.Field)
				}
			}
			if !slices.Equal(missing, tt.missing) {
				t.Fatalf("refused for %v (%v), want %v", missing, err, tt.missing)
			}
			if err == nil && !slices.Equal(b.Consents, []Line{"About privacy", "About terms.read"}) {
				t.Errorf("agreed to %q", b.Consents)
			}
		})
	}
}

// TestConsentIsNoted: who vouches for a booking answers for the consent as
// well, but one that was given is kept.
func TestConsentIsNoted(t *testing.T) {
	now := time.Date(2027, time.March, 1, 9, 0, 0, 0, time.UTC)
	in := Input{ContentType: "application/json", Body: []byte(consentJSON + `,"terms.read":true}`), Partial: true, Trusted: true}
	b, err := in.Decode(consentRules(t), now)
	if err != nil || !slices.Equal(b.Consents, []Line{"About terms.read"}) {
		t.Errorf("agreed to %q, %v", b.Consents, err)
	}
}

// TestConsentIsNoContent: the same booking is the same whether or not a box
// that is not asked for was ticked.
func TestConsentIsNoContent(t *testing.T) {
	with, without := &Booking{Zone: time.UTC, Consents: []Line{"Privacy"}}, &Booking{Zone: time.UTC}
	if with.Fingerprint() != without.Fingerprint() {
		t.Error("consents change the fingerprint")
	}
}
