package caddyicalmail

import (
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

const (
	testManageURL  = "https://example.com/appointments/c.AbC-123_x"
	testConfirmURL = "https://example.com/appointments/o.AbC-123_x"
)

func renderMail(t testing.TB, d *mailData) *mailText {
	t.Helper()
	text, err := builtinMails(t).render(d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestMailsWithLinks checks what a mail says to those who have a page on which
// they can change the appointment, and that nobody else reads of it.
func TestMailsWithLinks(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, url  string
		role       booking.Role
		text, html []string
		not        []string
	}{
		"invitation": {"invitation", testManageURL, booking.RoleClient,
			[]string{"HOW TO ANSWER", "SEE, MOVE OR CANCEL THIS APPOINTMENT\n" + testManageURL + "\n", "goes straight to\nDr. Grace Hopper <grace@example.org>."},
			[]string{`href="` + testManageURL + `"`, "See, move or cancel this appointment</a>", "<strong>Yes</strong>"},
			[]string{"HOW TO CANCEL", "How to cancel"}},
		"host's update": {"update", testManageURL, booking.RoleHost,
			[]string{"SEE, MOVE OR CANCEL THIS APPOINTMENT\n" + testManageURL + "\n", "Lovelace, Ada <ada@example.net>."},
			[]string{"See, move or cancel this appointment</a>"}, nil},
		"cancellation": {"cancellation", testManageURL, booking.RoleClient,
			[]string{"WHAT TO DO", "SEE THIS APPOINTMENT\n" + testManageURL + "\n"},
			[]string{"See this appointment</a>"},
			[]string{"MOVE", "move or cancel"}},
		"no link": {"invitation", "", booking.RoleClient,
			[]string{"HOW TO CANCEL\nPress No"}, []string{"How to cancel"}, []string{"SEE", "move or cancel", "mso-padding-alt"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := pageEvent(t, tt.role)
			d.Kind, d.ManageURL = tt.kind, tt.url
			got := renderMail(t, d)
			checkSays(t, got.text, tt.text, tt.not)
			checkSays(t, got.html, tt.html, tt.not)
		})
	}
}

func checkSays(t *testing.T, text string, say, not []string) {
	t.Helper()
	for _, s := range say {
		if !strings.Contains(text, s) {
			t.Errorf("%q is missing in:\n%s", s, text)
		}
	}
	for _, s := range not {
		if strings.Contains(text, s) {
			t.Errorf("%q is in:\n%s", s, text)
		}
	}
}

func TestMailsWithNotes(t *testing.T) {
	for _, kind := range []string{"update", "cancellation"} {
		t.Run(kind, func(t *testing.T) {
			d := pageEvent(t, booking.RoleClient)
			d.Kind, d.Note, d.NoteFrom = kind, "I am ill.\n<b>Sorry</b>", mailPerson{Name: "Dr. <Grace>"}
			got := renderMail(t, d)
			checkSays(t, got.text, []string{"\n\nDr. <Grace> wrote:\nI am ill.\n<b>Sorry</b>\n\nWhat:"}, nil)
			checkSays(t, got.html, []string{"Dr. &lt;Grace&gt;</span> wrote", "I am ill.\n&lt;b&gt;Sorry&lt;/b&gt;</pre>"}, []string{"<b>"})
		})
	}
}

func TestConfirmationMail(t *testing.T) {
	mails := builtinMails(t)
	mails.place = "https://meet.example.com/practice"
	d := pageEvent(t, booking.RoleClient)
	d.ConfirmURL = testConfirmURL
	got, err := mails.renderConfirmation(d)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "confirmation.txt", "Subject: "+string(got.subject)+"\n\n"+got.text)
	golden(t, "confirmation.html", got.html)
	checkSays(t, got.text, []string{"NOT BOOKED YET", "\n" + testConfirmURL + "\n", "do nothing: nothing is booked", mails.place}, nil)
	checkSays(t, got.html, []string{"Not booked yet", `<a href="` + testConfirmURL + `"`, "Do nothing: nothing is booked", `href="` + mails.place + `"`}, nil)
}

// TestConfirmationMailIsNoMegaphone checks that nothing that somebody typed
// gets into a mail to an address that may be a stranger's, not even through an
// operator's template.
func TestConfirmationMailIsNoMegaphone(t *testing.T) {
	own := t.TempDir()
	everything := "{{.Client.Name}}{{.Recipient.Name}}{{.Summary}}{{.Location}}{{.LocationURL}}{{.Description}}{{.Notes}}" +
		"{{range .Extra}}{{.Value}}{{end}}{{range .Guests}}{{.Name}}{{end}}{{.Note}}{{.NoteFrom.Name}}{{.ManageURL}}"
	write(t, own, "all", everything)
	file := own + "/all"
	for name, files := range map[string]*TemplateFiles{
		"built-in": nil,
		"own":      {ConfirmSubject: file, ConfirmText: file, ConfirmHTML: file},
	} {
		t.Run(name, func(t *testing.T) {
			mails, err := loadMailTemplates(files, caddy.NewReplacer())
			if err != nil {
				t.Fatal(err)
			}
			d := pageEvent(t, booking.RoleHost)
			host, organizer := d.Host, d.Organizer
			when, date, clock, zone := d.When, d.Date, d.Time, d.Zone
			const typed = "Buy-now"
			fillTexts(reflect.ValueOf(d).Elem(), typed)
			d.Host, d.Organizer, d.ConfirmURL, d.Expires, d.Repeats = host, organizer, testConfirmURL, "soon", ""
			d.When, d.Date, d.Time, d.Zone = when, date, clock, zone
			d.Client.Address = "ada@example.net"
			got, err := mails.renderConfirmation(d)
			if err != nil {
				t.Fatal(err)
			}
			checkSays(t, string(got.subject)+got.text+got.html, nil, []string{typed})
			if got.subject == "" {
				t.Error("there is no subject")
			}
		})
	}
}

func TestFixedText(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"Main St 1":                       "Main St 1",
		"a\nb":                            "a b",
		"{env.ROOM}":                      "",
		"Room of {http.ical_invite.name}": "",
	} {
		if got := fixedText(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	h := newHandler(t, strings.Replace(minimalDirective, "timezone", "location \"Main St 1\"\n\ttimezone", 1))
	if h.mails.place != "Main St 1" {
		t.Errorf("the handler's place is %q", h.mails.place)
	}
}
