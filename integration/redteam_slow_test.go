package integration_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

const (
	// slowClients is how many connections are held at once, and promptly is
	// how long an honest booking may take beside them.
	slowClients = 200
	promptly    = 5 * time.Second
)

// TestRedTeamSlowBodies holds connections whose bodies never end. They keep
// neither the store nor a worker, so that others book and get their mails, and
// a reload is not held up.
func TestRedTeamSlowBodies(t *testing.T) {
	config := fileSite("limit recipient 1000 1h")
	caddy := caddytest.Start(t, config)
	var open []net.Conn
	for i := range slowClients {
		open = append(open, slowBody(t, caddy, i))
	}
	for i := range 10 {
		begun := time.Now()
		body := jsonBooking(fmt.Sprint("Ada ", i))
		if a := caddy.PostJSON("/book", body); a.Status != http.StatusAccepted {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		if took := time.Since(begun); took > promptly {
			t.Errorf("a booking took %s", took)
		}
		for _, conn := range open {
			_, _ = io.WriteString(conn, "1\r\nx\r\n") // Caddy may have had enough of it
		}
	}
	caddy.WaitMails(t, 20)
	begun := time.Now()
	caddy.MustReload(config + "\n# another\n")
	if took := time.Since(begun); took > 2*promptly {
		t.Errorf("a reload took %s", took)
	}
	if a := caddy.PostJSON("/book", jsonBooking("Bob")); a.Status != http.StatusAccepted {
		t.Errorf("after the reload: %d %s", a.Status, a.Body)
	}
	caddy.WaitMails(t, 22)
}

// slowBody begins a request, of which one half sends the length and the other
// half chunks, and leaves it unfinished.
func slowBody(t *testing.T, caddy *caddytest.Caddy, n int) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "unix", caddy.Site)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	framing := "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"nam\r\n"
	if n%2 == 0 {
		framing = "Content-Length: 60000\r\n\r\n{\"nam"
	}
	_, err = io.WriteString(conn, "POST /book HTTP/1.1\r\nHost: site.test\r\nContent-Type: application/json\r\n"+framing)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestRedTeamLargeBodies sends what is too large, in the ways in which HTTP can
// carry it, and what would be large if somebody inflated it.
func TestRedTeamLargeBodies(t *testing.T) {
	caddy := caddytest.Start(t, fileSite(""))
	for _, tt := range []struct {
		name, encoding string
		chunked        bool
		status         int
	}{
		{"with a length", "", false, http.StatusRequestEntityTooLarge},
		{"chunked", "", true, http.StatusRequestEntityTooLarge},
		{"gzip", "gzip", true, http.StatusUnsupportedMediaType},
		{"br", "br", false, http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := caddytest.Request(t, http.MethodPost, "http://site.test/book", "application/json", "")
			size := int64(10 << 20)
			r.Body = io.NopCloser(io.LimitReader(blanks{}, size))
			r.ContentLength = size
			if tt.chunked {
				r.ContentLength = -1
			}
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			// Caddy answers before it has read it all, and may close then.
			answer, err := caddy.Client().Do(r)
			if err != nil {
				if strings.Contains(err.Error(), "broken pipe") || strings.Contains(err.Error(), "reset") {
					return
				}
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != tt.status {
				t.Errorf("%d, want %d", answer.StatusCode, tt.status)
			}
		})
	}
	if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusAccepted {
		t.Errorf("afterwards: %d %s", a.Status, a.Body)
	}
}

// blanks is endless.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
