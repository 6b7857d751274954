package booking_test

import (
	"testing"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func mustPath(t *testing.T, s string) booking.Path {
	t.Helper()
	p, err := booking.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFields(t *testing.T) {
	const form, json = "application/x-www-form-urlencoded", "application/json"
	for _, tt := range []struct {
		name, contentType, body, path, text string
		filled                              bool
	}{
		{"form", form, "website=x", "website", "x", true},
		{"empty", form, "website=", "website", "", false},
		{"blank", form, "website=+%09", "website", "", false},
		{"absent", form, "name=x", "website", "", false},
		{"repeated", form, "website=&website=x", "website", "", true},
		{"repeated and empty", form, "website=&website=", "website", "", false},
		{"JSON text", json, `{"website":" x"}`, "website", " x", true},
		{"JSON path", json, `{"a":{"b":[1]}}`, "a.b.0", "1", true},
		{"JSON null", json, `{"website":null}`, "website", "", false},
		{"JSON false", json, `{"website":false}`, "website", "", false},
		{"JSON true", json, `{"website":true}`, "website", "", true},
		{"JSON list", json, `{"website":["x"]}`, "website", "", true},
		{"JSON empty list", json, `{"website":[]}`, "website", "", false},
		{"JSON object", json, `{"website":{}}`, "website", "", true},
		{"broken JSON", json, `{"website":"x"`, "website", "", false},
		{"other type", "text/plain", "website=x", "website", "", false},
		{"multipart", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"website\"\r\n\r\nx\r\n--b--", "website", "x", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := booking.ReadFields(tt.contentType, []byte(tt.body))
			path := mustPath(t, tt.path)
			if text, filled := f.Text(path), f.Filled(path); text != tt.text || filled != tt.filled {
				t.Errorf("got %q, %t", text, filled)
			}
		})
	}
	if f := (booking.Fields{}); f.Text(booking.Path{}) != "" || f.Filled(booking.Path{}) {
		t.Error("no body has fields")
	}
}

// TestRecipients: what else is wrong with a body does not hide whom it names.
func TestRecipients(t *testing.T) {
	rules := &booking.Rules{
		Fields:    map[booking.Property][]booking.Path{booking.PropGuests: {mustPath(t, "guests")}},
		MaxGuests: 2,
	}
	body := `{"start":"garbage","email":"Ada@Example.net","guests":["bob@example.org","nobody"]}`
	client, guests := booking.Recipients("application/json", []byte(body), rules)
	if client.String() != "Ada@example.net" || len(guests) != 1 || guests[0].String() != "bob@example.org" {
		t.Errorf("got %v, %v", client, guests)
	}
	for _, body := range []string{"", "{", `{"email":"nobody"}`} {
		if client, guests := booking.Recipients("application/json", []byte(body), rules); !client.IsZero() || guests != nil {
			t.Errorf("%q: got %v, %v", body, client, guests)
		}
	}
}

func TestRulesReads(t *testing.T) {
	rules := &booking.Rules{
		Fields: map[booking.Property][]booking.Path{booking.PropEmail: {mustPath(t, "mail")}},
		Extra:  []booking.ExtraField{{Field: mustPath(t, "phone"), Label: "Phone"}},
	}
	for path, want := range map[string]bool{"mail": true, "email": false, "name": true, "phone": true, "website": false, "summary": false, "host": false} {
		if got := rules.Reads(mustPath(t, path)); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

func TestParseDomain(t *testing.T) {
	for in, want := range map[string]string{
		"Example.COM": "example.com", "bücher.example": "xn--bcher-kva.example", "com": "", "": "", "a@b.example": "", "-a.example": "",
	} {
		if got, err := booking.ParseDomain(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}
