package caddyicalmail

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// live serves a handler on loopback.
func live(t *testing.T, h *Handler, next caddyhttp.Handler, readTimeout time.Duration) net.Conn {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h.ServeHTTP(w, caddyhttp.PrepareRequest(r, caddy.NewReplacer(), w, nil), next); err != nil {
			t.Error(err)
		}
	}))
	server.Config.ReadTimeout = readTimeout
	server.Start()
	t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

const slowHead = "POST /book HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Length: 70\r\n\r\n{"

// TestSlowBody: a body that does not come in time is cut off.
func TestSlowBody(t *testing.T) {
	for name, tt := range map[string]struct {
		options                  string
		bodyTimeout, readTimeout time.Duration
	}{
		"own answer":           {"", 50 * time.Millisecond, 0},
		"back end":             {"pass_thru {\n}", 50 * time.Millisecond, 0},
		"the site's own limit": {"", time.Minute, 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHandler(t, guarded(tt.options))
			capture(t, h)
			h.bodyTimeout = tt.bodyTimeout
			check := counts(t, "timeout", 1)
			conn := live(t, h, noBackEnd(t), tt.readTimeout)
			if _, err := io.WriteString(conn, slowHead); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
				t.Errorf("status %d, close %t", resp.StatusCode, resp.Close)
			}
			check()
		})
	}
}

// TestDeadlineIsTakenBack: what of a large body is only passed on may take
// longer.
func TestDeadlineIsTakenBack(t *testing.T) {
	h := newHandler(t, passThruOnly)
	capture(t, h)
	h.MaxSize, h.bodyTimeout = 10, 200*time.Millisecond
	var conn net.Conn
	conn = live(t, h, caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		time.Sleep(300 * time.Millisecond) // past the deadline, had it stayed
		if _, err := io.WriteString(conn, "rest"); err != nil {
			t.Error(err)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) != 24 {
			t.Errorf("%d octets, %v", len(body), err)
		}
		w.WriteHeader(http.StatusOK)
		return nil
	}), 0)
	head := "POST /book HTTP/1.1\r\nHost: example.com\r\nContent-Length: 24\r\n\r\n" + strings.Repeat("x", 20)
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(err, resp)
	}
	resp.Body.Close()
}
