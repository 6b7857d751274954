package caddyicalmail

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// page is what page templates get. Its fields are a public contract: operators
// write pages of their own with them (docs/templates.md).
type page struct {
	Title string

	// Event is what was booked; nil on an error page.
	Event *mailData

	// Warnings are what was decided on the client's behalf.
	Warnings []booking.FieldError

	// Detail says in a sentence what is wrong, and Errors which fields.
	Detail string
	Errors []booking.FieldError

	// The following are for the pages behind links in mails.

	// State is what the appointment is now.
	State pageState

	// Done says in a sentence what has just been done, and Problem why nothing
	// was. At most one of them is set.
	Done, Problem string

	// Token has to be posted with every action, as the field token.
	Token string

	// CanMove and CanCancel tell which actions are on offer.
	CanMove, CanCancel bool

	// OtherSide is who gets the note that may go with an action: the host's
	// name on the client's page, the client's on the host's.
	OtherSide string

	// Start is what the field for the new start holds at first, and Earliest
	// and Latest are its bounds, as datetime-local fields have them; Latest may
	// be empty. Zone says in words in which time zone they are meant.
	Start, Earliest, Latest, Zone string

	// Open is the form that is shown unfolded at first: move or cancel. It is
	// the one that could not be carried out, and holds the Note.
	Open string

	// Held is until when the time is kept for the client who has yet to confirm,
	// in words, if it is.
	Held string

	// Note is what was typed into the field for the note, if the page is shown
	// again because of a mistake elsewhere.
	Note string

	// Add are the links by which the appointment gets into calendars.
	Add *calendarLinks
}

// pageState is what an appointment is to those who look at it.
type pageState string

// The states of appointments. One that is past or cancelled cannot be changed.
const (
	statePending   pageState = "pending"
	stateConfirmed pageState = "confirmed"
	stateCancelled pageState = "cancelled"
	statePast      pageState = "past"
)

// calendarLinks lead to the forms by which online calendars take an event, and
// to a file that all others open.
type calendarLinks struct {
	Google, Outlook, Office365, Yahoo, File string
}

// write renders a page in full and then sends it.
func (p *pages) write(w http.ResponseWriter, name string, status int, data *page) error {
	t, ok := p.templates[name]
	if !ok {
		return fmt.Errorf("there is no page %s", name)
	}
	var rendered bytes.Buffer
	if err := t.Execute(&rendered, data); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	body := inert(rendered.Bytes())
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("Content-Security-Policy", p.policy(name))
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}
