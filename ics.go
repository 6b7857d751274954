package caddyicalmail

import (
	"fmt"
	"strconv"
	"strings"

	ics "github.com/arran4/golang-ical"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// productID names this program to other calendar programs
// (RFC 5545, section 3.7.3). It stays the same between versions.
const productID = "-//caddyicalmail//ical_invite//EN"

// icsTime is the UTC form of a DATE-TIME (RFC 5545, section 3.3.5). Events
// that do not recur are written in UTC because it needs no VTIMEZONE, which mail clients get
// wrong in many ways.
const icsTime = "20060102T150405Z"

// itip is an iTIP method with the STATUS that goes with it (RFC 5546,
// section 3.2). The METHOD property, the method parameter of the mail and the
// STATUS are all read from one value, so that they cannot disagree.
type itip struct {
	method string
	status booking.Status
}

var methods = map[booking.Status]itip{
	booking.Confirmed: {method: "REQUEST", status: booking.Confirmed},
	booking.Cancelled: {method: "CANCEL", status: booking.Cancelled},
}

// invitation is one event for one recipient.
type invitation struct {
	*booking.Event
	to booking.Recipient
	itip

	// known means that the recipient has an invitation already, which this one
	// changes; removed that the event goes on without the recipient.
	known, removed bool

	// manage is the recipient's own link, and note what the one who changed the
	// event, the client or the host, has to say to the other.
	manage   string
	note     booking.Text
	noteFrom booking.Role
}

func newInvitation(e *booking.Event, to booking.Recipient) (*invitation, error) {
	method, ok := methods[e.Status]
	if !ok {
		return nil, fmt.Errorf("an event of status %q cannot be sent", e.Status)
	}
	return &invitation{Event: e, to: to, itip: method}, nil
}

// calendar renders the invitation as an iCalendar object (RFC 5545) with CRLF
// line ends, folded at 75 octets.
func (inv *invitation) calendar() (string, error) {
	c := &ics.Calendar{}
	c.SetProductId(productID)
	c.SetVersion("2.0")
	c.SetCalscale("GREGORIAN")
	c.SetMethod(ics.Method(inv.method))

	e := c.AddEvent(icsText(inv.UID))
	set := func(property ics.ComponentProperty, value string) { e.SetProperty(property, value) }
	set(ics.ComponentPropertyDtstamp, inv.Modified.Format(icsTime))
	set(ics.ComponentPropertyCreated, inv.Created.Format(icsTime))
	set(ics.ComponentPropertyLastModified, inv.Modified.Format(icsTime))
	set(ics.ComponentPropertySequence, strconv.Itoa(inv.Sequence))
	if err := inv.addTimes(c, e); err != nil {
		return "", err
	}
	set(ics.ComponentPropertySummary, icsText(inv.Summary))
	if inv.Location != "" {
		set(ics.ComponentPropertyLocation, icsText(inv.Location))
	}
	if d := inv.description(); d != "" {
		set(ics.ComponentPropertyDescription, icsText(d))
	}
	set(ics.ComponentPropertyStatus, string(inv.status))
	set(ics.ComponentPropertyTransp, "OPAQUE")
	set(ics.ComponentPropertyClass, "PUBLIC")
	addAddress(e, "ORGANIZER", inv.Organizer)
	for _, a := range inv.attendees() { // of whom a published event has none (RFC 5546, section 3.2.1)
		addAddress(e, "ATTENDEE", a.Person, inv.attendeeParameters()...)
	}
	// Without this option the library writes bare LFs, on every system.
	return c.Serialize(ics.WithNewLineWindows), nil
}

// methodPublish is the method of an event that is nobody's invitation.
const methodPublish = "PUBLISH"

// published renders the event as a file to import, which asks for no answer.
func (inv *invitation) published() (string, error) {
	file := *inv
	file.method, file.status = methodPublish, inv.Status
	return file.calendar()
}

// attendees lists who is shown. Somebody who is removed sees only themselves,
// because the cancellation is about nobody else (RFC 5546, section 3.2.5).
func (inv *invitation) attendees() []booking.Recipient {
	if inv.method == methodPublish {
		return nil
	}
	if inv.removed {
		return []booking.Recipient{inv.to}
	}
	return inv.Attendees(inv.to)
}

// attendeeParameters asks everybody to answer, again after each change. A
// cancellation asks for nothing.
func (inv *invitation) attendeeParameters() []string {
	if inv.status == booking.Cancelled {
		return []string{"CUTYPE=INDIVIDUAL", "ROLE=REQ-PARTICIPANT"}
	}
	return []string{"CUTYPE=INDIVIDUAL", "ROLE=REQ-PARTICIPANT", "PARTSTAT=NEEDS-ACTION", "RSVP=TRUE"}
}

// description is what the calendar shows to the recipient: the operator's
// words, and to the host also how to reach the client and what the client had
// to say.
func (inv *invitation) description() booking.Text {
	if inv.to.Role != booking.RoleHost {
		return inv.Description
	}
	lines := []string{
		fmt.Sprintf("Booked by %s <%s>", inv.Client.Name, inv.Client.Address.Display()),
	}
	for _, answer := range inv.Extra {
		lines = append(lines, fmt.Sprintf("%s: %s", answer.Label, answer.Value))
	}
	if inv.Notes != "" {
		lines = append(lines, "", string(inv.Notes))
	}
	if inv.Description != "" {
		lines = append(lines, "", string(inv.Description))
	}
	return booking.Text(strings.Join(lines, "\n"))
}
