package siteverify

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// provider answers every question with a status and a body, and counts the
// connections.
func provider(t *testing.T, answer http.HandlerFunc) (endpoint string, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	server := httptest.NewUnstartedServer(answer)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, connections
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestVerify(t *testing.T) {
	const good = `{"success":true,"hostname":"Example.com","action":"book","score":0.7}`
	plain := func(*Check) {}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		setup  func(*Check)
		want   error
	}{
		{"good", says(200, good), plain, nil},
		{"only success", says(200, `{"success":true}`), plain, nil},
		{"refused", says(200, `{"success":false,"error-codes":["invalid-input-response"]}`), plain, ErrRejected},
		{"used", says(200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`), plain, ErrRejected},
		{"no reason", says(200, `{}`), plain, ErrRejected},
		{"wrong secret", says(200, `{"success":false,"error-codes":["invalid-input-secret"]}`), plain, ErrSetup},
		{"no secret", says(200, `{"success":false,"error-codes":["missing-input-secret"]}`), plain, ErrSetup},
		{"internal error", says(200, `{"success":false,"error-codes":["internal-error"]}`), plain, ErrUnavailable},
		{"status 500", says(500, good), plain, ErrUnavailable},
		{"status 201", says(201, good), plain, ErrUnavailable},
		{"garbage", says(200, "<html>"), plain, ErrUnavailable},
		{"list", says(200, `[true]`), plain, ErrUnavailable},
		{"text for success", says(200, `{"success":"true"}`), plain, ErrUnavailable},
		{"empty", says(200, ""), plain, ErrUnavailable},
		{"huge", says(200, good+strings.Repeat(" ", maxAnswer)), plain, ErrUnavailable},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, plain, ErrUnavailable},
		{"slow", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is noticed
			<-r.Context().Done()
		}, func(c *Check) { c.Timeout = 50 * time.Millisecond }, ErrUnavailable},
		{"hostname", says(200, good), func(c *Check) { c.Hostnames = []string{"example.com"} }, nil},
		{"other hostname", says(200, good), func(c *Check) { c.Hostnames = []string{"example.org"} }, ErrRejected},
		{"no hostname", says(200, `{"success":true}`), func(c *Check) { c.Hostnames = []string{"example.org"} }, ErrRejected},
		{"action", says(200, good), func(c *Check) { c.Action = "book" }, nil},
		{"other action", says(200, good), func(c *Check) { c.Action = "login" }, ErrRejected},
		{"score", says(200, good), func(c *Check) { c.MinScore = 0.7 }, nil},
		{"low score", says(200, good), func(c *Check) { c.MinScore = 0.71 }, ErrRejected},
		{"no score", says(200, `{"success":true}`), func(c *Check) { c.MinScore = 0.5 }, ErrSetup},
	} {
		t.Run(tt.name, func(t *testing.T) {
			endpoint, _ := provider(t, tt.answer)
			c := &Check{Endpoint: endpoint, Secret: "secret", Timeout: 10 * time.Second, Client: NewClient()}
			tt.setup(c)
			err := c.Verify(t.Context(), "response")
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if errors.Is(err, ErrSetup) && !errors.Is(err, ErrUnavailable) {
				t.Error("a bad setup must count as unavailable")
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	c := &Check{Endpoint: server.URL, Secret: "opensesame", Timeout: 10 * time.Second, Client: NewClient()}
	err := c.Verify(t.Context(), "response")
	if !errors.Is(err, ErrUnavailable) || strings.Contains(err.Error(), "opensesame") {
		t.Errorf("got %v", err)
	}
}

// TestQuestion: the form holds the secret and the response, and nothing about
// the client.
func TestQuestion(t *testing.T) {
	endpoint, connections := provider(t, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || len(r.PostForm) != 2 ||
			r.PostForm.Get("secret") != "s&x" || r.PostForm.Get("response") != "a=b&c" {
			t.Errorf("asked by %s for %v (%v)", r.Method, r.PostForm, err)
		}
		_, _ = w.Write([]byte(`{"success":true}`))
	})
	c := &Check{Endpoint: endpoint, Secret: "s&x", Timeout: 10 * time.Second, Client: NewClient()}
	for range 5 {
		if err := c.Verify(t.Context(), "a=b&c"); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for five questions", n)
	}
}

// TestNotAsked: what cannot be a response costs no question.
func TestNotAsked(t *testing.T) {
	endpoint, connections := provider(t, says(200, `{"success":true}`))
	c := &Check{Endpoint: endpoint, Secret: "s", Timeout: 10 * time.Second, Client: NewClient()}
	for _, response := range []string{"", strings.Repeat("x", MaxResponse+1)} {
		if err := c.Verify(t.Context(), response); !errors.Is(err, ErrRejected) {
			t.Errorf("got %v", err)
		}
	}
	if connections.Load() != 0 {
		t.Error("the provider was asked")
	}
}
