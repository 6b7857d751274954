package caddyicalmail

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestOwnConfigErrors sets up what cannot work.
func TestOwnConfigErrors(t *testing.T) {
	for options, says := range map[string]string{
		"manage /a":                              "need a base_url",
		"confirm":                                "need a base_url",
		"base_url https://example.com\nmanage a": "begin with a slash",
		"base_url https://example.com\nmanage /a/":                          "not end in a slash",
		"base_url https://example.com\nmanage /a*":                          "plain",
		"base_url example.com\nmanage /a":                                   "not a web address",
		"base_url https://example.com/?x\nmanage /a":                        "neither user",
		"base_url https://u:p@example.com\nmanage /a":                       "neither user",
		"base_url https://e.x\nmanage /a {\nsecret x\n}":                    "placeholder",
		"base_url https://e.x\nmanage /a {\non_cancel http://localhost/\n}": "need a secret",
		"base_url https://e.x\nconfirm {\nhold 16m\n}":                      "at most 15 minutes",
		"base_url https://e.x\nconfirm {\nexpires 30d\n}":                   "at most 7 days",
		"base_url https://e.x\nconfirm\npass_thru":                          "confirm is for",
		"exclusive\npass_thru":                                              "exclude each other",
		"exclusive\nexclusive":                                              "set twice",
		"exclusive {http.ical_invite.nmae}":                                 "unknown placeholder",
		"notice 2d\nhorizon 1d":                                             "must be longer",
		"form_token {\nmin_age 2h\nmax_age 1h\n}":                           "must be longer",
		"form_token /x /y":                                                  "argument",
	} {
		directive := strings.Replace(minimalDirective, "timezone", options+"\ntimezone", 1)
		if _, err := provisionHandler(t, directive); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one that says %q", options, err, says)
		}
	}
	a := &App{Keys: []string{"{env.TEST_SHORT}"}}
	t.Setenv("TEST_SHORT", "short")
	if err := a.resolveKeys(caddy.NewReplacer()); err == nil || strings.Contains(err.Error(), "short\"") {
		t.Errorf("a short key: %v", err)
	}
}
