package integration_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

// gracePeriod is the longest that Caddy may take to end with nothing to do:
// service managers kill after a few seconds.
const gracePeriod = 3 * time.Second

// TestReloadInFlight reloads while a client is still typing: its booking is
// taken, and the next one sees the new config.
func TestReloadInFlight(t *testing.T) {
	caddy := caddytest.Start(t, fileSite("summary First"))
	slow := beginBooking(t, caddy, "Slow Ada")
	caddy.MustReload(fileSite("summary Second"))

	if status, body := slow.finish(t); status != http.StatusAccepted {
		t.Fatalf("the booking that was under way: %d %s", status, body)
	}
	for _, raw := range caddy.WaitMails(t, 2) {
		checkInvitation(t, raw, lint.Options{}).checkSummary(t, "First")
	}
	if a := caddy.PostJSON("/book", jsonBooking("Next Ada")); a.Status != http.StatusAccepted {
		t.Fatalf("the next booking: %d %s", a.Status, a.Body)
	}
	second := 0
	for _, raw := range caddy.WaitMails(t, 4) {
		if readMail(t, raw).summary(t) == "Second" {
			second++
		}
	}
	if second != 2 {
		t.Errorf("%d mails of the next booking have the new config's summary, want 2", second)
	}
}

func TestRejectedReload(t *testing.T) {
	caddy := caddytest.Start(t, fileSite("summary First"))
	r := caddy.Reload(site(`ical_invite {
		organizer grace+booking@example.org
		host Grace@example.org
		file {$MAIL_DIR}
	}`))
	if r.ExitCode == 0 || !strings.Contains(r.Stderr, "organizer and host are the same mailbox") {
		t.Errorf("caddy reload ended with status %d, want the explanation:\n%s", r.ExitCode, r.Stderr)
	}
	if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusAccepted {
		t.Fatalf("booking with the old config: %d %s", a.Status, a.Body)
	}
	for _, raw := range caddy.WaitMails(t, 2) {
		checkInvitation(t, raw, lint.Options{}).checkSummary(t, "First")
	}
}

func TestReloadRemovesDirective(t *testing.T) {
	caddy := caddytest.Start(t, fileSite(""))
	caddy.MustReload(site("\trespond 404"))
	if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusNotFound {
		t.Errorf("a POST without the directive: %d, want 404", a.Status)
	}
	if n := len(caddy.Mails(t)); n != 0 {
		t.Errorf("there are %d mails", n)
	}
}

// TestTerminate makes sure that nothing of ours holds up the end.
func TestTerminate(t *testing.T) {
	caddy := caddytest.Start(t, fileSite(""))
	if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusAccepted {
		t.Fatalf("booking: %d %s", a.Status, a.Body)
	}
	if took := caddy.Terminate(); took > gracePeriod {
		t.Errorf("caddy took %s to end, want at most %s", took, gracePeriod)
	}
}

// slowBooking is a POST of which the handler has seen the beginning.
type slowBooking struct {
	conn   net.Conn
	answer *bufio.Reader
	rest   string
}

// beginBooking sends half a body. That the handler is reading it is known from
// the interim response, which Go's server sends at the first read of a body
// whose client waits for it (RFC 9110, section 10.1.1).
func beginBooking(t *testing.T, caddy *caddytest.Caddy, name string) *slowBooking {
	t.Helper()
	conn, err := net.Dial("unix", caddy.Site)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(jsonBooking(name))
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST /book HTTP/1.1\r\nHost: site.test\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", len(body))
	if err != nil {
		t.Fatal(err)
	}
	s := &slowBooking{conn: conn, answer: bufio.NewReader(conn), rest: string(body[len(body)/2:])}
	interim, err := s.answer.ReadString('\n')
	if err != nil || !strings.HasPrefix(interim, "HTTP/1.1 100") {
		t.Fatalf("the server does not want the body: %q (%v)", interim, err)
	}
	if _, err := s.answer.ReadString('\n'); err != nil { // the empty line after it
		t.Fatal(err)
	}
	if _, err := conn.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	return s
}

// finish sends the rest and reads the answer.
func (s *slowBooking) finish(t *testing.T) (status int, body string) {
	t.Helper()
	if _, err := io.WriteString(s.conn, s.rest); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(s.answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
