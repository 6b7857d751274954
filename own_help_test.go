package caddyicalmail

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/emersion/go-message/mail"
	"golang.org/x/net/html"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// ownDirective is a handler with pages, and with more options.
func ownDirective(options string) string {
	return `ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file {$TEST_DIR:unused}
		timezone Europe/Berlin
		base_url https://example.com
		` + options + `
	}`
}

// clock is a clock that tests set, while workers look at it.
type clock struct{ nanos atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.nanos.Load()).UTC() }

func (c *clock) set(to time.Time) { c.nanos.Store(to.UnixNano()) }

// site is a started handler with its pages, and whoever uses them.
type site struct {
	*testing.T
	h    *Handler
	out  *outgoing
	time *clock
	seen int // messages that were read
}

func startSite(t *testing.T, directive string) *site {
	t.Helper()
	s := &site{T: t, h: newHandler(t, directive), time: new(clock)}
	s.time.set(testNow)
	s.h.now = s.time.now
	s.h.app.now = s.h.now
	s.out = capture(t, s.h)
	return s
}

// jump sets the clock once everything has been delivered: a worker in the
// middle of a delivery would take the jump for the end of its lease.
func (s *site) jump(to time.Time) {
	s.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for waiting := true; waiting; {
		if time.Now().After(deadline) {
			s.Fatal("messages wait")
		}
		stats, err := s.out.store.Stats(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		waiting = false
		for _, m := range stats.Mailers {
			waiting = waiting || m.Queued+m.Deferred > 0
		}
		runtime.Gosched()
	}
	s.time.set(to)
}

// book posts a booking of Ada's and returns the answer.
func (s *site) book(body string) *httptest.ResponseRecorder {
	s.Helper()
	w, err := serve(s, s.h, post(jsonType, body))
	if err != nil {
		s.Fatal(err)
	}
	return w
}

// mails waits for n further messages.
func (s *site) mails(n int) []store.NewMessage {
	s.Helper()
	all := s.out.wait(s, n)
	news := all[s.seen:]
	if len(news) != n {
		s.Fatalf("%d new messages, want %d", len(news), n)
	}
	s.seen = len(all)
	return news
}

// visit asks for a page, as Caddy's second route does.
func (s *site) visit(r *http.Request) *httptest.ResponseRecorder {
	s.Helper()
	w, err := serveOwn(s.h, r)
	if err != nil {
		s.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	return w
}

// serveOwn sends a request through the handler of h's own pages.
func serveOwn(h *Handler, r *http.Request) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	r = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil)
	err := (&Pages{handler: func() *Handler { return h }}).ServeHTTP(w, r, notFound)
	return w, err
}

func (s *site) get(link string) *httptest.ResponseRecorder {
	s.Helper()
	return s.visit(httptest.NewRequest(http.MethodGet, link, http.NoBody))
}

// send posts a form to a page.
func (s *site) send(link string, form url.Values) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequest(http.MethodPost, link, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", formType)
	return s.visit(r)
}

// press opens a page, fills in one of its forms and sends it.
func (s *site) press(link, action string, typed url.Values) *httptest.ResponseRecorder {
	s.Helper()
	page := s.get(link)
	form := formOf(s.T, page.Body.String(), action)
	if form == nil {
		s.Fatalf("the page has no form to %s:\n%s", action, page.Body)
	}
	maps.Copy(form, typed)
	return s.send(link, form)
}

// formOf returns the hidden fields of the form with an action, nil if there is
// none.
func formOf(t *testing.T, page, action string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Data != "form" {
			continue
		}
		form := url.Values{}
		for field := range node.Descendants() {
			if field.Data == "input" && attributeOf(field, "type") == "hidden" {
				form.Add(attributeOf(field, "name"), attributeOf(field, "value"))
			}
		}
		if form.Get("action") == action {
			return form
		}
	}
	return nil
}

func attributeOf(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var linkPattern = regexp.MustCompile(`https://example\.com/[A-Za-z0-9_/-]+`)

// linkIn finds our link in a mail, in its text and in its HTML alike.
func linkIn(t *testing.T, m store.NewMessage) string {
	t.Helper()
	links := map[string]bool{}
	for _, part := range textsOf(t, m) {
		for _, link := range linkPattern.FindAllString(part, -1) {
			links[link] = true
		}
	}
	if len(links) != 1 {
		t.Fatalf("the %s's mail has the links %v, want one", m.Role, links)
	}
	for link := range links {
		return link
	}
	return ""
}

// textsOf are the decoded parts of a mail.
func textsOf(t *testing.T, m store.NewMessage) []string {
	t.Helper()
	r, err := mail.CreateReader(strings.NewReader(string(m.Raw)))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
}

// want fails the test unless a page has a status and says something.
func (s *site) want(w *httptest.ResponseRecorder, status int, says ...string) {
	s.Helper()
	if w.Code != status {
		s.Errorf("status %d, want %d\n%s", w.Code, status, w.Body)
	}
	for _, words := range says {
		if !strings.Contains(w.Body.String(), words) {
			s.Errorf("the page does not say %q:\n%s", words, w.Body)
		}
	}
}

// listed counts all messages in the store.
func (s *site) listed() int {
	s.Helper()
	messages, err := s.out.store.List(s.Context(), store.Filter{})
	if err != nil {
		s.Fatal(err)
	}
	return len(messages)
}
