package caddyicalmail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"os"
	texttemplate "text/template"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

//go:embed templates
var builtinTemplates embed.FS

// The built-in mail templates.
const (
	subjectTemplate = "templates/mail_subject.txt"
	textTemplate    = "templates/mail.txt"
	htmlTemplate    = "templates/mail.html"
)

// maxTemplateSize bounds a template file, in bytes: mail clients clip HTML
// beyond about 100 kB.
const maxTemplateSize = 64 << 10

// mailTemplates are the parsed templates of the mails of one handler.
type mailTemplates struct {
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
		{files.Subject, subjectTemplate, parseText(&t.subject)},
		{files.Text, textTemplate, parseText(&t.text)},
		{files.HTML, htmlTemplate, parseHTML(&t.html)},
	} {
		source, err := readTemplate(part.file, part.builtin, repl)
		if err != nil {
			return nil, err
		}
		if err := part.parse(source); err != nil {
			return nil, fmt.Errorf("parsing template %q: %w", part.file, err)
		}
	}
	if _, err := t.render(sampleMail()); err != nil {
		return nil, fmt.Errorf("trying out the templates: %w", err)
	}
	return t, nil
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
	source, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading template: %w", err)
	}
	if len(source) > maxTemplateSize {
		return "", fmt.Errorf("template %q is larger than %d bytes", path, maxTemplateSize)
	}
	return string(source), nil
}

// render executes the templates. The subject is cleaned afterwards, whatever
// a template made of it.
func (t *mailTemplates) render(d *mailData) (*mailText, error) {
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
		line = booking.Line(d.Summary)
	}
	return &mailText{subject: line, text: text.String(), html: html.String()}, nil
}

func (t *mailTemplates) renderConfirmation(d *mailData) (*mailText, error) { return t.render(d) }

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
	}
}
