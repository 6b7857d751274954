package caddytest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// clientTimeout bounds one request; a booking may wait for a mail server.
const clientTimeout = time.Minute

// Answer is a response that has been read.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Client talks to the site. It does not follow redirects. Each request has a
// connection of its own, because a reload closes idle ones at a bad moment.
func (c *Caddy) Client() *http.Client { return unixClient(c.Site) }

// AdminClient talks to the admin API.
func (c *Caddy) AdminClient() *http.Client { return unixClient(c.Admin) }

func unixClient(socket string) *http.Client {
	return &http.Client{
		Timeout: clientTimeout,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request and reads the answer.
func Do(t testing.TB, client *http.Client, r *http.Request) Answer {
	t.Helper()
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
}

// Request makes a request to the site. An empty content type sends none.
func Request(t testing.TB, method, target, contentType, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// Get fetches a path of the site.
func (c *Caddy) Get(path string) Answer {
	c.t.Helper()
	return Do(c.t, c.Client(), Request(c.t, http.MethodGet, "http://site.test"+path, "", ""))
}

// PostForm posts as a browser posts a form.
func (c *Caddy) PostForm(path string, fields url.Values) Answer {
	c.t.Helper()
	return Do(c.t, c.Client(), Request(c.t, http.MethodPost, "http://site.test"+path,
		"application/x-www-form-urlencoded", fields.Encode()))
}

// PostJSON posts as a script does.
func (c *Caddy) PostJSON(path string, value any) Answer {
	c.t.Helper()
	var body bytes.Buffer
	if err := json.NewEncoder(&body).Encode(value); err != nil {
		c.t.Fatal(err)
	}
	return Do(c.t, c.Client(), Request(c.t, http.MethodPost, "http://site.test"+path,
		"application/json", body.String()))
}

// Config returns the running config as the admin API shows it.
func (c *Caddy) Config() string {
	c.t.Helper()
	return Do(c.t, c.AdminClient(), Request(c.t, http.MethodGet, "http://127.0.0.1/config/", "", "")).Body
}
