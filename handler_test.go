package caddyicalmail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
	goodJSON = `{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30"}`
	goodForm = `name=Ada&email=ada%40example.net&start=2027-03-05T10%3A30`
)

func TestBookingByJSON(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	w, err := serve(t, h, post(jsonType, goodJSON))
	if err != nil || w.Code != http.StatusAccepted {
		t.Fatalf("status %d, error %v, body %s", w.Code, err, w.Body)
	}
	var got answer
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Status != "queued" || got.Sequence != 0 || got.Attendees != 2 ||
		got.Start != "2027-03-05T10:30:00+01:00" || got.End != "2027-03-05T11:30:00+01:00" ||
		!strings.HasSuffix(got.UID, "@example.com") {
		t.Errorf("answer %+v", got)
	}
	mails := out.wait(t, 2)
	for _, m := range mails {
		checkMail(t, m)
	}
	if a, b := mails[0], mails[1]; a.Role != booking.RoleClient || b.Role != booking.RoleHost || a.UID != got.UID || b.UID != got.UID {
		t.Errorf("messages for %s %s and %s %s", a.Role, a.UID, b.Role, b.UID)
	}
}

func TestAnswersByClient(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, body, accept, redirect string
		status                                    int
		answerType, location                      string
	}{
		{"JSON", jsonType, goodJSON, "*/*", "", 202, jsonType, ""},
		{"JSON never redirected", jsonType, goodJSON, "*/*", "/thanks", 202, jsonType, ""},
		{"vendor JSON", "application/vnd.site+json; charset=utf-8", goodJSON, "", "", 202, jsonType, ""},
		{"form of a browser", formType, goodForm, "text/html,application/xhtml+xml,*/*;q=0.8", "", 202, "text/html; charset=utf-8", ""},
		{"form without Accept", formType, goodForm, "", "", 202, "text/html; charset=utf-8", ""},
		{"form that wants JSON", formType, goodForm, "application/json", "/thanks", 202, jsonType, ""},
		{"unknown, of an API client", "text/csv", goodForm, "*/*", "", 415, "application/problem+json", ""},
		{"unknown, of a browser", "text/csv", goodForm, "text/html", "", 415, "text/html; charset=utf-8", ""},
		{"form that prefers HTML", formType, goodForm, "application/json;q=0.5, text/html", "", 202, "text/html; charset=utf-8", ""},
		{"form with redirect", formType, goodForm, "text/html", "/thanks?start={http.ical_invite.start}", 303, "", "/thanks?start=2027-03-05+10%3A30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, minimalDirective)
			h.Redirect = tt.redirect
			capture(t, h)
			r := post(tt.contentType, tt.body)
			r.Header.Set("Accept", tt.accept)
			w, err := serve(t, h, r)
			if err != nil {
				t.Fatal(err)
			}
			if w.Code != tt.status || w.Header().Get("Content-Type") != tt.answerType || w.Header().Get("Location") != tt.location {
				t.Errorf("got %d, %q, %q", w.Code, w.Header().Get("Content-Type"), w.Header().Get("Location"))
			}
		})
	}
}

func TestOtherMethodsPass(t *testing.T) {
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		r := post(jsonType, goodJSON)
		r.Method = method
		if w, err := serve(t, h, r); err != nil || w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, %v", method, w.Code, err)
		}
	}
	out.checkEmpty(t)
}

// TestRefusals posts what must be refused: with the right status, naming the
// field, never repeating the value, and with nothing sent.
func TestRefusals(t *testing.T) {
	field := func(name, value string) string {
		body := map[string]any{"name": "Ada", "email": "ada@example.net", "start": "2027-03-05T10:30"}
		body[name] = value
		encoded, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
		field                   string
	}{
		{"no body", jsonType, "", 400, ""},
		{"cut JSON", jsonType, goodJSON[:30], 400, ""},
		{"list", jsonType, "[]", 400, ""},
		{"deep JSON", jsonType, deep, 400, ""},
		{"duplicated key", jsonType, `{"name":"a","name":"b","email":"ada@example.net","start":"2027-03-05T10:30"}`, 400, ""},
		{"list for a name", jsonType, `{"name":["a"],"email":"ada@example.net","start":"2027-03-05T10:30"}`, 422, "name"},
		{"plain text", "text/plain", goodJSON, 415, ""},
		{"no media type", "", goodJSON, 415, ""},
		{"too large", jsonType, field("description", strings.Repeat("x", 70000)), 413, ""},
		{"cut multipart", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n", 400, ""},
		{"no name", jsonType, field("name", "\u202e \x00"), 422, "name"},
		{"long name", jsonType, field("name", strings.Repeat("x", 81)), 422, "name"},
		{"two @", jsonType, field("email", "a@b@example.com"), 422, "email"},
		{"display name", jsonType, field("email", "Eve <eve@example.com>"), 422, "email"},
		{"line break in address", jsonType, field("email", "eve@example.com\r\nBcc: x@example.com"), 422, "email"},
		{"300 characters", jsonType, field("email", strings.Repeat("x", 300)+"@example.com"), 422, "email"},
		{"the organizer books", jsonType, field("email", "Booking+me@example.com"), 422, "email"},
		{"skipped hour", jsonType, field("start", "2027-03-28T02:30"), 422, "start"},
		{"past", jsonType, field("start", "2027-03-01T09:00"), 422, "start"},
		{"year 0", jsonType, field("start", "0000-01-01T00:00:00Z"), 422, "start"},
		{"year 9999", jsonType, field("start", "9999-12-31T23:59:59Z"), 422, "start"},
		{"end first", jsonType, field("end", "2027-03-05T10:00"), 422, "end"},
		{"a month", jsonType, field("end", "2027-04-06T10:31"), 422, "end"},
		{"bad zone", jsonType, field("timezone", "../../etc/passwd"), 422, "timezone"},
		{"long notes", jsonType, field("description", strings.Repeat("x", 2001)), 422, "description"},
	} {
		t.Run(tt.name, func(t *testing.T) { checkRefusal(t, tt.contentType, tt.body, tt.status, tt.field) })
	}
}

func checkRefusal(t *testing.T, contentType, body string, status int, field string) {
	t.Helper()
	h := newHandler(t, minimalDirective)
	out := capture(t, h)
	r := post(contentType, body)
	r.Header.Set("Accept", jsonType)
	w, err := serve(t, h, r)
	if err != nil {
		t.Fatal(err)
	}
	if w.Code != status || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("status %d, type %q, body %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	var got problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if field != "" && (len(got.Errors) != 1 || got.Errors[0].Field != field) {
		t.Errorf("errors %+v, want one for %s", got.Errors, field)
	}
	if got.Status != status || got.Detail == "" {
		t.Errorf("problem %+v", got)
	}
	if strings.Contains(w.Body.String(), "a@b") || strings.Contains(w.Body.String(), "eve@") || strings.Contains(w.Body.String(), "passwd") {
		t.Errorf("the answer repeats the value: %s", w.Body)
	}
	out.checkEmpty(t)
	// With handle_errors the same refusal is returned instead.
	h.Errors = errorsHandle
	w, err = serve(t, h, post(contentType, body))
	var handlerErr caddyhttp.HandlerError
	if !errors.As(err, &handlerErr) || handlerErr.StatusCode != status || w.Body.Len() > 0 {
		t.Errorf("handle_errors: %v, wrote %q", err, w.Body)
	}
}

// TestHostileTextIsText books with texts that other layers might expand: they
// arrive as they are, and the mails pass lint.
func TestHostileTextIsText(t *testing.T) {
	t.Setenv("TEST_SECRET", "opensesame")
	for _, name := range hostileNames {
		h := newHandler(t, `ical_invite {
			organizer booking@example.com
			host grace@example.org
			file unused
			timezone Europe/Berlin
			summary "Visit of {http.ical_invite.name}"
			location "Room {http.request.header.X-Room}"
			description "{http.ical_invite.name} visits"
			extra topic Topic
		}`)
		out := capture(t, h)
		name += "{env.TEST_SECRET}"
		body, err := json.Marshal(map[string]string{
			"name": truncateString(name, 80), "email": "ada@example.net", "start": "2027-03-05T10:30",
			"description": name, "topic": name, "locale": name,
		})
		if err != nil {
			t.Fatal(err)
		}
		r := post(jsonType, string(body))
		r.Header["X-Room"] = []string{"{env.TEST_SECRET} http://evil.example @ =?x?= \u202e"}
		w, err := serve(t, h, r)
		if err != nil || w.Code != http.StatusAccepted {
			t.Fatalf("%q: %d, %v, %s", name, w.Code, err, w.Body)
		}
		for _, m := range out.wait(t, 2) {
			checkHostileMail(t, m)
			if strings.Contains(string(m.Raw), "opensesame") {
				t.Errorf("%q was expanded", name)
			}
		}
	}
}

func truncateString(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

func TestBodyLimitOfTheSite(t *testing.T) {
	h := newHandler(t, minimalDirective)
	r := post(jsonType, "")
	r.ContentLength = -1
	r.Body = failingBody{caddyhttp.Error(http.StatusRequestEntityTooLarge, errors.New("too large"))}
	w, err := serve(t, h, r)
	if err != nil || w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d, %v", w.Code, err)
	}
}

type failingBody struct{ err error }

func (b failingBody) Read([]byte) (int, error) { return 0, b.err }
func (b failingBody) Close() error             { return nil }

func TestPlaceholdersForLaterHandlers(t *testing.T) {
	h := newHandler(t, minimalDirective)
	capture(t, h)
	repl := caddy.NewReplacer()
	w := httptest.NewRecorder()
	r := caddyhttp.PrepareRequest(post(jsonType, goodJSON), repl, w, nil)
	if err := h.ServeHTTP(w, r, notFound); err != nil {
		t.Fatal(err)
	}
	got := repl.ReplaceAll("{http.ical_invite.status} {http.ical_invite.sequence} {http.ical_invite.uid}|{http.ical_invite.name}", "")
	if !strings.HasPrefix(got, "queued 0 ") || !strings.HasSuffix(got, "@example.com|") {
		t.Errorf("got %q", got)
	}
}

func TestSeveralHosts(t *testing.T) {
	h := newHandler(t, `ical_invite {
		organizer booking@example.com
		hosts {
			grace grace@example.org "Dr. Grace Hopper"
			alan  alan@example.org
		}
		file unused
		timezone Europe/Berlin
		fields {
			start  date time
			guests friends
		}
		extra phone Telephone
	}`)
	out := capture(t, h)
	r := post(formType, "host=alan&name=Ada&email=ada@example.net&date=2027-03-05&time=10:30&friends=c@example.net,+ALAN@example.org&phone=123")
	w, err := serve(t, h, r)
	if err != nil || w.Code != http.StatusAccepted {
		t.Fatalf("%d, %v, %s", w.Code, err, w.Body)
	}
	var to []string
	for _, m := range out.wait(t, 3) {
		checkMail(t, m)
		to = append(to, fmt.Sprintf("%s %s", m.Role, m.To))
	}
	if got := strings.Join(to, ", "); got != "client ada@example.net, host alan@example.org, guest c@example.net" {
		t.Errorf("messages to %s", got)
	}
}

func TestOperatorTemplates(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	subject := write("subject", "Termin\r\nBcc: x@example.com {{.Recipient.Name}}")
	html := write("html", "<p>{{.Client.Name}} at 10:30</p>")
	h := newHandler(t, strings.Replace(minimalDirective, "timezone", fmt.Sprintf("template subject %s\n template html %s\n timezone", subject, html), 1))
	out := capture(t, h)
	if _, err := serve(t, h, post(jsonType, strings.Replace(goodJSON, "Ada", "<b>Ada", 1))); err != nil {
		t.Fatal(err)
	}
	for _, m := range out.wait(t, 2) {
		raw := string(m.Raw)
		if !strings.Contains(raw, "\r\nSubject: Termin Bcc: x@example.com") || !strings.Contains(raw, "<p>&lt;b&gt;Ada at 10:30</p>") {
			t.Errorf("mail:\n%s", raw)
		}
	}
	broken := write("broken", "{{.NoSuchField}}")
	_, err := provisionHandler(t, strings.Replace(minimalDirective, "timezone", "template text "+broken+"\n timezone", 1))
	if err == nil || !strings.Contains(err.Error(), "NoSuchField") {
		t.Errorf("a broken template: %v", err)
	}
}
