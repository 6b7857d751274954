package caddyicalmail

import (
	"fmt"
	"net/url"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// mailData is what mail templates get. Its fields are a public contract:
// operators write templates of their own with them (docs/templates.md).
type mailData struct {
	// Kind is invitation, update or cancellation; in the mail that asks the
	// client to confirm an address it is confirmation.
	Kind string

	// Role is the recipient's part: client, host or guest.
	Role string

	// Recipient is who reads this mail, the others are who takes part. A
	// client or guest does not get to see the Guests.
	Recipient, Client, Host, Organizer mailPerson
	Guests                             []mailPerson

	Summary, Location, Description string

	// LocationURL is the location again if it is a web address.
	LocationURL string

	// Notes and Extra are what the client wrote; the host alone gets them.
	Notes string
	Extra []booking.Answer

	// Start and End are in the recipient's zone. When, and its parts Date,
	// Time and Zone, are the same in words.
	Start, End             time.Time
	When, Date, Time, Zone string

	// Repeats says in words how a recurring event repeats, else it is empty.
	Repeats string

	// ManageURL is the client's or the host's own link to the page on which
	// the appointment is seen, moved and cancelled. It is empty without manage,
	// and for guests.
	ManageURL string

	// Note is what the other side wrote when it moved or cancelled the
	// appointment, and NoteFrom who that was.
	Note     string
	NoteFrom mailPerson

	// ConfirmURL is where the client confirms the booking, and Expires until
	// when, in words. A confirmation mail has them, and no other.
	ConfirmURL, Expires string
}

// mailPerson is a person in a mail template.
type mailPerson struct {
	// Name is what to call the person: the name, else the address.
	Name    string
	Address string
}

func newMailPerson(p booking.Person) mailPerson {
	shown := mailPerson{Name: string(p.Name), Address: p.Address.Display()}
	if shown.Name == "" {
		shown.Name = shown.Address
	}
	return shown
}

// mailData fills in the template data of the invitation.
func (inv *invitation) mailData() (*mailData, error) {
	zone, err := inv.zone()
	if err != nil {
		return nil, err
	}
	d := &mailData{
		Kind:        inv.kind(),
		Role:        string(inv.to.Role),
		Recipient:   newMailPerson(inv.to.Person),
		Client:      newMailPerson(inv.Client),
		Host:        newMailPerson(inv.Host),
		Organizer:   newMailPerson(inv.Organizer),
		Summary:     string(inv.Summary),
		Location:    string(inv.Location),
		LocationURL: webAddress(string(inv.Location)),
		Description: string(inv.Description),
		Start:       inv.Start.In(zone),
		End:         inv.End.In(zone),
	}
	d.Date, d.Time, d.Zone = dateInWords(d.Start), timesInWords(d.Start, d.End), zoneInWords(d.Start)
	d.Repeats = inv.repeats()
	d.When = fmt.Sprintf("%s, %s", d.Date, d.Time)
	d.ManageURL = inv.manage
	if inv.note != "" {
		d.Note, d.NoteFrom = string(inv.note), d.Client
		if inv.noteFrom == booking.RoleHost {
			d.NoteFrom = d.Host
		}
	}
	if inv.to.Role == booking.RoleHost {
		d.Notes, d.Extra = string(inv.Notes), answersAndConsents(inv.Event)
		for _, g := range inv.Guests {
			d.Guests = append(d.Guests, newMailPerson(g))
		}
	}
	return d, nil
}

// kindConfirmation is the kind of the mail that asks to confirm a booking.
const kindConfirmation = "confirmation"

// kind is what the mail is to its recipient.
func (inv *invitation) kind() string {
	switch {
	case inv.status == booking.Cancelled:
		return "cancellation"
	case inv.known:
		return "update"
	default:
		return "invitation"
	}
}

// zone is where the recipient reads times.
func (inv *invitation) zone() (*time.Location, error) {
	name := inv.ClientZone
	if inv.to.Role == booking.RoleHost {
		name = inv.HostZone
	}
	zone, err := booking.LoadZone(name)
	if err != nil {
		return nil, fmt.Errorf("loading the time zone of the %s: %w", inv.to.Role, err)
	}
	return zone, nil
}

// webAddress returns s if it is an http or https URL with a host, else "".
func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return s
}

func dateInWords(t time.Time) string { return t.Format("Monday, 2 January 2006") }

// momentInWords is "Friday, 5 March 2027, 10:30 (CET)".
func momentInWords(t time.Time) string { return t.Format("Monday, 2 January 2006, 15:04 (MST)") }

// timesInWords is "10:30 – 11:30", with the last day's date if it is another,
// and with the zones if the clocks change between the two.
func timesInWords(start, end time.Time) string {
	clock := "15:04"
	if offsetOf(start) != offsetOf(end) {
		clock = "15:04 MST"
	}
	first := start.Format(clock)
	if start.YearDay() == end.YearDay() && start.Year() == end.Year() {
		return first + " – " + end.Format(clock)
	}
	return first + " – " + end.Format(clock+" on Monday, 2 January 2006")
}

func offsetOf(t time.Time) int {
	_, offset := t.Zone()
	return offset
}

// zoneInWords is "Europe/Berlin (CET, UTC+01:00)". Zones without letters of
// their own have an abbreviation such as "+03", which would say nothing new.
func zoneInWords(t time.Time) string {
	abbreviation, seconds := t.Zone()
	if seconds == 0 && abbreviation == "UTC" {
		return "UTC"
	}
	offset := "UTC" + t.Format("-07:00")
	if abbreviation == "" || abbreviation[0] == '+' || abbreviation[0] == '-' {
		return fmt.Sprintf("%s (%s)", t.Location(), offset)
	}
	return fmt.Sprintf("%s (%s, %s)", t.Location(), abbreviation, offset)
}
