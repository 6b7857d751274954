package caddyicalmail

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// TestExpansion tells the operator's words from what comes with the request.
func TestExpansion(t *testing.T) {
	t.Setenv("TEST_ROOM", "https://meet.example/{http.request.header.X-User}")
	r := httptest.NewRequest(http.MethodPost, "https://example.com/a?b=c", nil)
	r.Header.Set("X-User", "http://evil.example {env.TEST_ROOM}\u202e me@evil.example")
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), httptest.NewRecorder(), nil)
	x := newExpansion(r, map[string]string{"name": "Ada & {env.TEST_ROOM}", "id": "a b/c"})
	for in, want := range map[string]string{
		"https://meet.example/room":              "https://meet.example/room",
		"{env.TEST_ROOM}":                        "https://meet.example/{http.request.header.X-User}",
		"For {http.request.header.X-User}":       "For http evil. example {env.TEST_ROOM} me evil. example",
		"For {http.ical_invite.name}":            "For Ada & {env.TEST_ROOM}",
		"{http.request.header.X-Missing}nothing": "nothing",
	} {
		if got := string(x.line(in)); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
	if got := x.url("/thanks?id={http.ical_invite.id}&u={http.request.header.X-User}"); got !=
		"/thanks?id=a+b%2Fc&u=http%3A%2F%2Fevil.example+%7Benv.TEST_ROOM%7D%E2%80%AE+me%40evil.example" {
		t.Errorf("url: got %q", got)
	}
}
