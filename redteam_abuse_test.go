package caddyicalmail

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestRedTeamRedirect: whatever is filled in, a browser stays where the
// operator sends it.
func TestRedTeamRedirect(t *testing.T) {
	hostile := []string{
		"//evil.example", `\\evil.example`, `/\evil.example`, "https://evil.example", "https:evil.example", "javascript:alert(1)",
		"x\r\nLocation: https://evil.example", "x\r\n\r\n<script>", "@evil.example", ".evil.example", "..//evil.example", "?#", "%2f%2fevil.example",
		"\t//evil.example", "{env.HOME}", "\u2028//evil.example", "\uff0f\uff0fevil.example",
	}
	for _, redirect := range []string{
		"/thanks", "/thanks?name={http.ical_invite.name}&host={http.ical_invite.host}&id={http.ical_invite.uid}", "/thanks/{http.ical_invite.name}",
		"/{http.ical_invite.name}", "{http.ical_invite.name}", "/{http.request.header.X-Next}", "{http.request.header.X-Next}", "{http.request.uri.query.next}",
		"https://example.com/{http.ical_invite.name}", "https://{http.request.host}/thanks#{http.ical_invite.name}",
	} {
		t.Run(redirect, func(t *testing.T) {
			h := newHandler(t, strings.Replace(minimalDirective, "timezone", fmt.Sprintf("redirect %q\nlimit recipient 1000 1h\ntimezone", redirect), 1))
			capture(t, h)
			for i, text := range hostile {
				form := url.Values{"name": {"x" + text}, "email": {"ada@example.net"}, "start": {fmt.Sprintf("2027-03-05T10:%02d", i)}}
				r := post(formType, form.Encode())
				r.Header["X-Next"] = []string{text}
				r.URL.RawQuery = "next=" + url.QueryEscape(text)
				w, err := serve(t, h, r)
				if err != nil || w.Code != http.StatusSeeOther {
					t.Fatalf("%q: %d, %v", text, w.Code, err)
				}
				checkLocation(t, w.Header().Get("Location"))
			}
		})
	}
}

// checkLocation resolves a Location as browsers do, which take a backslash
// for a slash.
func checkLocation(t *testing.T, location string) {
	t.Helper()
	if strings.ContainsAny(location, "\r\n\t\x00 \\") {
		t.Errorf("the Location is %q", location)
	}
	base := &url.URL{Scheme: "https", Host: "example.com", Path: "/book"}
	to, err := base.Parse(location)
	if err != nil || to.Scheme != "https" || to.Host != "example.com" {
		t.Errorf("the Location %q leads to %v (%v)", location, to, err)
	}
}

// TestRedTeamRedirectHost: a placeholder that a stranger fills must not become
// a part of the host, where escaping does not help.
func TestRedTeamRedirectHost(t *testing.T) {
	t.Setenv("TEST_SITE", "www.example.com")
	for redirect, fine := range map[string]bool{
		"https://example.com{http.ical_invite.name}/x":            false,
		"https://{http.request.uri.query.next}":                   false,
		"//{http.ical_invite.name}/":                              false,
		"///{http.ical_invite.name}/":                             false,
		"https:{http.ical_invite.name}":                           false,
		`\\x{http.ical_invite.name}/`:                             false,
		"{http.request.header.X-Scheme}://example.com/":           false,
		"{http.ical_invite.name}:x":                               false,
		"https://{env.TEST_SITE}/{http.ical_invite.name}":         true,
		"{http.request.scheme}://{http.request.hostport}/x":       true,
		"/a:b/{http.ical_invite.name}":                            true,
		"?booked={http.ical_invite.uid}":                          true,
		"thanks/{http.ical_invite.uid}?at=//x:{http.request.uri}": true,
	} {
		_, err := provisionHandler(t, strings.Replace(minimalDirective, "timezone", fmt.Sprintf("redirect %q\ntimezone", redirect), 1))
		if (err == nil) != fine {
			t.Errorf("redirect %s: %v", redirect, err)
		}
	}
}

// mailFile is what a file of the file mailer is called.
var mailFile = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-(client|host|guest)\.eml$`)

// TestRedTeamPaths: nothing that somebody says becomes a part of a file's name.
func TestRedTeamPaths(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "a", "mails")
	t.Setenv("TEST_HOOK_SECRET", hookSecret)
	h := newHandler(t, strings.Replace(webhookDirective(t, ""), "file unused", fmt.Sprintf("file %q", dir), 1))
	mailer := h.transport.mailer
	out := capture(t, h)
	out.fail = func(m *store.NewMessage) error { return mailer.Deliver(t.Context(), m) }
	paths := []string{"../../evil", "/etc/evil", `..\..\evil`, "evil\x00.eml", "~/evil", "%2e%2e%2fevil", strings.Repeat("evil/", 15), "CON", "..", "evil.eml"}
	for i, path := range paths {
		fields := harmless(i)
		fields["id"], fields["name"], fields["email"] = path, "x"+path, "/etc/evil@example.net"
		if w := attack(t, h, entry{request: signedBody}, fields); w.outcome != statusQueued {
			t.Fatalf("%q: %d %s", path, w.status, w.body)
		}
	}
	out.wait(t, 2*len(paths))
	n := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		if filepath.Dir(path) != dir || !mailFile.MatchString(d.Name()) {
			t.Errorf("there is a file %s", path)
		}
		return nil
	})
	if err != nil || n != 2*len(paths) {
		t.Errorf("there are %d files (%v)", n, err)
	}
}

// TestRedTeamEmailBomb: however somebody is spelt, from wherever and for
// whichever host, as a client or as a guest: they get as many mails as the
// limit says. Who is refused does not learn for whom.
func TestRedTeamEmailBomb(t *testing.T) {
	directive := strings.Replace(minimalDirective, "timezone", "fields {\nguests guests\n}\ntimezone", 1)
	first := newHandler(t, directive)
	out := capture(t, first)
	second := newHandler(t, strings.Replace(directive, "grace@", "alan@", 1))
	second.app.running = first.app.running
	second.transport = first.transport
	refusals := map[string]bool{}
	for i := range 200 {
		h := []*Handler{first, second}[i%2]
		w := attackFrom(t, h, i, bomb(i))
		switch w.Code {
		case http.StatusAccepted:
		case http.StatusTooManyRequests:
			refusals[w.Body.String()] = true
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	messages, err := out.store.List(t.Context(), store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, m := range messages {
		if m.To.Person() == "victim@gmail.com" {
			got++
		}
	}
	if got == 0 || got > 10 {
		t.Errorf("the victim gets %d mails", got)
	}
	if len(refusals) != 1 {
		t.Errorf("the refusals differ: %v", refusals)
	}
	for refusal := range refusals {
		if strings.Contains(strings.ToLower(refusal), "victim") || strings.Contains(refusal, "recipient") {
			t.Errorf("a refusal says for whom: %s", refusal)
		}
	}
}

// bomb is the nth of many bookings for one victim.
func bomb(n int) map[string]string {
	spellings := []string{
		"victim@gmail.com", "VICTIM@GMAIL.COM", "v.i.c.t.i.m@gmail.com", "victim+%d@gmail.com", "victim@googlemail.com", "Vic.Tim+%d@GoogleMail.com",
	}
	victim := spellings[n%len(spellings)]
	if strings.Contains(victim, "%d") {
		victim = fmt.Sprintf(victim, n)
	}
	fields := harmless(n)
	delete(fields, "host")
	if n/2%2 == 0 {
		fields["email"] = victim
		return fields
	}
	fields["email"], fields["guests"] = fmt.Sprintf("accomplice%d@example.net", n), victim
	return fields
}

// attackFrom posts a form from an address of its own.
func attackFrom(t *testing.T, h *Handler, n int, fields map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := urlencoded(fields)
	r.Header.Set("Accept", jsonType)
	r.RemoteAddr = fmt.Sprintf("198.51.100.%d:%d", n%256, 1024+n)
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n%256))
	w, err := serve(t, h, r)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRedTeamOneBookingOneMail: many spellings of one guest in one booking are
// one mail.
func TestRedTeamOneBookingOneMail(t *testing.T) {
	h := newHandler(t, strings.Replace(minimalDirective, "timezone", "fields {\nguests guests\n}\ntimezone", 1))
	out := capture(t, h)
	fields := harmless(0)
	fields["guests"] = "victim@gmail.com, v.ictim@gmail.com, victim+1@gmail.com, VICTIM@googlemail.com, ada+guest@example.net"
	if w := attackFrom(t, h, 0, fields); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var to []string
	for _, m := range out.take(t, 3) {
		to = append(to, string(m.Role)+" "+m.To.String())
	}
	if got := strings.Join(to, ", "); got != "client ada@example.net, host grace@example.org, guest victim@gmail.com" {
		t.Errorf("mails go to %s", got)
	}
}
