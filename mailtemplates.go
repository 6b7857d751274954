package caddyicalmail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"os"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

//go:embed templates
var builtinTemplates embed.FS

// maxTemplateSize bounds a template file, in bytes: mail clients clip HTML
// beyond about 100 kB.
const maxTemplateSize = 64 << 10

// mailTemplates are the parsed templates of the mails of one handler.
type mailTemplates struct {
	invitation, confirmation mailTemplate

	// place is where all of the handler's appointments are, if that is known
	// before any of them is booked; else it is empty.
	place string
}

// mailTemplate makes one kind of mail.
type mailTemplate struct {
	subject, text *texttemplate.Template
	html          *htmltemplate.Template
}

// mailText is the rendered content of one mail.
type mailText struct {
	subject    booking.Line
	text, html string
}

// loadMailTemplates parses the built-in templates or the operator's, and
// tries them out, so that a mistake in one is found when the config is loaded.
func loadMailTemplates(files *TemplateFiles, repl *caddy.Replacer) (*mailTemplates, error) {
	if files == nil {
		files = new(TemplateFiles)
	}
	t := new(mailTemplates)
	for _, part := range []struct {
		file, builtin string
		parse         func(string) error
	}{
		{files.Subject, "mail_subject.txt", parseText(&t.invitation.subject)},
		{files.Text, "mail.txt", parseText(&t.invitation.text)},
		{files.HTML, "mail.html", parseHTML(&t.invitation.html)},
		{files.ConfirmSubject, "mail_confirm_subject.txt", parseText(&t.confirmation.subject)},
		{files.ConfirmText, "mail_confirm.txt", parseText(&t.confirmation.text)},
		{files.ConfirmHTML, "mail_confirm.html", parseHTML(&t.confirmation.html)},
	} {
		source, err := readTemplate(part.file, "templates/"+part.builtin, repl)
		if err != nil {
			return nil, err
		}
		if err := part.parse(source); err != nil {
			return nil, fmt.Errorf("parsing template %q: %w", part.file, err)
		}
	}
	return t, t.try()
}

// try renders a mail of each kind for each of its readers.
func (t *mailTemplates) try() error {
	for _, kind := range []string{"invitation", "update", "cancellation"} {
		for _, role := range []booking.Role{booking.RoleClient, booking.RoleHost, booking.RoleGuest} {
			d := sampleMail()
			d.Kind, d.Role = kind, string(role)
			if _, err := t.render(d); err != nil {
				return fmt.Errorf("trying out the templates: %w", err)
			}
		}
	}
	if _, err := t.renderConfirmation(sampleMail()); err != nil {
		return fmt.Errorf("trying out the templates of the confirmation: %w", err)
	}
	return nil
}

func parseText(to **texttemplate.Template) func(string) error {
	return func(source string) (err error) {
		*to, err = texttemplate.New("mail").Option("missingkey=error").Parse(source)
		return err
	}
}

func parseHTML(to **htmltemplate.Template) func(string) error {
	return func(source string) (err error) {
		*to, err = htmltemplate.New("mail").Option("missingkey=error").Parse(source)
		return err
	}
}

func readTemplate(file, builtin string, repl *caddy.Replacer) (string, error) {
	if file == "" {
		source, err := builtinTemplates.ReadFile(builtin)
		return string(source), err
	}
	path, err := repl.ReplaceOrErr(file, true, true)
	if err != nil {
		return "", fmt.Errorf("expanding template file name: %w", err)
	}
	source, err := readBounded(path, maxTemplateSize)
	return string(source), err
}

// readBounded reads a file of at most limit bytes.
func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading template: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading template: %w", err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("template %q is larger than %d bytes", file, limit)
	}
	return content, nil
}

// render makes the content of an invitation, an update or a cancellation.
func (t *mailTemplates) render(d *mailData) (*mailText, error) {
	return t.invitation.render(d, booking.Line(d.Summary))
}

// fallbackConfirmSubject is the subject if a template makes none.
const fallbackConfirmSubject = "Please confirm your appointment"

// renderConfirmation makes the content of the mail that asks the client to
// confirm a booking. It goes to an address that nobody has proven to be
// theirs, so that the template gets to see nothing that the client typed but
// the time: a form must not write to strangers.
func (t *mailTemplates) renderConfirmation(d *mailData) (*mailText, error) {
	client := mailPerson{Name: d.Client.Address, Address: d.Client.Address}
	return t.confirmation.render(&mailData{
		Kind:        "confirmation",
		Role:        string(booking.RoleClient),
		Recipient:   client,
		Client:      client,
		Host:        d.Host,
		Organizer:   d.Organizer,
		Location:    t.place,
		LocationURL: webAddress(t.place),
		Start:       d.Start,
		End:         d.End,
		When:        d.When,
		Date:        d.Date,
		Time:        d.Time,
		Zone:        d.Zone,
		Repeats:     d.Repeats,
		ConfirmURL:  d.ConfirmURL,
		Expires:     d.Expires,
	}, fallbackConfirmSubject)
}

// fixedText returns an operator's text if it has no placeholders, which could
// stand for something that a client typed.
func fixedText(text string) string {
	if strings.ContainsAny(text, "{}") {
		return ""
	}
	return string(truncate(booking.CleanLine(text), maxLocation))
}

// render executes the templates. The subject is cleaned afterwards, whatever
// a template made of it.
func (t *mailTemplate) render(d *mailData, fallback booking.Line) (*mailText, error) {
	var subject, text, html bytes.Buffer
	if err := t.subject.Execute(&subject, d); err != nil {
		return nil, fmt.Errorf("rendering the subject: %w", err)
	}
	if err := t.text.Execute(&text, d); err != nil {
		return nil, fmt.Errorf("rendering the text part: %w", err)
	}
	if err := t.html.Execute(&html, d); err != nil {
		return nil, fmt.Errorf("rendering the HTML part: %w", err)
	}
	line := truncate(booking.CleanLine(subject.String()), maxSubject)
	if line == "" {
		line = fallback
	}
	return &mailText{subject: line, text: text.String(), html: html.String()}, nil
}

// sampleMail is a complete set of template data to try templates out with.
func sampleMail() *mailData {
	start := time.Date(2027, time.March, 5, 10, 30, 0, 0, time.UTC)
	person := mailPerson{Name: "Ada", Address: "ada@example.com"}
	return &mailData{
		Kind: "invitation", Role: "host", Recipient: person, Client: person, Host: person, Organizer: person,
		Guests: []mailPerson{person}, Summary: "Sample", Location: "Sample", Description: "Sample",
		Notes: "Sample", Extra: []booking.Answer{{Label: "Phone", Value: "1"}},
		Start: start, End: start.Add(time.Hour),
		When: "Sample", Date: "Sample", Time: "Sample", Zone: "UTC",
		ManageURL: "https://example.com/sample", Note: "Sample", NoteFrom: person,
		ConfirmURL: "https://example.com/sample", Expires: "Sample",
	}
}
