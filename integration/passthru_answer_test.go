package integration_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

const goodAnswer = `{"booking":{"id":"17","meet_url":"https://meet.example/17"}}`

// gzipped compresses a text.
func gzipped(t *testing.T, text string) string {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

// TestBackEndAnswers makes sure that the client gets every answer as it is,
// and that only those that match send invitations.
func TestBackEndAnswers(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		status        int
		header        http.Header
		body          string
		request       string // of the invitation's data, if not the usual
		want          string
		place         bool // the answer was understood
	}{
		{name: "taken", options: answerFields, status: 201, body: goodAnswer, want: "queued", place: true},
		{name: "refused", options: answerFields, status: 409, body: goodAnswer},
		{name: "redirected", options: answerFields, status: 303, body: ""},
		{name: "failed", options: "pass_thru {\n}", status: 500, body: "sorry"},
		{name: "no content", options: answerFields, status: 204, want: "queued"},
		{name: "other match", options: "pass_thru {\nmatch status 303\n}", status: 303, want: "queued"},
		{name: "not the other match", options: "pass_thru {\nmatch status 303\n}", status: 201, body: "x"},
		{name: "match header", options: "pass_thru {\nmatch header X-Booked yes\n}", status: 200, header: http.Header{"X-Booked": {"yes"}}, want: "queued"},
		{name: "not the header", options: "pass_thru {\nmatch header X-Booked yes\n}", status: 200},
		{name: "no JSON", options: answerFields, status: 200, body: "<p>Thanks", want: "queued"},
		{name: "broken JSON", options: answerFields, status: 200, body: goodAnswer[:30], want: "queued"},
		{name: "null", options: answerFields, status: 200, body: "null", want: "queued"},
		{name: "no JSON and nothing else", options: answerFields, status: 200, body: "<p>Thanks", request: "{}", want: "skipped"},
		{name: "at the bound", options: answerFields, status: 200, body: goodAnswer + strings.Repeat(" ", maxSize-len(goodAnswer)), want: "queued", place: true},
		{name: "over the bound", options: answerFields, status: 200, body: goodAnswer + strings.Repeat(" ", 3*maxSize), want: "queued"},
		{name: "compressed all the same", options: answerFields, status: 200, body: gzipped(t, goodAnswer), header: http.Header{"Content-Encoding": {"br"}}, want: "queued"},
		{name: "compressed where nobody reads", options: "pass_thru {\n}", status: 200, body: gzipped(t, goodAnswer), header: http.Header{"Content-Encoding": {"gzip"}}, want: "queued"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			upstream := startUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				maps.Copy(w.Header(), tt.header)
				w.Header().Set("ETag", `"1"`)
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, tt.options))
			body := tt.request
			if body == "" {
				body = bookingJSON(booked(), "")
			}
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json", body)
			r.Header.Set("Accept-Encoding", "gzip, br") // or else the client would decode
			answer := caddytest.Do(t, caddy.Client(), r)
			checkStatus(t, answer, tt.want)
			if answer.Status != tt.status || answer.Body != tt.body || answer.Header.Get("ETag") != `"1"` {
				t.Errorf("the answer is %d with %d bytes and %v", answer.Status, len(answer.Body), answer.Header)
			}
			if tt.want == "queued" {
				checkPlace(t, caddy, tt.place)
			}
		})
	}
}

// checkPlace looks whether the place from the answer is in the mails.
func checkPlace(t *testing.T, caddy *caddytest.Caddy, want bool) {
	t.Helper()
	for _, raw := range caddy.WaitMails(t, 2) {
		inv := readMail(t, raw)
		if got := bytes.Contains(inv.calendar, []byte("LOCATION:https://meet.example/17")); got != want {
			t.Errorf("the place is there: %t, want %t", got, want)
		}
	}
}

// TestBackEndCompresses has a back end that compresses if it may. With fields
// it may not, but the site may, towards the client.
func TestBackEndCompresses(t *testing.T) {
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		text := goodAnswer + strings.Repeat(" ", 1000)
		w.Header().Set("Content-Type", "application/json")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			text = gzipped(t, text)
		}
		_, _ = io.WriteString(w, text)
	})
	for _, own := range []string{"", "\n\tencode gzip"} {
		t.Run("encode"+own, func(t *testing.T) {
			caddy := caddytest.Start(t, backEndSite(upstream+own, fileMailer, answerFields))
			answer := ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), ""))
			checkStatus(t, answer, "queued")
			if !strings.HasPrefix(answer.Body, goodAnswer) {
				t.Errorf("the client gets %.100q", answer.Body)
			}
			checkPlace(t, caddy, true)
		})
	}
}

// TestBackEndStreams makes sure that an answer is not held back unless its
// body is needed.
func TestBackEndStreams(t *testing.T) {
	for name, tt := range map[string]struct {
		options, want string
		status        int
	}{
		"of another kind":             {answerFields, "", 404},
		"of another kind, if matched": {"pass_thru {\nmatch status 201\nfields {\nid /id\n}\n}", "", 200},
		"without fields":              {"pass_thru {\n}", "queued", 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			more := make(chan struct{})
			upstream := startUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, "data: one\n\n")
				_ = http.NewResponseController(w).Flush()
				<-more
				_, _ = io.WriteString(w, "data: two\n\n")
			})
			caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, tt.options))
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json", bookingJSON(booked(), ""))
			resp, err := caddy.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body := bufio.NewReader(resp.Body)
			if line, err := body.ReadString('\n'); err != nil || line != "data: one\n" {
				t.Errorf("the first line is %q (%v)", line, err)
			}
			close(more)
			rest, err := io.ReadAll(body)
			if err != nil || string(rest) != "\ndata: two\n\n" {
				t.Errorf("the rest is %q (%v)", rest, err)
			}
			if got := resp.Header.Get("Ical-Invite-Status"); got != tt.want {
				t.Errorf("the invitation is %q, want %q", got, tt.want)
			}
		})
	}
}

// TestBackEndEarlyHints sends an informational answer first. It passes at once,
// without the control headers, which count in the final answer only.
func TestBackEndEarlyHints(t *testing.T) {
	hinted := make(chan struct{})
	upstream := startUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.Header().Set("Ical-Invite", "skip")
		w.WriteHeader(http.StatusEarlyHints)
		select {
		case <-hinted:
		case <-time.After(10 * time.Second):
		}
		w.Header().Del("Ical-Invite")
		answerBooking(w, "17")
	})
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, answerFields))
	trace := &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if code != http.StatusEarlyHints || header.Get("Link") == "" || header.Get("Ical-Invite") != "" {
			t.Errorf("the client gets %d with %v", code, header)
		}
		close(hinted)
		return nil
	}}
	r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json", bookingJSON(booked(), ""))
	answer := caddytest.Do(t, caddy.Client(), r.WithContext(httptrace.WithClientTrace(context.Background(), trace)))
	checkStatus(t, answer, "queued")
	select {
	case <-hinted:
	default:
		t.Error("the client got no hint")
	}
	checkPlace(t, caddy, true)
}

// TestBackEndAbsent has nothing behind the directive: nobody took the booking,
// so that nobody is invited.
func TestBackEndAbsent(t *testing.T) {
	caddy := caddytest.Start(t, strings.Replace(backEndSite("", fileMailer, answerFields), "reverse_proxy", "", 1))
	checkStatus(t, ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), "")), "")
	down := caddytest.Start(t, backEndSite(freeAddress(t), fileMailer, answerFields))
	answer := ask(t, down, "POST", "/bookings", bookingJSON(booked(), ""))
	checkStatus(t, answer, "")
	if answer.Status != http.StatusBadGateway {
		t.Errorf("without a back end the answer is %d", answer.Status)
	}
	if mails := len(caddy.Mails(t)) + len(down.Mails(t)); mails != 0 {
		t.Errorf("there are %d mails", mails)
	}
}
