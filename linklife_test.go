package caddyicalmail

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestPendingKeyEnds books a slot anew that was confirmed and moved away from.
func TestPendingKeyEnds(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions))
	s.book(goodJSON)
	s.want(s.press(linkIn(t, s.mails(1)[0]), "confirm", nil), http.StatusOK)
	if w := s.book(goodJSON); !strings.Contains(w.Body.String(), `"status":"duplicate"`) {
		t.Errorf("a repetition of what is confirmed: %d %s", w.Code, w.Body)
	}
	manage := linkIn(t, s.mails(2)[0])
	s.want(s.press(manage, "move", url.Values{"start": {"2027-03-08T14:00"}}), http.StatusOK)
	s.mails(2)
	s.jump(testNow.Add(11 * time.Minute)) // beyond the life of a twin
	if w := s.book(goodJSON); !strings.Contains(w.Body.String(), `"status":"pending"`) {
		t.Fatalf("the old time once more: %d %s", w.Code, w.Body)
	}
	s.mails(1)
}

// TestLinksSurviveScope opens a link after the config has another host.
func TestLinksSurviveScope(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	delete(s.h.app.byScope, s.h.scope())
	host := s.h.hosts[""]
	host.Address = mustAddress(t, "successor@example.org")
	s.h.hosts[""] = host
	s.h.app.byScope[s.h.scope()] = []*Handler{s.h}
	s.want(s.get(link), http.StatusOK, "grace@example.org")
	s.want(s.press(link, "cancel", nil), http.StatusOK, "is cancelled")
	for _, m := range s.mails(2) {
		if strings.Contains(m.To.String(), "successor") {
			t.Errorf("a mail goes to %s", m.To)
		}
	}
}

// TestBackEndIsAskedLast does not ask a back end about what cannot be.
func TestBackEndIsAskedLast(t *testing.T) {
	s, b := startUpstream(t, "exclusive")
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	s.book(`{"name":"Bob","email":"bob@example.net","start":"2027-03-05T14:00"}`)
	s.mails(2)
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T13:30"}}), http.StatusConflict, "is taken already")
	if len(b.asked) != 0 {
		t.Errorf("asked %+v", b.asked)
	}
	b.answer(http.StatusConflict)
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T16:00"}}), http.StatusConflict, "does not allow")
	for start, want := range map[string]int{"16:00": http.StatusAccepted, "10:30": http.StatusConflict} {
		w := s.book(`{"name":"Eve","email":"eve@example.net","start":"2027-03-05T` + start + `"}`)
		if w.Code != want {
			t.Errorf("%s after the back end's refusal: %d %s", start, w.Code, w.Body)
		}
	}
}

// TestHostMovesAtWill is not bound by what clients are told.
func TestHostMovesAtWill(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nnotice 24h\nhorizon 7d"))
	s.book(goodJSON)
	mails := s.mails(2)
	soon := url.Values{"start": {"2027-03-01T12:00"}}
	s.want(s.press(linkIn(t, mails[0]), "move", soon), http.StatusUnprocessableEntity, "at least 1 day")
	s.want(s.press(linkIn(t, mails[1]), "move", soon), http.StatusOK, "has been moved")
}

// TestLength bounds how long a stranger keeps others out.
func TestLength(t *testing.T) {
	for options, longest := range map[string]string{
		"":                                "P31D",
		"exclusive":                       "PT24H",
		"max_duration 2h":                 "PT2H",
		"exclusive\nmax_duration 48h":     "P2D",
		"exclusive\nduration 36h":         "PT36H",
		"confirm\nexclusive\nduration 1h": "PT24H",
	} {
		s := startSite(t, ownDirective(options))
		for length, want := range map[string]int{longest: http.StatusAccepted, longest + "T1M": http.StatusUnprocessableEntity} {
			length = strings.ReplaceAll(length, "HT1M", "H1M")
			w := s.book(`{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","duration":"` + length + `"}`)
			if w.Code != want {
				t.Errorf("%q, %s: %d %s", options, length, w.Code, w.Body)
			}
		}
	}
}

// TestOwnClashes sets up pages and fields that hide each other.
func TestOwnClashes(t *testing.T) {
	for options, says := range map[string]string{
		"base_url https://e.x\nmanage /x\nconfirm /X":    "overlap",
		"base_url https://e.x\nmanage /x\nconfirm /x/y":  "overlap",
		"base_url https://e.x\nmanage /x\nform_token /x": "overlap",
		"form_token /x\ncaptcha altcha {\npath /x\n}":    "overlap",
		"captcha altcha {\npath //evil/x\n}":             "plain",
		"captcha altcha {\npath /a/../b\n}":              "plain",
		"form_token\nhoneypot form_token":                "the same field",
		"captcha altcha\nhoneypot altcha":                "the same field",
		"honeypot privacy\nconsent privacy Yes":          "the same field",
		"consent email Yes":                              "field of the booking",
		"form_token {\nfield name\n}":                    "field of the booking",
		"notice 1h\npass_thru":                           "the other side decides",
		"max_duration 30m":                               "less than the duration",
		"base_url https://e.x\nmanage /a {\non_cancel http://e.x/\nsecret {env.TEST_S}\ntimeout 1m\n}": "at most 20s",
	} {
		t.Setenv("TEST_S", upstreamSecret)
		directive := strings.Replace(minimalDirective, "timezone", options+"\ntimezone", 1)
		if _, err := provisionHandler(t, directive); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: error %v, want one that says %q", options, err, says)
		}
	}
}

// TestSameName refuses two handlers that their pages could not tell apart.
func TestSameName(t *testing.T) {
	h := newHandler(t, ownDirective("manage /a"))
	h.Name, h.config = "x", "one"
	for config, ok := range map[string]bool{"one": true, "two": false} {
		other := newHandler(t, ownDirective("manage /a"))
		other.Name, other.config = "x", config
		h.app.handlers["x"] = h
		if err := h.app.register(other); (err == nil) != ok {
			t.Errorf("config %s: %v", config, err)
		}
	}
}

// TestLinksAreCounted gives what links refuse its word.
func TestLinksAreCounted(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	check := counts(t, "link", 2)
	s.want(s.get(link+"A"), http.StatusNotFound)
	s.want(s.send(link, url.Values{"action": {"cancel"}}), http.StatusConflict)
	check()
	check = counts(t, "cancelled", 1)
	s.want(s.press(link, "cancel", nil), http.StatusOK)
	check()
}
