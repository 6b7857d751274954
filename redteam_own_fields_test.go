package caddyicalmail

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// checkInertPage: nothing on a page runs or is loaded, and no placeholder was
// expanded.
func checkInertPage(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	if strings.Contains(body, "opensesame") {
		t.Error("a placeholder was expanded")
	}
	policy := w.Header().Get("Content-Security-Policy")
	if w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("headers %v", w.Header())
	}
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if slices.Contains([]string{"script", "img", "iframe", "object", "embed", "base", "link"}, node.Data) && node.Type == html.ElementNode {
			t.Errorf("the page has a %s", node.Data)
		}
		for _, a := range node.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "href" && !strings.HasPrefix(a.Val, "https://") && a.Val != "?"+fileQuery {
				t.Errorf("the page has %s=%q", a.Key, a.Val)
			}
		}
	}
}

// run is T.Run for a site that goes on.
func (s *site) run(name string, f func(t *testing.T)) {
	parent := s.T
	defer func() { s.T = parent }()
	parent.Run(name, func(t *testing.T) {
		s.T = t
		f(t)
	})
}

// state is all that a link could change of an event.
func (s *site) state(uid string) string {
	s.Helper()
	e, messages, err := s.out.store.Event(s.Context(), uid)
	if err != nil {
		s.Fatal(err)
	}
	return fmt.Sprint(e.Status, e.Sequence, e.Start.UTC(), e.End.UTC(), e.Summary, e.Location, e.Description, e.Notes, e.Client, e.Guests, len(messages))
}

// parties books and returns the links of the client and the host.
func (s *site) parties(n int) (uid string, links map[booking.Role]string) {
	s.Helper()
	w := s.book(encodeJSON(harmless(n)))
	if w.Code != http.StatusAccepted {
		s.Fatalf("%d %s", w.Code, w.Body)
	}
	links = map[booking.Role]string{}
	for _, m := range s.out.take(s, 2) {
		uid, links[m.Role] = m.UID, linkIn(s.T, m)
	}
	return uid, links
}

// TestRedTeamNotes puts every attack into the note of a move and of a
// cancellation by each side. The other side alone gets it, as text.
func TestRedTeamNotes(t *testing.T) {
	t.Setenv("TEST_SECRET", "opensesame")
	s := startSite(t, ownDirective("manage /appointments\nlimit recipient 100000 1h"))
	header := ownHeader(s)
	n := 0
	for _, role := range []booking.Role{booking.RoleClient, booking.RoleHost} {
		for _, attack := range attacks {
			if n++; n%redteamSample != 0 {
				continue
			}
			s.run(string(role)+"/"+attack.name, func(t *testing.T) {
				_, links := s.parties(n)
				for i, action := range []string{"move", "cancel"} {
					w := s.press(links[role], action, url.Values{"start": {"2027-06-01T10:30"}, "note": {attack.text}})
					checkInertPage(t, w)
					if utf8.RuneCountInString(string(booking.CleanText(attack.text))) > maxNote {
						s.want(w, http.StatusUnprocessableEntity, "longer than")
						continue
					}
					s.want(w, http.StatusOK)
					for _, m := range s.out.take(t, 2) {
						checkNoted(t, m, header, m.Role != role, i+1)
					}
				}
			})
		}
	}
}

// ownHeader is the names of the header fields of mails about changes, by
// method.
func ownHeader(s *site) map[string][]string {
	s.Helper()
	_, links := s.parties(9000)
	header := map[string][]string{}
	s.want(s.press(links[booking.RoleClient], "move", url.Values{"start": {"2027-06-01T10:30"}, "note": {"Tea"}}), http.StatusOK)
	for _, m := range s.out.take(s, 2) {
		header[m.Method] = parseMail(s, m.Raw).fields
	}
	s.want(s.press(links[booking.RoleClient], "cancel", url.Values{"note": {"Tea"}}), http.StatusOK)
	for _, m := range s.out.take(s, 2) {
		header[m.Method] = parseMail(s, m.Raw).fields
	}
	return header
}

func checkNoted(t *testing.T, m store.NewMessage, header map[string][]string, noted bool, sequence int) {
	t.Helper()
	checkAttackedMail(t, m, header[m.Method], false)
	mail := parseMail(t, m.Raw)
	if m.Sequence != sequence {
		t.Errorf("SEQUENCE %d, want %d", m.Sequence, sequence)
	}
	for where, text := range map[string]string{"header": mail.header, "calendar": mail.calendar} {
		if strings.Contains(text, "evil") {
			t.Errorf("the note is in the %s:\n%s", where, text)
		}
	}
	if !noted && (strings.Contains(mail.text, "evil") || strings.Contains(mail.html, "evil")) {
		t.Errorf("the %s gets the own note", m.Role)
	}
	if to := m.To.String(); to != "ada@example.net" && to != "grace@example.org" {
		t.Errorf("a mail goes to %s", to)
	}
}

// TestRedTeamPageFields puts every attack into the other fields of the pages.
// Nothing happens.
func TestRedTeamPageFields(t *testing.T) {
	t.Setenv("TEST_SECRET", "opensesame")
	s := startSite(t, ownDirective("manage /appointments\nconfirm /confirm"))
	s.book(goodJSON)
	confirm := s.out.take(t, 1)[0]
	pending := linkIn(t, confirm)
	other := s.join(ownDirective("scope other\nmanage /appointments"))
	uid, links := other.parties(1)
	for where, tt := range map[string]struct {
		link, action, uid string
		fields            map[string]int // what is answered
	}{
		"client":  {links[booking.RoleClient], "move", uid, map[string]int{"start": 422, "action": 400, "token": 409}},
		"host":    {links[booking.RoleHost], "cancel", uid, map[string]int{"action": 400, "token": 409}},
		"confirm": {pending, "confirm", confirm.UID, map[string]int{"action": 400, "token": 409}},
	} {
		before := s.state(tt.uid)
		form := formOf(t, s.get(tt.link).Body.String(), tt.action)
		for field, status := range tt.fields {
			for _, attack := range attacks {
				s.run(where+"/"+field+"/"+attack.name, func(t *testing.T) {
					attacked := maps.Clone(form)
					attacked[field] = []string{attack.text}
					w := s.send(tt.link, attacked)
					s.want(w, status)
					if status != 400 { // which is for those who never saw the page
						checkInertPage(t, w)
					}
					if after := s.state(tt.uid); after != before {
						t.Errorf("before: %s\nafter: %s", before, after)
					}
				})
			}
		}
	}
}

// TestRedTeamPageBodies sends the right fields in wrong ways.
func TestRedTeamPageBodies(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments"))
	uid, links := s.parties(1)
	before := s.state(uid)
	for _, link := range links {
		token := formOf(t, s.get(link).Body.String(), "cancel").Get("token")
		fields := map[string]string{"token": token, "action": "cancel"}
		form := url.Values{"token": {token}, "action": {"cancel"}}.Encode()
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		_, _ = io.WriteString(z, form) // a buffer takes everything
		_ = z.Close()
		raw := func(contentType, body string, headers ...string) *http.Request {
			r := post(contentType, body)
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			return r
		}
		for name, tt := range map[string]struct {
			r      *http.Request
			status int
		}{
			"JSON":                  {jsonBody(fields), 415},
			"multipart":             {multipartForm(fields), 415},
			"plain":                 {raw("text/plain", form), 415},
			"no type":               {raw("", form), 415},
			"two types":             {raw(formType+", text/plain", form), 415},
			"gzip":                  {raw(formType, zipped.String(), "Content-Encoding", "gzip"), 415},
			"a lie about gzip":      {raw(formType, form, "Content-Encoding", "gzip"), 415},
			"huge":                  {raw(formType, form+"&note="+strings.Repeat("x", 1<<20)), 413},
			"many fields":           {raw(formType, strings.Repeat("a=&", 20000)+form), 400},
			"semicolons":            {raw(formType, strings.ReplaceAll(form, "&", ";")), 400},
			"bad escape":            {raw(formType, form+"&x=%zz"), 400},
			"nothing":               {raw(formType, ""), 409},
			"action twice":          {raw(formType, "action=evil&"+form), 400},
			"token twice":           {raw(formType, "token=evil&"+form), 409},
			"token as a list":       {raw(formType, "token[]="+token+"&action=cancel"), 409},
			"an action of others":   {raw(formType, strings.Replace(form, "cancel", "confirm", 1)), 400},
			"an action in capitals": {raw(formType, strings.Replace(form, "cancel", "CANCEL", 1)), 400},
			"no action":             {raw(formType, "token="+token), 400},
			"long note":             {raw(formType, form+"&note="+strings.Repeat("x", 2001)), 422},
		} {
			s.run(name, func(t *testing.T) {
				tt.r.URL, _ = url.Parse(link)
				checkEffort(t, func() { s.want(s.visit(tt.r), tt.status) })
				if after := s.state(uid); after != before {
					t.Errorf("before: %s\nafter: %s", before, after)
				}
			})
		}
	}
}

// TestRedTeamConfirm books with every attack in every field, and confirms. The
// mail that asks for it has nothing of what was typed, and the invitations are
// as clean as without it.
func TestRedTeamConfirm(t *testing.T) {
	t.Setenv("TEST_SECRET", "opensesame")
	s := startSite(t, redteamDirective(entry{handler: "base_url https://example.com\nconfirm /confirm"}))
	header := pressed(s, harmless(9000))
	n := 0
	for _, field := range []string{"name", "email", "description", "topic", "title", "place", "friends", "timezone", "locale", "unknown"} {
		for _, attack := range attacks {
			if n++; n%redteamSample != 0 {
				continue
			}
			s.run(field+"/"+attack.name, func(t *testing.T) {
				fields := harmless(n)
				fields[field] = attack.text
				fields["start"] = harmless(n % 8000)["start"]
				w, err := serve(t, s.h, urlencoded(fields))
				if err != nil || w.Code != http.StatusAccepted && w.Code != http.StatusUnprocessableEntity {
					t.Fatalf("%d %s (%v)", w.Code, w.Body, err)
				}
				checkInertPage(t, w)
				if w.Code != http.StatusAccepted {
					return
				}
				link := askedFor(t, s.out.take(t, 1)[0], field)
				page := s.get(link)
				checkInertPage(t, page)
				s.want(s.send(link, formOf(t, page.Body.String(), "confirm")), http.StatusOK)
				for _, m := range s.out.take(t, s.recipients()) {
					checkAttackedMail(t, m, header, false)
					checkRecipient(t, m, field, attack.text)
				}
			})
		}
	}
}

// pressed books, confirms, and returns the names of the header fields.
func pressed(s *site, fields map[string]string) []string {
	s.Helper()
	s.book(encodeJSON(fields))
	s.want(s.press(linkIn(s.T, s.out.take(s, 1)[0]), "confirm", nil), http.StatusOK)
	return parseMail(s, s.out.take(s, 2)[0].Raw).fields
}

// recipients is how many are invited to what was confirmed last.
func (s *site) recipients() int {
	s.Helper()
	messages, err := s.out.store.List(s.Context(), store.Filter{})
	if err != nil {
		s.Fatal(err)
	}
	uid, n := messages[len(messages)-1].UID, 0
	for _, m := range messages {
		if m.UID == uid && m.Method != "" {
			n++
		}
	}
	return n
}

// askedFor checks the mail that asks for a confirmation, and returns its link.
func askedFor(t *testing.T, m store.NewMessage, field string) string {
	t.Helper()
	mail := parseMail(t, m.Raw)
	said := mail.header + mail.text + mail.html
	if field == "email" {
		said = strings.ReplaceAll(said, m.To.String(), "")
	}
	if strings.Contains(strings.ToLower(said), "evil") || strings.Contains(said, "opensesame") || mail.calendar != "" {
		t.Errorf("the mail says what was typed:\n%s", said)
	}
	return linkIn(t, m)
}
