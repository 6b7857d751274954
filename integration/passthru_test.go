package integration_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// maxSize is the default of the option max_size, in bytes.
const maxSize = 64 << 10

// request is what a back end got.
type request struct {
	sum      [sha256.Size]byte
	length   int64
	chunked  bool
	mimeType string
	header   http.Header
}

func readRequest(r *http.Request) (request, error) {
	hash := sha256.New()
	_, err := io.Copy(hash, r.Body)
	got := request{
		length: r.ContentLength, mimeType: r.Header.Get("Content-Type"), header: r.Header,
		chunked: len(r.TransferEncoding) > 0 && r.TransferEncoding[0] == "chunked",
	}
	hash.Sum(got.sum[:0])
	return got, err
}

// padded is a booking of exactly so many bytes, in JSON that nobody would
// write: encoding it again would change it.
func padded(size int) []byte {
	body := []byte(bookingJSON(booked(), `,  "\u0064escription" : "1.50e1\/"`))
	padding := bytes.Repeat([]byte(" \t\r\n"), size/4+1)
	return append(body, padding[:size-len(body)]...)
}

// withFile is a form with a file in it.
func withFile(t *testing.T) (contentType string, body []byte) {
	t.Helper()
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	for name, value := range jsonBooking("Ada") {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("scan", "scan.bin")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		if _, err := part.Write([]byte{byte(i), byte(i >> 8)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buffer.Bytes()
}

// TestBackEndGetsTheBody makes sure that the back end gets every body as it
// was sent, whether or not we understand it.
func TestBackEndGetsTheBody(t *testing.T) {
	got := make(chan request, 1)
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		read, err := readRequest(r)
		if err != nil {
			t.Errorf("the back end cannot read the body: %v", err)
		}
		got <- read
		w.WriteHeader(http.StatusCreated)
	})
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, "pass_thru {\n}"))
	formType, form := withFile(t)
	const jsonType = "application/json"
	for _, tt := range []struct {
		name, contentType string
		body              []byte
		chunked           bool
		status            string
	}{
		{"JSON", jsonType, padded(300), false, "queued"},
		{"again, chunked", jsonType, padded(300), true, "duplicate"},
		{"at the limit", jsonType, padded(maxSize), false, "duplicate"},
		{"at the limit, chunked", jsonType, padded(maxSize), true, "duplicate"},
		{"over the limit", jsonType, padded(maxSize + 1), false, "skipped"},
		{"over the limit, chunked", jsonType, padded(maxSize + 1), true, "skipped"},
		{"large", jsonType, padded(5 << 20), false, "skipped"},
		{"large, chunked", jsonType, padded(5 << 20), true, "skipped"},
		{"form with a file", formType, form, false, "queued"},
		{"form with a file, chunked", formType, form, true, "duplicate"},
		{"no JSON", jsonType, []byte("{\x00\xff"), false, "skipped"},
		{"no media type", "", []byte("a=b&&%zz"), false, "skipped"},
		{"nothing", jsonType, nil, false, "skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", tt.contentType, string(tt.body))
			if tt.chunked {
				r.ContentLength = -1
			}
			answer := caddytest.Do(t, caddy.Client(), r)
			checkStatus(t, answer, tt.status)
			read := <-got
			if read.sum != sha256.Sum256(tt.body) || read.mimeType != tt.contentType || answer.Status != http.StatusCreated {
				t.Errorf("the back end got another body, or media type %q; the answer is %d", read.mimeType, answer.Status)
			}
			if read.chunked != tt.chunked || !tt.chunked && read.length != int64(len(tt.body)) {
				t.Errorf("the back end got the body chunked: %t, with length %d", read.chunked, read.length)
			}
		})
	}
}

// TestBackEndHeaders lets client and back end send control headers: a client's
// never reach the back end, and the back end's never reach the client.
func TestBackEndHeaders(t *testing.T) {
	var toSend atomic.Pointer[http.Header]
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "Ical-Invite") {
				t.Errorf("the back end gets %s", name)
			}
		}
		maps.Copy(w.Header(), *toSend.Load())
		w.Header().Set("X-Other", "kept")
		w.WriteHeader(http.StatusAccepted)
	})
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, "pass_thru {\n}"))
	for i, tt := range []struct {
		name   string
		header http.Header
		status string
	}{
		{"none", nil, "queued"},
		{"skip", http.Header{"Ical-Invite": {"skip"}}, "skipped"},
		{"forged status", http.Header{"Ical-Invite-Status": {"sent"}}, "queued"},
		{"another case", http.Header{"ICAL-INVITE-SUMMARY": {"Talk"}}, "queued"},
		{"no action", http.Header{"Ical-Invite": {"explode"}}, "skipped"},
		{"repeated", http.Header{"Ical-Invite-Id": {"1", "2"}}, "skipped"},
		{"unknown", http.Header{"Ical-Invite-Color": {"red"}}, "skipped"},
		{"no time", http.Header{"Ical-Invite-Start": {"tomorrow"}}, "skipped"},
		{"no address", http.Header{"Ical-Invite-Email": {"<eve@example.net>, x"}}, "skipped"},
		{"long", http.Header{"Ical-Invite-Name": {strings.Repeat("x", 81)}}, "skipped"},
		{"no zone", http.Header{"Ical-Invite-Timezone": {"../../etc/passwd"}}, "skipped"},
		{"cancel of nothing", http.Header{"Ical-Invite": {"cancel"}, "Ical-Invite-Id": {"none"}}, "skipped"},
		{"all", http.Header{
			"Ical-Invite": {"send"}, "Ical-Invite-Id": {"17"}, "Ical-Invite-Summary": {"Consultation"},
			"Ical-Invite-Location": {"https://meet.example/17"}, "Ical-Invite-Name": {"Zoë"},
			"Ical-Invite-Email": {"zoe@example.net"}, "Ical-Invite-Timezone": {"America/New_York"},
			"Ical-Invite-Start": {booked().Format("2006-01-02T15:04")}, "Ical-Invite-End": {booked().Format("2006-01-02") + "T18:00"},
			"Ical-Invite-Host": {"ignored"},
		}, "queued"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			toSend.Store(&tt.header)
			r := caddytest.Request(t, http.MethodPost, "http://site.test/bookings", "application/json",
				strings.Replace(bookingJSON(booked(), ""), "Ada", fmt.Sprintf("Ada %d", i), 1))
			for _, name := range []string{"Ical-Invite", "ical-invite-id", "ICAL-INVITE-ANYTHING"} {
				r.Header[name] = []string{"cancel"}
			}
			answer := caddytest.Do(t, caddy.Client(), r)
			checkStatus(t, answer, tt.status)
			for name := range answer.Header {
				if strings.HasPrefix(name, "Ical-Invite") && name != "Ical-Invite-Status" {
					t.Errorf("the client gets %s", name)
				}
			}
			if answer.Status != http.StatusAccepted || answer.Header.Get("X-Other") != "kept" {
				t.Errorf("the answer is %d with %v", answer.Status, answer.Header)
			}
		})
	}
	checkSteered(t, caddy)
}

// checkSteered looks for the mail of the case "all".
func checkSteered(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	for _, raw := range caddy.WaitMails(t, 8) {
		inv := readMail(t, raw)
		if inv.to != "zoe@example.net" {
			continue
		}
		inv.event = readCalendar(t, inv.calendar)
		inv.checkSummary(t, "Consultation")
		inv.checkAttendees(t, map[string]string{"zoe@example.net": "Zoë", deliveryHost: "Dr. Grace Hopper"})
		inv.checkTimes(t, inNewYork(t, booked()), inNewYork(t, booked().Truncate(24*time.Hour).Add(18*time.Hour)))
		return
	}
	t.Error("there is no mail to Zoë")
}

// inNewYork is the instant at which clocks in New York show a wall time.
func inNewYork(t *testing.T, wall time.Time) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, zone)
}

// TestBackEndOtherMethods makes sure that what is no booking passes untouched.
func TestBackEndOtherMethods(t *testing.T) {
	upstream := startUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		w.Header().Set("Content-Length", "5")
		_, _ = io.WriteString(w, "hello")
	})
	caddy := caddytest.Start(t, backEndSite(upstream, fileMailer, answerFields))
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "SEARCH"} {
		answer := ask(t, caddy, method, "/bookings/1", "")
		if answer.Status != http.StatusOK || answer.Header.Get("X-Method") != method || answer.Header.Get("Content-Length") != "5" {
			t.Errorf("%s: %d %v", method, answer.Status, answer.Header)
		}
		checkStatus(t, answer, "")
	}
	checkStatus(t, ask(t, caddy, "POST", "/elsewhere", bookingJSON(booked(), "")), "")
}
