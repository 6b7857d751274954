package caddyicalmail

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// TestRedTeamCSRF sends good forms as other sites' pages would.
func TestRedTeamCSRF(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm\norigin https://shop.example"))
	s.book(goodJSON)
	confirm := linkIn(t, s.out.take(t, 1)[0])
	s.want(s.press(confirm, "confirm", nil), http.StatusOK)
	managed := s.out.take(t, 2)[0]
	s.book(strings.Replace(goodJSON, "05T10", "06T10", 1))
	pending := s.out.take(t, 1)[0]
	before := s.state(managed.UID) + s.state(pending.UID)
	for link, action := range map[string]string{linkIn(t, managed): "cancel", linkIn(t, pending): "confirm"} {
		form := formOf(t, s.get(link).Body.String(), action)
		for _, site := range []string{"cross-site", "same-site", "CROSS-SITE", "same-origin, cross-site", "x"} {
			for _, origin := range []string{"", "https://evil.example", "https://shop.example", "null", "https://example.com"} {
				s.run(action+" "+site+" "+origin, func(*testing.T) {
					r := httptest.NewRequest(http.MethodPost, link, strings.NewReader(form.Encode()))
					r.Header.Set("Content-Type", formType)
					r.Header.Set("Sec-Fetch-Site", site)
					if origin != "" {
						r.Header.Set("Origin", origin)
					}
					w := s.visit(r)
					s.want(w, http.StatusForbidden)
				})
			}
		}
		for _, origin := range []string{"https://evil.example", "https://shop.example"} {
			r := httptest.NewRequest(http.MethodGet, link, http.NoBody)
			r.Header.Set("Origin", origin)
			if w := s.visit(r); w.Header().Get(headerAllowOrigin) != "" {
				t.Errorf("%s can read the page: %v", origin, w.Header())
			}
			r.Method = http.MethodOptions
			r.Header.Set("Access-Control-Request-Method", "POST")
			if w := s.visit(r); w.Code != http.StatusMethodNotAllowed || w.Header().Get(headerAllowOrigin) != "" {
				t.Errorf("preflight of %s: %d %v", origin, w.Code, w.Header())
			}
		}
	}
	if after := s.state(managed.UID) + s.state(pending.UID); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// TestRedTeamSwappedTokens puts everything that we ever signed into every place
// where something signed is wanted.
func TestRedTeamSwappedTokens(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm\nform_token /token\ncaptcha altcha"))
	h := s.h
	h.FormToken, h.Captcha, h.Confirm = nil, nil, nil
	uid, links := s.parties(1)
	otherUID, others := s.parties(2)
	h.Confirm = &Confirmation{Path: "/confirm", Expires: defaultConfirmExpires, Hold: 1, MaxHeld: 1}
	s.book(encodeJSON(harmless(3)))
	asked := s.out.take(t, 1)[0]
	pending := linkIn(t, asked)
	last := func(link string) string { return link[strings.LastIndex(link, "/")+1:] }
	challenge, err := h.issuer().Challenge(10, testNow.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	act := formOf(t, s.get(links[booking.RoleClient]).Body.String(), "cancel").Get("token")
	confirm := formOf(t, s.get(pending).Body.String(), "confirm").Get("token")
	h.FormToken = &FormToken{MaxAge: defaultMaxAge}
	signed := map[string]string{
		"client's link": last(links[booking.RoleClient]), "host's link": last(links[booking.RoleHost]), "confirmation": last(pending),
		"another's page": formOf(t, s.get(others[booking.RoleClient]).Body.String(), "cancel").Get("token"),
		"act":            act, "act to confirm": confirm, "form": h.mint(), "challenge": challenge.Signature,
		"challenge's salt": challenge.Salt, "challenge's hash": challenge.Challenge,
		"form about the booking": h.keys().Sign(token.Token{Purpose: token.Form, Subject: uid, Issued: testNow, Expires: testNow.Add(time.Hour)}),
	}
	before := s.state(uid) + s.state(otherUID) + s.state(asked.UID)
	places := []struct {
		link, action string
		good         []string
		status       int // on a page, a wrong one is
	}{
		{links[booking.RoleClient], "cancel", []string{"act"}, 409},
		{links[booking.RoleHost], "move", []string{"act"}, 409},
		{pending, "confirm", []string{"act to confirm"}, 409},
	}
	for name, text := range signed {
		for _, place := range places {
			if place.good[0] == name {
				continue
			}
			s.run(name+" to "+place.action, func(*testing.T) {
				s.want(s.send(place.link, url.Values{"token": {text}, "action": {place.action}, "start": {"2027-06-01T10:30"}}), place.status)
			})
		}
		for path, good := range map[string][]string{"/appointments/": {"client's link", "host's link"}, "/confirm/": {"confirmation"}} {
			if good[0] == name || len(good) > 1 && good[1] == name {
				continue
			}
			s.run(name+" below "+path, func(*testing.T) {
				s.want(s.get("https://example.com"+path+url.PathEscape(text)), 404, "not one of ours")
			})
		}
	}
	if after := s.state(uid) + s.state(otherUID) + s.state(asked.UID); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// TestRedTeamTokenBits flips every bit of a link and of a form's token, cuts
// them at every place, and writes the same bits in other letters.
func TestRedTeamTokenBits(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	uid, links := s.parties(1)
	link := links[booking.RoleClient]
	base := link[:strings.LastIndex(link, "/")+1]
	text := strings.TrimPrefix(link, base)
	form := formOf(t, s.get(link).Body.String(), "cancel")
	before := s.state(uid)
	check := func(forged string) {
		t.Helper()
		if w := s.get(base + url.PathEscape(forged)); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "Ada") {
			t.Errorf("the link %q: %d", forged, w.Code)
		}
	}
	for i := range text {
		if i > 0 {
			check(text[:i])
		}
		check(text[:i] + text[i+1:])
		check(text[:i] + "=" + text[i:])
		check(text[:i] + "\n" + text[i:])
		check(text[:i] + " " + text[i:])
	}
	for _, place := range []string{text, form.Get("token")} {
		raw, err := base64.RawURLEncoding.DecodeString(place)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(raw) * 8 {
			raw[i/8] ^= 1 << (i % 8)
			forged := base64.RawURLEncoding.EncodeToString(raw)
			raw[i/8] ^= 1 << (i % 8)
			check(forged)
			if w := s.send(link, url.Values{"token": {forged}, "action": {"cancel"}}); w.Code != http.StatusConflict {
				t.Errorf("the form's token %q: %d", forged, w.Code)
			}
		}
	}
	for _, spelled := range []string{
		text + "==", text + "=", base64.StdEncoding.EncodeToString([]byte(text)), strings.ToLower(text), strings.ToUpper(text), text + "%00", text + "\x00", text + text,
	} {
		check(spelled)
	}
	if after := s.state(uid); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// TestRedTeamLinkPaths asks for a link in all ways in which a path can be
// written. It is ours or not, and nothing is ever done by a GET, by another
// method, or by saying that it is one.
func TestRedTeamLinkPaths(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm"))
	s.book(goodJSON)
	pending := s.out.take(t, 1)[0]
	confirm := linkIn(t, pending)
	before := s.state(pending.UID)
	text := confirm[strings.LastIndex(confirm, "/")+1:]
	for path, status := range map[string]int{
		"/confirm/" + text: 200, "/CONFIRM/" + text: 200, "/Confirm/" + text + "?": 200, "/confirm/" + text + "?format=ics": 200,
		"/confirm/" + text + "/": 404, "/confirm//" + text: 404, "//confirm/" + text: 404, "/x/../confirm/" + text: 404, "/./confirm/" + text: 404,
		"/confirm/../confirm/" + text: 404, "/confirm/%2e%2e/" + text: 404, "/confirm%2f" + text: 200, "/%63onfirm/" + text: 200,
		"/confirm/" + text + "/..": 404, "/confirm/" + text + ";x": 404, "/confirm/" + text + "%00": 404, "/confirm": 404, "/confirm/": 404,
		"/confirm/?" + text: 404, "/\u212aonfirm/" + text: 404, "/appointments/" + text: 404, "/appointments/" + text + "?format=ics": 404,
	} {
		w := s.get("https://example.com" + path)
		if w.Code != status || strings.Contains(w.Body.String(), "BEGIN:VCALENDAR") {
			t.Errorf("%s: %d, want %d\n%.200s", path, w.Code, status, w.Body)
		}
	}
	form := formOf(t, s.get(confirm).Body.String(), "confirm").Encode()
	for _, header := range []string{"", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method"} {
		for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "post", "Get"} {
			r := httptest.NewRequest(http.MethodGet, confirm+"?_method=POST&"+form, strings.NewReader(form+"&_method=POST"))
			r.Method = method
			r.Header.Set("Content-Type", formType)
			if header != "" {
				r.Header.Set(header, "POST")
			}
			if w := s.visit(r); w.Code != http.StatusMethodNotAllowed && method != "GET" && method != "HEAD" {
				t.Errorf("%s: %d", method, w.Code)
			}
		}
	}
	if after := s.state(pending.UID); after != before {
		t.Errorf("before: %s\nafter: %s", before, after)
	}
}

// TestRedTeamHostHeader asks for bookings and pages under other names. Links
// are those of base_url.
func TestRedTeamHostHeader(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm"))
	poison := func(r *http.Request) *http.Request {
		r.Host = "evil.example"
		r.URL.Scheme, r.URL.Host = "http", "evil.example" // as an absolute-form target
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Original-Host", "X-Host", "X-Original-Url",
			"X-Rewrite-Url", "X-Forwarded-Prefix", "X-Forwarded-Path", "Forwarded", "Referer", "Origin", "Via", "X-Http-Host-Override", "Base-Url"} {
			r.Header.Set(name, "https://evil.example/evil")
		}
		r.Header.Set("Forwarded", "host=evil.example;proto=http")
		return r
	}
	check := func(mails []store.NewMessage) (links []string) {
		for _, m := range mails {
			if strings.Contains(strings.Join(textsOf(t, m), "")+string(m.Raw), "evil") {
				t.Errorf("the %s's mail leads elsewhere:\n%s", m.Role, m.Raw)
			}
			links = append(links, linkIn(t, m))
		}
		return links
	}
	if w, err := serve(t, s.h, poison(post(jsonType, goodJSON))); err != nil || w.Code != http.StatusAccepted {
		t.Fatal(w.Code, err)
	}
	link := check(s.out.take(t, 1))[0]
	for i, action := range []string{"confirm", "move", "cancel"} {
		page := s.visit(poison(httptest.NewRequest(http.MethodGet, link, http.NoBody)))
		form := formOf(t, page.Body.String(), action)
		form.Set("start", "2027-03-08T14:00")
		r := poison(httptest.NewRequest(http.MethodPost, link, strings.NewReader(form.Encode())))
		r.Header.Set("Content-Type", formType)
		w := s.visit(r)
		s.want(w, http.StatusOK)
		if strings.Contains(page.Body.String()+w.Body.String(), "evil") || w.Header().Get("Location") != "" {
			t.Errorf("the page to %s leads elsewhere:\n%s", action, w.Body)
		}
		if links := check(s.out.take(t, 2)); i == 0 {
			link = links[0]
		}
	}
}
