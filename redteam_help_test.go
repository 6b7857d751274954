package caddyicalmail

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/emersion/go-message"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// hookSecret is what signed webhooks of the tests are signed with.
const hookSecret = "a secret that is long enough for an HMAC"

// webhookDirective takes signed webhooks, with further options.
func webhookDirective(t testing.TB, options string) string {
	t.Helper()
	t.Setenv("TEST_HOOK_SECRET", hookSecret)
	return fmt.Sprintf(`ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file unused
		timezone Europe/Berlin
		verify hmac {
			secret {env.TEST_HOOK_SECRET}
			header X-Signature
		}
		fields {
			id id
			action action
			guests guests
			summary summary
			location location
		}
		%s
	}`, options)
}

// signed is a webhook with this body.
func signed(body string) *http.Request {
	mac := hmac.New(sha256.New, []byte(hookSecret))
	_, _ = mac.Write([]byte(body))
	r := post(jsonType, body)
	r.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	return r
}

// attacked is what became of an attack.
type attacked struct {
	status     int
	body       string
	outcome    string // queued, skipped, …
	recipients int
}

// attack books with these fields by an entry.
func attack(t *testing.T, h *Handler, e entry, fields map[string]string) attacked {
	t.Helper()
	r := e.request(fields)
	r.Header.Set("Accept", jsonType)
	if key, ok := fields["Idempotency-Key"]; ok {
		r.Header["Idempotency-Key"] = []string{key}
	}
	w := httptest.NewRecorder()
	repl := caddy.NewReplacer()
	r = caddyhttp.PrepareRequest(r, repl, w, nil)
	next := notFound
	if e.back != nil {
		next = func(w http.ResponseWriter, r *http.Request) error { e.back(fields)(w, r); return nil }
	}
	if err := h.ServeHTTP(w, r, next); err != nil {
		t.Fatalf("the server failed: %v", err)
	}
	word := func(name string) string { return repl.ReplaceAll("{http.ical_invite."+name+"}", "") }
	got := attacked{status: w.Code, body: w.Body.String(), outcome: word("status")}
	if got.outcome == "" || got.outcome == statusSkipped {
		return got
	}
	messages, err := h.app.running.store.List(t.Context(), store.Filter{UID: word("uid")})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if strconv.Itoa(m.Sequence) == word("sequence") {
			got.recipients++
		}
	}
	return got
}

func urlencoded(fields map[string]string) *http.Request {
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return post(formType, form.Encode())
}

func multipartForm(fields map[string]string) *http.Request {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		_ = w.WriteField(name, value) // a buffer takes everything
	}
	_ = w.Close()
	return post(w.FormDataContentType(), body.String())
}

func jsonBody(fields map[string]string) *http.Request { return post(jsonType, encodeJSON(fields)) }

func signedBody(fields map[string]string) *http.Request { return signed(encodeJSON(fields)) }

// encodeJSON leaves bytes that are no UTF-8 as they are.
func encodeJSON(fields map[string]string) string {
	pairs := make([]string, 0, len(fields))
	for name, value := range fields {
		quoted, _ := json.Marshal(strings.ReplaceAll(value, "\xff", "RAWFF"))
		pairs = append(pairs, fmt.Sprintf("%q:%s", name, strings.ReplaceAll(string(quoted), "RAWFF", "\xff")))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// steering is a back end that says everything by header, too.
func steering(fields map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, header := range map[string]string{
			"name": "Name", "email": "Email", "start": "Start", "end": "End", "title": "Summary", "place": "Location",
			"timezone": "Timezone", "host": "Host", "id": "Id",
		} {
			if value, ok := fields[name]; ok {
				w.Header()["Ical-Invite-"+header] = []string{value}
			}
		}
		w.WriteHeader(http.StatusCreated)
	}
}

// take returns the next n messages, and forgets them.
func (o *outgoing) take(t testing.TB, n int) []store.NewMessage {
	t.Helper()
	mails := o.wait(t, n)
	o.mu.Lock()
	o.mails = nil
	o.mu.Unlock()
	if len(mails) != n {
		t.Errorf("%d messages, want %d", len(mails), n)
	}
	return mails
}

// parsedMail is a mail as a parser reads it that has nothing to do with its writer.
type parsedMail struct {
	header, text, html, calendar string
	fields                       []string // of the header, sorted
}

func parseMail(t testing.TB, raw []byte) parsedMail {
	t.Helper()
	root, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("reading a mail: %v", err)
	}
	var m parsedMail
	for f := root.Header.Fields(); f.Next(); {
		text, _ := f.Text()
		m.fields = append(m.fields, f.Key())
		m.header += f.Key() + ": " + text + "\n"
	}
	slices.Sort(m.fields)
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		mediaType, _, _ := e.Header.ContentType()
		if err != nil || strings.HasPrefix(mediaType, "multipart/") {
			return err
		}
		content, err := io.ReadAll(e.Body)
		switch mediaType {
		case "text/plain":
			m.text += string(content)
		case "text/html":
			m.html += string(content)
		case "text/calendar":
			m.calendar += strings.ReplaceAll(string(content), "\r\n ", "")
		}
		return err
	})
	if err != nil {
		t.Errorf("reading a mail: %v", err)
	}
	return m
}

// countLines counts the lines that begin with a word.
func countLines(text, word string) (n int) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, word) {
			n++
		}
	}
	return n
}
