package caddyicalmail

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

func TestOrigin(t *testing.T) {
	h := newHandler(t, guarded("origin https://Www.Example.org:443 http://bücher.example:8080"))
	capture(t, h)
	for i, tt := range []struct {
		name, host, origin, site string
		status                   int
		allowed                  string
	}{
		{"curl", "example.com", "", "", 202, ""},
		{"same site", "example.com", "https://example.com", "same-origin", 202, ""},
		{"TLS ends elsewhere", "example.com", "https://example.com", "", 202, ""},
		{"with a port", "example.com:8443", "https://example.com:8443", "same-origin", 202, ""},
		{"usual port in Host", "example.com:443", "https://example.com", "same-origin", 202, ""},
		{"IPv6", "[::1]:8080", "http://[::1]:8080", "same-origin", 202, ""},
		{"capitals", "Example.COM", "https://example.com", "same-origin", 202, ""},
		{"other port", "example.com", "https://example.com:8443", "same-site", 403, ""},
		{"other site", "example.com", "https://evil.example", "cross-site", 403, ""},
		{"other site, old browser", "example.com", "https://evil.example", "", 403, ""},
		{"subdomain", "example.com", "https://shop.example.com", "same-site", 403, ""},
		{"suffix", "example.com", "https://example.com.evil.example", "cross-site", 403, ""},
		{"user in front", "example.com", "https://example.com@evil.example", "", 403, ""},
		{"no origin at all", "example.com", "example.com", "", 403, ""},
		{"other scheme", "example.com", "file://example.com", "", 403, ""},
		{"named", "example.com", "https://www.example.org", "cross-site", 202, "https://www.example.org"},
		{"named, IDN", "example.com", "http://xn--bcher-kva.example:8080", "cross-site", 202, "http://xn--bcher-kva.example:8080"},
		{"named host, other scheme", "example.com", "http://www.example.org", "cross-site", 403, ""},
		{"null", "example.com", "null", "", 403, ""},
		{"null from another site", "example.com", "null", "cross-site", 403, ""},
		{"null from here", "example.com", "null", "same-origin", 202, ""},
		{"only Sec-Fetch-Site", "example.com", "", "same-origin", 202, ""},
		{"typed in", "example.com", "", "none", 202, ""},
		{"cross-site without Origin", "example.com", "", "cross-site", 403, ""},
		{"same-site without Origin", "example.com", "", "same-site", 403, ""},
		{"unknown word", "example.com", "", "elsewhere", 403, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := post(jsonType, with(t, map[string]any{"email": fmt.Sprintf("a%d@example.net", i)}))
			r.Host = tt.host
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.site != "" {
				r.Header.Set("Sec-Fetch-Site", tt.site)
			}
			w, err := serve(t, h, r)
			if err != nil || w.Code != tt.status {
				t.Errorf("%v, %d %s", err, w.Code, w.Body)
			}
			header := w.Header()
			if header.Get(headerAllowOrigin) != tt.allowed || header.Get("Vary") != "Origin" || len(header.Values("Vary")) != 1 {
				t.Errorf("allows %q, varies by %q", header.Get(headerAllowOrigin), header.Values("Vary"))
			}
		})
	}
	r := post(jsonType, goodJSON)
	r.Header["Origin"] = []string{"https://example.com", "https://example.com"}
	if w, err := serve(t, h, r); err != nil || w.Code != http.StatusForbidden {
		t.Errorf("two origins: %v, %d", err, w.Code)
	}
}

// TestOriginBeforeBody: nothing of the body is read.
func TestOriginBeforeBody(t *testing.T) {
	for _, directive := range []string{guarded("origin"), guarded("origin\npass_thru {\n}")} {
		h := newHandler(t, directive)
		capture(t, h)
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			if h.PassThru == nil && method != "POST" {
				continue
			}
			r := post(jsonType, "")
			r.Method = method
			r.Body = untouched{t}
			r.Header.Set("Origin", "https://evil.example")
			if w, err := serveNext(h, r, noBackEnd(t)); err != nil || w.Code != http.StatusForbidden {
				t.Errorf("%s: %v, %d", method, err, w.Code)
			}
		}
	}
}

// untouched is a body that must not be read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, http.ErrBodyReadAfterClose
}

func (untouched) Close() error { return nil }

func TestPreflight(t *testing.T) {
	ask := func(origin, method string) *http.Request {
		r := post("", "")
		r.Method = http.MethodOptions
		r.Header.Set("Origin", origin)
		if method != "" {
			r.Header.Set("Access-Control-Request-Method", method)
		}
		return r
	}
	for _, tt := range []struct {
		name, options string
		r             *http.Request
		status        int
		methods       string
	}{
		{"named", "origin https://www.example.org", ask("https://www.example.org", "POST"), 204, "POST"},
		{"named, back end", "origin https://www.example.org\npass_thru {\n}", ask("https://www.example.org", "PUT"), 204, "POST, PUT, PATCH, DELETE"},
		{"not named", "origin https://www.example.org", ask("https://evil.example", "POST"), 403, ""},
		{"nobody named", "origin", ask("https://evil.example", "POST"), 403, ""},
		{"no guard", "", ask("https://www.example.org", "POST"), 404, ""},
		{"no preflight", "origin https://www.example.org", ask("https://www.example.org", ""), 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, guarded(tt.options))
			w, err := serve(t, h, tt.r)
			header := w.Header()
			if err != nil || w.Code != tt.status || header.Get("Access-Control-Allow-Methods") != tt.methods {
				t.Errorf("%v, %d, %v", err, w.Code, header)
			}
			if tt.methods != "" && (header.Get(headerAllowOrigin) != "https://www.example.org" || header.Get("Vary") != "Origin" ||
				header.Get("Access-Control-Max-Age") != "7200" || header.Get("Access-Control-Allow-Headers") != "Content-Type, Idempotency-Key") {
				t.Errorf("%v", header)
			}
			if tt.methods == "" && header.Get(headerAllowOrigin) != "" {
				t.Errorf("%v", header)
			}
		})
	}
}

// TestAnswersToNamedOrigins: refusals and the back end's answers can be read
// by the page too, and a back end that speaks for itself is not contradicted.
func TestAnswersToNamedOrigins(t *testing.T) {
	const named = "https://www.example.org"
	from := func(body string) *http.Request {
		r := post(jsonType, body)
		r.Header.Set("Origin", named)
		return r
	}
	h := newHandler(t, guarded("origin "+named))
	capture(t, h)
	if w, err := serve(t, h, from("{")); err != nil || w.Code != 400 || w.Header().Get(headerAllowOrigin) != named ||
		w.Header().Get("Access-Control-Expose-Headers") != "Retry-After" {
		t.Errorf("refusal: %v, %v", err, w.Header())
	}
	h = newHandler(t, guarded("origin "+named+"\npass_thru {\n}"))
	capture(t, h)
	for _, own := range []string{"", "*"} {
		w, err := serveNext(h, from(goodJSON), caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
			if own != "" {
				// As reverse_proxy does.
				w.Header().Add(headerAllowOrigin, own)
			}
			w.WriteHeader(http.StatusCreated)
			return nil
		}))
		want := named
		if own != "" {
			want = own
		}
		if got := w.Header().Values(headerAllowOrigin); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%q: %v, %v", own, err, w.Header())
		}
	}
}
