package integration_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// breakOff answers with these bytes and closes the connection.
func breakOff(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, answer)
	}
}

// TestBackEndBreaksOff has a back end that dies while it answers. What it said
// before counts: once there was a success, the client is invited.
func TestBackEndBreaksOff(t *testing.T) {
	const half = `{"booking":{"id":"17","meet_`
	for name, tt := range map[string]struct {
		options, answer string
		status, mails   int
	}{
		"before the answer":      {answerFields, "", 502, 0},
		"in the header":          {answerFields, "HTTP/1.1 201 Created\r\nContent-Le", 502, 0},
		"in the body":            {answerFields, "HTTP/1.1 201 Created\r\nContent-Length: 60\r\n\r\n" + half, 201, 2},
		"in a chunk":             {answerFields, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + half, 201, 2},
		"in the body, unread":    {"pass_thru {\n}", "HTTP/1.1 201 Created\r\nContent-Length: 60\r\n\r\n" + half, 201, 2},
		"in a chunk, unread":     {"pass_thru {\n}", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + half, 201, 2},
		"in the body of a fault": {answerFields, "HTTP/1.1 500 Sorry\r\nContent-Length: 60\r\n\r\n" + half, 500, 0},
		"in an empty body":       {"pass_thru {\non_failure error\n}", "HTTP/1.1 201 Created\r\nContent-Length: 60\r\n\r\n", 201, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caddy := caddytest.Start(t, backEndSite(startUpstream(t, breakOff(tt.answer)), fileMailer, tt.options))
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json", bookingJSON(booked(), ""))
			resp, err := caddy.Client().Do(r)
			switch {
			case err == nil:
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != tt.status {
					t.Errorf("the answer is %s, want %d", resp.Status, tt.status)
				}
			case tt.status != http.StatusCreated: // which may break before the client has read it
				t.Error(err)
			}
			for _, raw := range caddy.WaitMails(t, tt.mails) {
				readMail(t, raw)
			}
			checkNoErrorsBut(t, caddy, "http.log.error", "http.handlers.reverse_proxy")
		})
	}
}

// checkNoErrorsBut fails the test if Caddy complained elsewhere.
func checkNoErrorsBut(t *testing.T, caddy *caddytest.Caddy, loggers ...string) {
	t.Helper()
	for _, e := range caddy.Logs() {
		logger, _ := e["logger"].(string)
		expected := false
		for _, l := range loggers {
			expected = expected || strings.HasPrefix(logger, l)
		}
		if e["level"] == "error" && !expected {
			t.Errorf("caddy logs an error: %v", e)
		}
	}
	if strings.Contains(caddy.Output(), "goroutine ") {
		t.Error("there was a panic")
	}
}

// TestBackEndClientLeaves has a back end that is slow, and a client who is
// impatient: what the back end has begun it may end, and the client is invited.
func TestBackEndClientLeaves(t *testing.T) {
	for name, options := range map[string]string{"fields": answerFields, "headers": "pass_thru {\n}"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, left := make(chan struct{}), make(chan struct{})
			upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				close(asked)
				<-left
				select {
				case <-r.Context().Done():
					t.Error("the back end was broken off")
				case <-time.After(500 * time.Millisecond):
				}
				answerBooking(w, "17")
			})
			caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, options))
			ctx, leave := context.WithCancel(t.Context())
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json", bookingJSON(booked(), ""))
			go func() {
				<-asked
				leave()
				close(left)
			}()
			if answer, err := exchange(caddy.Client(), r.WithContext(ctx)); !errors.Is(err, context.Canceled) {
				t.Errorf("the client has an answer: %+v, %v", answer, err)
			}
			caddy.WaitMails(t, 2)
		})
	}
}

// TestBackEndHangs has a back end that never answers. Clients who leave do not
// keep others from being served, nor Caddy from ending.
func TestBackEndHangs(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/bookings/hang") {
			<-hang
		}
		answerBooking(w, "17")
	})
	t.Cleanup(func() { close(hang) }) // or else the back end would not end
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, answerFields))
	impatient := caddy.Client()
	impatient.Timeout = 200 * time.Millisecond
	for range 5 {
		r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings/hang", "application/json", bookingJSON(booked(), ""))
		if answer, err := exchange(impatient, r); err == nil {
			t.Errorf("the client has an answer: %+v", answer)
		}
	}
	checkStatus(t, ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), "")), "queued")
	caddy.WaitMails(t, 2)
	if took := caddy.Terminate(); took > 6*time.Second {
		t.Errorf("caddy took %s to end", took)
	}
}

// TestBackEndReload replaces the config while the back end thinks, by one that
// differs and by one that has nothing of ours left. The booking counts all the
// same; without a mailer its mails wait.
func TestBackEndReload(t *testing.T) {
	for _, name := range []string{"changed", "removed"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked, answer := make(chan struct{}), make(chan struct{})
			upstream := startUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
				close(asked)
				<-answer
				answerBooking(w, "17")
			})
			server := smtptest.Start(t, smtptest.Options{})
			config := backEndSite(upstream, smtpMailer(server.Addr), answerFields)
			next := strings.Replace(config, "pass_thru", "summary Changed\npass_thru", 1)
			if name == "removed" {
				next = site("respond 204")
			}
			caddy := caddytest.Start(t, config)
			results := make(chan string)
			p := &promises{made: map[string]bool{}}
			go func() { results <- p.book(caddy.Client(), "ada") }()
			<-asked
			caddy.MustReload(next)
			close(answer)
			if got := <-results; got != "201 queued" {
				t.Errorf("the answer is %s", got)
			}
			if name == "removed" {
				caddy.MustReload(config)
			}
			waitArrived(t, server, 2)
			readPostboxes(t, server).check(t, map[string]string{"ada@example.net": "REQUEST 0", deliveryHost: "REQUEST 0"})
			checkNoErrors(t, caddy)
		})
	}
}

// TestBackEndFullDisk takes bookings when nothing can be stored: by default
// they count all the same, and it is said that the invitation failed.
func TestBackEndFullDisk(t *testing.T) {
	for _, tt := range []struct {
		policy, header string
		status         int
	}{
		{"pass", "failed", http.StatusCreated},
		{"error", "", http.StatusServiceUnavailable},
	} {
		t.Run(tt.policy, func(t *testing.T) {
			disk := smallDisk(t)
			backEnd := new(counter)
			upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Booking", "17")
				backEnd.ServeHTTP(w, r)
			})
			caddy := caddytest.Start(t, storeAt(filepath.Join(disk, "outbox.db"))+
				backEndSite(upstream, fileMailer, strings.Replace(answerFields, "pass_thru {", "pass_thru {\non_failure "+tt.policy, 1)))
			fill(t, filepath.Join(disk, "filler"), 30<<20)
			var answer caddytest.Answer
			caddytest.Eventually(t, "the store refuses", func() bool {
				answer = ask(t, caddy, "POST", "/bookings", bookingJSON(booked(), ""))
				return inviteStatus(answer) != "queued"
			})
			if answer.Status != tt.status || inviteStatus(answer) != tt.header {
				t.Errorf("the answer is %d with %v", answer.Status, answer.Header)
			}
			leaked := strings.Contains(answer.Body, "meet.example") || answer.Header.Get("X-Booking") != ""
			if leaked != (tt.policy == "pass") {
				t.Errorf("the answer has the back end's body or headers: %t", leaked)
			}
			if tt.policy == "error" && answer.Header.Get("Retry-After") == "" {
				t.Error("the refusal does not say when to come again")
			}
		})
	}
}
