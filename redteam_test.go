package caddyicalmail

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// attacks are texts that mean something to one of the layers through which a
// booking goes. All of them hold the word evil, or the value of a secret if
// they are expanded.
var attacks = []struct{ name, text string }{
	{"header", "evil\r\nBcc: evil@evil.example"},
	{"header by LF", "evil\nBcc: evil@evil.example"},
	{"header by CR", "evil\rBcc: evil@evil.example"},
	{"body", "evil\r\n\r\n<p>evil"},
	{"folded header", "evil\r\n Bcc:\r\n\tevil@evil.example"},
	{"boundary", "evil\r\n--\r\nContent-Type: text/html\r\n\r\nevil"},
	{"lone dot", "evil\r\n.\r\nMAIL FROM:<evil@evil.example>\r\n"},
	{"NUL", "evil\x00\x00Bcc: x"},
	{"escape", "evil\x1b[31m\a\b\x7f"},
	{"C1", "evil\u0085Bcc: x\u009b31m"},
	{"bidi", "\u202egnp.live\u2066evil\u2069\u200f"},
	{"line separator", "evil\u2028ATTENDEE:mailto:evil@evil.example\u2029evil"},
	{"encoded word", "=?utf-8?q?evil=0D=0ABcc:_evil@evil.example?="},
	{"encoded word, split", "=\u200b?utf-8?b?ZXZpbA==?="},
	{"calendar", "evil\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\nEND:VEVENT"},
	{"calendar, escaped", `evil\nEND:VEVENT\nBEGIN:VEVENT\,\;\\`},
	{"attendee", `evil;ATTENDEE=mailto:evil@evil.example`},
	{"parameter", `evil";PARTSTAT=ACCEPTED;X="`},
	{"parameter, RFC 6868", `evil^nATTENDEE:^^^'`},
	{"quotes", `"'evil'"`},
	{"backslashes", `\\evil\`},
	{"brackets", `evil <evil@evil.example>, <`},
	{"environment", "evil {env.TEST_SECRET}"},
	{"file", "evil {file./etc/hostname}"},
	{"placeholder", "evil {http.request.host}{http.ical_invite.uid}"},
	{"nested placeholder", "evil {env.{http.ical_invite.name}}"},
	{"template", "evil {{.}}{{.Client}}{{printf \"%s\" .}}"},
	{"template of others", "evil ${TEST_SECRET}$TEST_SECRET<%= 1 %>#{1}"},
	{"script", "evil<script>alert(1)</script>"},
	{"broken html", `evil"><img src=x onerror=alert(1)>-->`},
	{"URL", "javascript:alert('evil') data:text/html,evil"},
	{"link", "http://evil.example/ www.evil.example evil.example"},
	{"SQL", "evil'); DROP TABLE events;--"},
	{"path", "../../../../etc/evil"},
	{"combining marks", "evil" + strings.Repeat("\u0301", 10000)},
	{"emoji", "evil 👩‍👩‍👧‍👦" + strings.Repeat("👩‍", 30)},
	{"overlong", strings.Repeat("evil ", 5000)},
	{"overlong word", strings.Repeat("evil", 5000)},
	{"invalid UTF-8", "evil\xff\xfe\xc0\xaf"},
	{"noncharacter", "evil\ufffe\ufdd0\U000e0041"},
	{"number", "1e999999999"},
	{"many commas", strings.Repeat("evil,", 3000)},
}

// attackedFields are the fields of the table's forms. Header is a header field.
var attackedFields = []string{
	"name", "email", "description", "topic", "title", "place", "friends", "timezone", "locale", "host", "privacy",
	"start", "end", "duration", "repeat", "except", "id", "action", "unknown", "Idempotency-Key",
}

// entry is a way in.
type entry struct {
	name    string
	handler string // of the directive's block
	request func(fields map[string]string) *http.Request
	back    func(fields map[string]string) http.HandlerFunc // behind pass_thru
}

// trusted reports whether the entry is for our own side, which may say which
// booking is meant, and write links.
func (e entry) trusted() bool { return e.handler != "" }

func entries() []entry {
	return []entry{
		{name: "form", request: urlencoded},
		{name: "multipart", request: multipartForm},
		{name: "JSON", request: jsonBody},
		{name: "webhook", handler: hookOptions, request: signedBody},
		{name: "back end", handler: "pass_thru", request: jsonBody, back: steering},
	}
}

const hookOptions = `verify hmac {
	secret {env.TEST_HOOK_SECRET}
	header X-Signature
}`

// redteamDirective maps everything that can be mapped.
func redteamDirective(e entry) string {
	fields := "summary title\nlocation place\nguests friends\nrrule repeat\nexdate except\n"
	if e.handler == hookOptions {
		fields += "id id\naction action\n"
	}
	return `ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		hosts {
			grace grace@example.org "Dr. Grace Hopper"
			alan alan@example.org
		}
		file unused
		timezone Europe/Berlin
		description "{http.ical_invite.name} comes to {http.ical_invite.host_key}"
		extra topic Topic
		consent privacy Privacy
		limit recipient 1000000 1h
		fields {
			` + fields + `
		}
		` + e.handler + `
	}`
}

// TestRedTeamInjection puts every attack into every field through every entry.
// Either the field is refused by its name, or clean mails go to those who were
// meant, and to nobody else.
func TestRedTeamInjection(t *testing.T) {
	t.Setenv("TEST_SECRET", "opensesame")
	t.Setenv("TEST_HOOK_SECRET", hookSecret)
	for _, e := range entries() {
		t.Run(e.name, func(t *testing.T) {
			h := newHandler(t, redteamDirective(e))
			out := capture(t, h)
			header := cleanHeader(t, h, out, e)
			n := 0
			for _, field := range attackedFields {
				for _, attack := range attacks {
					if n++; n%redteamSample != 0 {
						continue
					}
					t.Run(field+"/"+attack.name, func(t *testing.T) {
						fields := harmless(n)
						fields[field] = attack.text
						checkAttack(t, h, out, e, fields, field, header)
					})
				}
			}
		})
	}
}

// harmless are the fields of the nth good booking, which is like no other.
func harmless(n int) map[string]string {
	start := testNow.Add(time.Duration(n+1) * time.Hour).Format(time.RFC3339)
	return map[string]string{"name": "Ada", "email": "ada@example.net", "start": start, "host": "grace", "privacy": "on"}
}

// cleanHeader books harmlessly and returns the names of the mail's header
// fields, of which an attack must not make more.
func cleanHeader(t *testing.T, h *Handler, out *outgoing, e entry) []string {
	t.Helper()
	fields := harmless(0)
	fields["title"], fields["place"], fields["topic"], fields["description"] = "Visit", "Room 1", "Tea", "None"
	w := attack(t, h, e, fields)
	if w.status >= http.StatusBadRequest {
		t.Fatalf("a good booking: %d %s", w.status, w.body)
	}
	mails := out.take(t, 2)
	return parseMail(t, mails[0].Raw).fields
}

func checkAttack(t *testing.T, h *Handler, out *outgoing, e entry, fields map[string]string, field string, header []string) {
	t.Helper()
	text := fields[field]
	w := attack(t, h, e, fields)
	switch {
	case w.status == http.StatusUnprocessableEntity:
		checkRefusedField(t, w, field, text)
		return
	case w.status == http.StatusBadRequest && field == "Idempotency-Key", w.outcome == statusSkipped:
		return
	case w.outcome != statusQueued && w.outcome != statusUpdated: // many an id is the same once it is clean
		t.Fatalf("%d %q: %s", w.status, w.outcome, w.body)
	}
	mails := out.take(t, w.recipients)
	for _, m := range mails {
		checkAttackedMail(t, m, header, field == "title" && e.trusted())
		checkRecipient(t, m, field, text)
	}
}

// checkRefusedField: a refusal names the field and nothing that was sent.
func checkRefusedField(t *testing.T, w attacked, field, text string) {
	t.Helper()
	var got problem
	if err := json.Unmarshal([]byte(w.body), &got); err != nil {
		t.Fatal(err)
	}
	for _, f := range got.Errors {
		// A length is what the end and the duration say together.
		if f.Field != field && (field != "duration" || f.Field != "end") {
			t.Errorf("%s was attacked, %s is refused: %s", field, f.Field, f.Detail)
		}
	}
	if len(got.Errors) == 0 {
		t.Errorf("no field is named: %s", w.body)
	}
	if strings.Contains(strings.ToLower(w.body), "evil") || len(w.body) > 10000 {
		t.Errorf("the answer repeats %.20q: %.200s", text, w.body)
	}
}

// checkAttackedMail: the mail is without fault, has the header fields of any
// other and one event, and no placeholder was expanded. Links in the title are
// for those whose title we trust.
func checkAttackedMail(t *testing.T, m store.NewMessage, header []string, links bool) {
	t.Helper()
	if !links {
		checkHostileMail(t, m)
	}
	mail := parseMail(t, m.Raw)
	if !slices.Equal(mail.fields, header) {
		t.Errorf("the header fields are %v, want %v", mail.fields, header)
	}
	if n := countLines(mail.calendar, "BEGIN:VEVENT"); n != 1 {
		t.Errorf("%d events:\n%s", n, mail.calendar)
	}
	if n := countLines(mail.calendar, "ATTENDEE"); n < 2 || m.Role != booking.RoleHost && n != 2 {
		t.Errorf("%d attendees:\n%s", n, mail.calendar)
	}
	for _, where := range []string{mail.header, mail.text, mail.calendar} {
		if strings.Contains(where, "opensesame") {
			t.Errorf("a placeholder was expanded:\n%s", where)
		}
	}
	if strings.Contains(mail.html, "<script") || strings.Contains(mail.html, "<img") || strings.Contains(mail.html, `href="javascript:`) {
		t.Errorf("the HTML is not text:\n%s", mail.html)
	}
}

// checkRecipient: the mail goes to somebody who was meant. Only the fields
// that hold addresses may add some, and then exactly what they say.
func checkRecipient(t *testing.T, m store.NewMessage, field, text string) {
	t.Helper()
	to := m.To.String()
	if to == "ada@example.net" || to == "grace@example.org" || to == "alan@example.org" {
		return
	}
	said := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \r\n\t\u0085\u2028\u2029", r) })
	if field != "friends" && field != "email" || !slices.Contains(said, to) {
		t.Errorf("a mail goes to %s", to)
	}
}
