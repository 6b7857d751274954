package caddyicalmail

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// TestRedTeamOrigins are origins that look like ours.
func TestRedTeamOrigins(t *testing.T) {
	h := newHandler(t, guarded("origin https://shop.example"))
	out := capture(t, h)
	for _, origin := range []string{
		"", " ", "null", "NULL", "https://example.com.", "https://example.com.evil.example", "https://evilexample.com", "https://example.comevil.example",
		"https://evil.example#example.com", "https://evil.example/example.com", "https://evil.example?example.com", "https://example.com@evil.example",
		"https://evil.example\\@example.com", "https://example.com:443@evil.example", "https://example.com:444", "https://example.com%00.evil.example",
		"https://example.com\t.evil.example", "//example.com", "javascript://example.com", "https:example.com", "https://", "https://shop.example.",
		"HTTPS://shop.example", "https://SHOP.example", "https://shop.example:443", "https://shop.example/", "http://shop.example", "https://shop.example https://example.com",
		"https://shop.example,https://evil.example", "https://xn--exmple-cua.com", "https://ex\u00e4mple.com", "https://\uff45xample.com", "https://shop。example",
		"https://[::1]", "https://0x7f.1", "https://example.com:0", "https://example.com:00443", "https://example.com:99999",
	} {
		r := post(jsonType, goodJSON)
		r.Header["Origin"] = []string{origin}
		w, err := serve(t, h, r)
		if err != nil || w.Code != http.StatusForbidden || w.Header().Get(headerAllowOrigin) != "" || w.Header().Get("Vary") != "Origin" {
			t.Errorf("%q: %d, %v (%v)", origin, w.Code, w.Header(), err)
		}
	}
	for _, origins := range [][]string{{"https://shop.example", "https://evil.example"}, {"https://example.com", ""}, {"", "https://example.com"}} {
		r := post(jsonType, goodJSON)
		r.Header["Origin"] = origins
		if w, err := serve(t, h, r); err != nil || w.Code != http.StatusForbidden || w.Header().Get(headerAllowOrigin) != "" {
			t.Errorf("%q: %d (%v)", origins, w.Code, err)
		}
	}
	out.checkEmpty(t)
}

// TestRedTeamProofs sends solutions that are not quite what was asked.
func TestRedTeamProofs(t *testing.T) {
	h := newHandler(t, guarded("captcha altcha {\ncost 1000\n}"))
	other := newHandler(t, guarded("scope other\ncaptcha altcha {\ncost 1000\n}"))
	out := capture(t, h)
	other.app, other.transport = h.app, h.transport
	challenge, err := h.issuer().Challenge(1000, testNow.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	asked, err := json.Marshal(challenge)
	if err != nil {
		t.Fatal(err)
	}
	payload := solveChallenge(t, asked)
	raw, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	var good map[string]any
	if err := json.Unmarshal(raw, &good); err != nil {
		t.Fatal(err)
	}
	number := fmt.Sprint(int(good["number"].(float64)))
	with := func(pairs ...any) string {
		forged := maps.Clone(good)
		for i := 0; i < len(pairs); i += 2 {
			forged[pairs[i].(string)] = pairs[i+1]
		}
		text, _ := json.Marshal(forged)
		return base64.StdEncoding.EncodeToString(text)
	}
	salt := challenge.Salt
	wrong := map[string]any{
		"missing": nil, "empty": "", "number": 1, "true": true, "object": map[string]any{"a": payload}, "list": []string{payload, payload}, "long": strings.Repeat(payload, 100),
		"not base64": payload + "!", "other number": with("number", 1001), "huge number": with("number", json.Number("9223372036854775808")),
		"exponent": with("number", json.Number(number+"e0")), "negative": with("number", json.Number("-"+number)), "fraction": with("number", json.Number(number+".0")),
		"number with a space": with("number", " "+number), "number with zeros": with("number", "00"+number), "later": with("salt", strings.Replace(salt, "expires=", "expires=9", 1)),
		"longer salt": with("salt", salt+"&x="), "two expiries": with("salt", strings.Replace(salt, "?", "?expires=9999999999&", 1)), "long salt": with("salt", salt+strings.Repeat("0", 300)),
		"digits moved": with("salt", salt+number[:1], "number", json.Number(cmp.Or(number[1:], "0"))), "digits moved back": with("salt", salt[:len(salt)-2], "number", json.Number(number)), "other algorithm": with("algorithm", "SHA-1"), "no algorithm": with("algorithm", ""),
		"capital signature": with("signature", strings.ToUpper(challenge.Signature)), "no signature": with("signature", ""), "other challenge": with("challenge", strings.Repeat("0", 64)),
	}
	book := func(h *Handler, altcha any) int {
		t.Helper()
		body, _ := json.Marshal(map[string]any{"name": "Ada", "email": "ada@example.net", "start": "2027-03-05T10:30", "altcha": altcha})
		w, err := serve(t, h, post(jsonType, string(body)))
		if err != nil {
			t.Fatal(err)
		}
		return w.Code
	}
	for name, altcha := range wrong {
		if status := book(h, altcha); status != http.StatusForbidden {
			t.Errorf("%s: %d", name, status)
		}
	}
	out.checkEmpty(t)
	if status := book(h, payload); status != http.StatusAccepted {
		t.Errorf("the right one: %d", status)
	}
	if status := book(other, payload); status != http.StatusForbidden {
		t.Errorf("the same at another handler: %d", status)
	}
}

// TestRedTeamTrappedConfirm: with confirm, a trapped booking looks as if a mail
// was on its way.
func TestRedTeamTrappedConfirm(t *testing.T) {
	for name, options := range map[string]string{"page": "", "redirect": "redirect /thanks?id={http.ical_invite.uid}"} {
		for contentType, body := range map[string]string{jsonType: goodJSON, formType: goodForm} {
			t.Run(name+" "+contentType, func(t *testing.T) {
				s := startSite(t, ownDirective("honeypot website\nexclusive\nconfirm /confirm\n"+options))
				trap := body + "&website=x"
				if contentType == jsonType {
					trap = strings.Replace(body, "{", `{"website":["x"],`, 1)
				}
				var answers []string
				for _, body := range []string{trap, body} {
					w, err := serve(t, s.h, post(contentType, body))
					if err != nil {
						t.Fatal(err)
					}
					var b strings.Builder
					_ = w.Header().Write(&b)
					answers = append(answers, fmt.Sprint(w.Code, anyUID.ReplaceAllString(b.String()+w.Body.String(), "UID@")))
				}
				if answers[0] != answers[1] {
					t.Errorf("trapped: %s\nreal: %s", answers[0], answers[1])
				}
				if n := s.events(); n != 1 {
					t.Errorf("%d events", n)
				}
			})
		}
	}
}

// TestRedTeamClosedStore opens pages when the store is gone, as after the
// config's end.
func TestRedTeamClosedStore(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	s.book(goodJSON)
	link := linkIn(t, s.out.take(t, 1)[0])
	form := formOf(t, s.get(link).Body.String(), "confirm").Encode()
	if err := s.out.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*http.Request{httptest.NewRequest(http.MethodGet, link, http.NoBody), httptest.NewRequest(http.MethodPost, link, strings.NewReader(form))} {
		r.Header.Set("Content-Type", formType)
		if _, err := serveOwn(s.h, r); err == nil || !strings.Contains(err.Error(), "503") {
			t.Errorf("%s: %v", r.Method, err)
		}
	}
}

// TestRedTeamReload uses the pages of one config with the next one.
func TestRedTeamReload(t *testing.T) {
	s := startSite(t, ownDirective("scope one\n"+confirmOptions))
	s.book(goodJSON)
	confirm := linkIn(t, s.out.take(t, 1)[0])
	next := s.join(ownDirective("scope one\nmanage /appointments\nconfirm /confirm"))
	form := formOf(t, s.get(confirm).Body.String(), "confirm")
	s.want(next.send(confirm, form), http.StatusOK, "is confirmed")
	link := linkIn(t, s.out.take(t, 2)[0])
	form = formOf(t, s.get(link).Body.String(), "cancel")
	// The key was replaced.
	t.Setenv("TEST_KEY", strings.Repeat("k", 40))
	a := &App{Keys: []string{"{env.TEST_KEY}"}, signs: true}
	if err := a.resolveKeys(caddy.NewReplacer()); err != nil {
		t.Fatal(err)
	}
	ring, err := a.keyring(t.Context(), s.out.store)
	if err != nil {
		t.Fatal(err)
	}
	old := s.h.app.running.keys
	s.h.app.running.keys = ring
	s.want(next.send(link, form), http.StatusNotFound)
	s.h.app.running.keys = old
	// The pages are gone.
	next.h.Manage = nil
	if w := next.send(link, form); w.Code != http.StatusNotFound || w.Body.Len() > 0 {
		t.Errorf("not handed on: %d %s", w.Code, w.Body)
	}
	s.want(s.get(link), http.StatusOK, "Confirmed")
}
