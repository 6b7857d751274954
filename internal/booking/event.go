package booking

import "time"

// Status is the state of an event (RFC 5545, section 3.8.1.11).
type Status string

// The states that an event can have.
const (
	Confirmed Status = "CONFIRMED"
	Cancelled Status = "CANCELLED"

	// Pending is an event that its client has yet to confirm. It is in no
	// calendar and is never sent.
	Pending Status = "PENDING"
)

// Role is the part that a recipient has in an event.
type Role string

// The roles of the people who are invited.
const (
	RoleClient Role = "client"
	RoleHost   Role = "host"
	RoleGuest  Role = "guest"
)

// Event is a booking's state in time. It holds operator text already
// expanded, so that it can be rendered again without the configuration that
// made it.
type Event struct {
	// UID is the identity of the event for all of its life
	// (RFC 5545, section 3.8.4.7).
	UID string `json:"uid"`

	// Sequence starts at 0 and rises with every change
	// (RFC 5545, section 3.8.7.4).
	Sequence int    `json:"sequence"`
	Status   Status `json:"status"`

	// Created and Modified are instants in UTC.
	Created  time.Time `json:"created"`
	Modified time.Time `json:"modified"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`

	// ClientZone and HostZone are IANA names: the zone in which the client
	// and the guests, respectively the host, read times.
	ClientZone string `json:"client_zone"`
	HostZone   string `json:"host_zone"`

	Summary     Line `json:"summary"`
	Location    Line `json:"location,omitempty"`
	Description Text `json:"description,omitempty"`

	// Organizer is the mailbox that sends. It does not take part.
	Organizer Person   `json:"organizer"`
	Host      Person   `json:"host"`
	Client    Person   `json:"client"`
	Guests    []Person `json:"guests,omitempty"`

	// Notes and Extra are for the host only.
	Notes Text     `json:"notes,omitempty"`
	Extra []Answer `json:"extra,omitempty"`

	// Scope separates the events of different handlers, and Mailer is the key
	// of the mailer that sends this event's messages.
	Scope  string `json:"scope"`
	Mailer string `json:"mailer"`

	// ID is the booking's own identity at its sender, empty if it has none.
	ID Line `json:"id,omitempty"`

	// RRule and Exdates say how the event recurs (RFC 5545, sections 3.8.5.3
	// and 3.8.5.1). Zone is the TZID in which a recurring event is written, so
	// that it stays at the same time of day when the clocks change.
	RRule   string   `json:"rrule,omitempty"`
	Exdates []string `json:"exdates,omitempty"`
	Zone    string   `json:"zone,omitempty"`

	// Occurrences is how often a recurring event takes place, and Until the
	// end of the last time.
	Occurrences int       `json:"occurrences,omitempty"`
	Until       time.Time `json:"until,omitzero"`

	// Expires is when a pending event can no longer be confirmed.
	Expires time.Time `json:"expires,omitzero"`

	// Resources are what the event has to itself while it takes place.
	Resources []string `json:"resources,omitempty"`

	// ClientSince and HostSince are the SEQUENCE since which client and host are
	// who they are. Links that were made before were somebody else's.
	ClientSince int `json:"client_since,omitempty"`
	HostSince   int `json:"host_since,omitempty"`

	// Consents are what the client agreed to, and when.
	Consents []Consent `json:"consents,omitempty"`
}

// Consent is something that the client agreed to, in the operator's words.
type Consent struct {
	Label Line      `json:"label"`
	Given time.Time `json:"given"`
}

// Recipient is one of the people who get an invitation of their own.
type Recipient struct {
	Person
	Role Role
}

// Recipients lists everybody who is invited, the client first, each address
// once. The client comes first because a client's address that the mail
// server refuses should not have troubled the host.
func (e *Event) Recipients() []Recipient {
	all := make([]Recipient, 0, len(e.Guests)+2)
	all = append(all, Recipient{e.Client, RoleClient}, Recipient{e.Host, RoleHost})
	for _, g := range e.Guests {
		all = append(all, Recipient{g, RoleGuest})
	}
	return uniqueRecipients(all)
}

// Attendees lists who is shown in the invitation of r: everybody to the host,
// the host and themselves to a client or guest.
func (e *Event) Attendees(r Recipient) []Recipient {
	if r.Role == RoleHost {
		return e.Recipients()
	}
	return uniqueRecipients([]Recipient{r, {e.Host, RoleHost}})
}

// uniqueRecipients keeps the first of several recipients with one address, but
// lets the host's role win, because the host must see everyone. A guest is
// left out also if client or another guest is the same person under another
// spelling, so that nobody gets many mails by one booking.
func uniqueRecipients(all []Recipient) []Recipient {
	at := make(map[string]int, 2*len(all))
	var unique []Recipient
	for _, r := range all {
		address, person := r.Address.Fold(), "person "+r.Address.Person()
		i, dup := at[address]
		if dup && r.Role == RoleHost {
			unique[i] = r
		}
		if _, known := at[person]; dup || known && r.Role == RoleGuest {
			continue
		}
		at[address] = len(unique)
		if r.Role != RoleHost {
			at[person] = len(unique)
		}
		unique = append(unique, r)
	}
	return unique
}
