package caddyicalmail

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/uuid"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

var boundary = regexp.MustCompile(`[0-9a-f]{60}`)

// fixBoundaries replaces the random boundaries, which go-mail chooses, by
// their order of appearance.
func fixBoundaries(raw string) string {
	seen := map[string]string{}
	return boundary.ReplaceAllStringFunc(raw, func(b string) string {
		if seen[b] == "" {
			seen[b] = fmt.Sprintf("boundary-%d", len(seen)+1)
		}
		return seen[b]
	})
}

func builtinMails(t testing.TB) *mailTemplates {
	t.Helper()
	mails, err := loadMailTemplates(nil, caddy.NewReplacer())
	if err != nil {
		t.Fatal(err)
	}
	return mails
}

func TestMailGolden(t *testing.T) {
	e := sampleEvent(t)
	mails := builtinMails(t)
	for i, to := range e.Recipients() {
		t.Run(string(to.Role), func(t *testing.T) {
			inv, err := newInvitation(e, to)
			if err != nil {
				t.Fatal(err)
			}
			id := messageID(uuid.UUID{15: byte(i)}, e.Organizer.Address)
			raw, err := inv.mime(mails, id)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range lint.Mail(raw, lint.Options{Recipient: to.Address.String(), Sender: "booking@example.com"}) {
				t.Error(f)
			}
			golden(t, "request-"+string(to.Role)+".eml", fixBoundaries(string(raw)))
		})
	}
}

// TestMailHostile renders mails with every hostile name in every place where
// a user's text can come.
func TestMailHostile(t *testing.T) {
	mails := builtinMails(t)
	for _, name := range hostileNames {
		t.Run(name, func(t *testing.T) { checkMails(t, mails, hostileEvent(t, name, name)) })
	}
}

func hostileEvent(t testing.TB, name, notes string) *booking.Event {
	e := sampleEvent(t)
	if line := truncate(booking.Defang(booking.CleanLine(name)), 80); line != "" {
		e.Client.Name, e.Guests[0].Name, e.Location = line, line, line
		e.Summary = truncate(line+" and Dr. Hopper", maxSummary)
	}
	e.Notes = booking.CleanText(notes)
	e.Extra = []booking.Answer{{Label: "Topic", Value: booking.CleanText(notes)}}
	return e
}

func checkMails(t *testing.T, mails *mailTemplates, e *booking.Event) {
	t.Helper()
	h := &Handler{mails: mails}
	messages, err := h.render(e, nil, new(order))
	if err != nil {
		t.Fatal(err)
	}
	if len(messages) != len(e.Recipients()) {
		t.Errorf("%d messages for %d recipients", len(messages), len(e.Recipients()))
	}
	for _, m := range messages {
		checkHostileMail(t, m)
	}
}

// FuzzMail asserts that whatever people type becomes a mail that passes lint.
func FuzzMail(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name, name)
	}
	mails := builtinMails(f)
	f.Fuzz(func(t *testing.T, name, notes string) {
		if len(notes) > 2000 {
			notes = notes[:2000]
		}
		checkMails(t, mails, hostileEvent(t, name, notes))
	})
}

func TestMessageID(t *testing.T) {
	got := messageID(uuid.Max, mustAddress(t, "booking@example.com"))
	if len(got) > 60 || !strings.HasSuffix(got, "@example.com") || got != strings.ToLower(got) {
		t.Errorf("got %q", got)
	}
}

func TestReplyTo(t *testing.T) {
	e := sampleEvent(t)
	messages, err := (&Handler{mails: builtinMails(t)}).render(e, nil, new(order))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		want := "\r\nReply-To: \"Dr. Grace Hopper\" <grace@example.org>\r\n"
		if m.Role == booking.RoleHost {
			want = "\r\nReply-To: \"Lovelace, Ada\" <ada@example.net>\r\n"
		}
		if !strings.Contains(string(m.Raw), want) {
			t.Errorf("%s's mail has not %q", m.Role, want)
		}
	}
}

// TestHeaderStaysASCII: a client's address that is not ASCII must not make the
// host's mail need SMTPUTF8, nor people without names lose their CN.
func TestHeaderStaysASCII(t *testing.T) {
	e := sampleEvent(t)
	e.Client.Address = mustAddress(t, "jörg@example.net")
	e.Host.Name = ""
	messages, err := (&Handler{mails: builtinMails(t)}).render(e, nil, new(order))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		checkMail(t, m)
		header, _, _ := strings.Cut(string(m.Raw), "\r\n\r\n")
		ascii := !strings.ContainsFunc(header, func(r rune) bool { return r > '~' })
		if ascii == m.To.NeedsSMTPUTF8() {
			t.Errorf("%s's header is ASCII: %v", m.Role, ascii)
		}
	}
}
