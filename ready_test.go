package caddyicalmail

import "testing"

func TestSiteAddress(t *testing.T) {
	for listen, want := range map[string]string{
		":8080":                  "http://localhost:8080",
		"0.0.0.0:80":             "http://localhost:80",
		"[::1]:8080":             "http://[::1]:8080",
		"tcp/127.0.0.1:81":       "http://127.0.0.1:81",
		"unix//run/caddy.sock":   "",
		"localhost:8000-8001":    "",
		"example.com:not-a-port": "",
	} {
		if got := siteAddress("http", listen); got != want {
			t.Errorf("%s: got %q, want %q", listen, got, want)
		}
	}
}
