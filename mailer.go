package caddyicalmail

import (
	"bytes"
	"encoding/base32"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/wneessen/go-mail"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// maxSubject is the length of a subject line, in characters.
const maxSubject = 150

// attachmentName is what mail clients call the attached invitation.
const attachmentName = "invite.ics"

// messageID is a Message-ID in the sender's domain (RFC 5322, section 3.6.4),
// short enough to keep its header line below 78 characters. go-mail would
// take the machine's name, which need not be fully qualified.
func messageID(id uuid.UUID, from booking.Address) string {
	short := base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(id[:])
	return strings.ToLower(short) + "@" + from.Domain()
}

// mime renders the invitation as a mail: the texts and the invitation as
// alternatives, richest last (RFC 2046, section 5.1.4), and the invitation
// once more as an attachment, for clients that look there only.
func (inv *invitation) mime(templates *mailTemplates, messageID string) ([]byte, error) {
	data, err := inv.mailData()
	if err != nil {
		return nil, err
	}
	content, err := templates.render(data)
	if err != nil {
		return nil, err
	}
	calendar, err := inv.calendar()
	if err != nil {
		return nil, err
	}

	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	inv.setHeader(m, content.subject, messageID)
	m.SetBodyString(mail.TypeTextPlain, content.text)
	m.AddAlternativeString(mail.TypeTextHTML, content.html)
	// Base64, because folded lines may end in a space, which relays strip
	// from anything else.
	m.AddAlternativeString(mail.ContentType("text/calendar; method="+inv.method), calendar,
		mail.WithPartEncoding(mail.EncodingB64))
	m.AttachReadSeeker(attachmentName, strings.NewReader(calendar),
		mail.WithFileContentType("application/ics"), mail.WithFileEncoding(mail.EncodingB64))

	// The message is complete before any connection is opened: a writer that
	// fails during DATA would deliver the part that was written.
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("composing the mail: %w", err)
	}
	return raw.Bytes(), nil
}

// plainMIME renders a mail without a calendar part.
func (inv *invitation) plainMIME(content *mailText, messageID string) ([]byte, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	inv.setHeader(m, content.subject, messageID)
	m.SetBodyString(mail.TypeTextPlain, content.text)
	m.AddAlternativeString(mail.TypeTextHTML, content.html)
	var raw bytes.Buffer
	if _, err := m.WriteTo(&raw); err != nil {
		return nil, fmt.Errorf("composing the mail: %w", err)
	}
	return raw.Bytes(), nil
}

// setHeader writes the header fields. All values are clean: names and subject
// are Lines, and addresses were validated when they were parsed.
func (inv *invitation) setHeader(m *mail.Msg, subject booking.Line, messageID string) {
	m.SetMessageIDWithValue(messageID)
	m.SetDateWithValue(inv.Modified.UTC().Truncate(time.Second))
	m.SetAddrHeaderFromMailAddress(mail.HeaderFrom, headerAddress(inv.Organizer))
	m.SetAddrHeaderFromMailAddress(mail.HeaderTo, headerAddress(inv.to.Person))
	// An address that is not ASCII would make the whole mail need SMTPUTF8,
	// which the recipient's own server may not have.
	if to := inv.replyTo(); !to.Address.NeedsSMTPUTF8() || inv.to.Address.NeedsSMTPUTF8() {
		m.SetAddrHeaderFromMailAddress(mail.HeaderReplyTo, headerAddress(to))
	}
	m.Subject(string(subject))
	// Keeps vacation programs from answering (RFC 3834, section 5).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
}

// replyTo is who gets a plain reply: host and client reach each other.
// Answers of calendars go to the organizer all the same.
func (inv *invitation) replyTo() booking.Person {
	if inv.to.Role == booking.RoleHost {
		return inv.Client
	}
	return inv.Host
}

// headerAddress is a person in a header field. net/mail leaves a backslash in
// an encoded word as it is, where RFC 2047, section 5, has no place for it.
func headerAddress(p booking.Person) *netmail.Address {
	return &netmail.Address{Name: strings.ReplaceAll(string(p.Name), `\`, "/"), Address: p.Address.String()}
}
