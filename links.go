package caddyicalmail

import (
	"net/url"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// Links are what a handler has on paths of its own, and links to in mails.
type Links struct {
	// The web address that links in mails begin with, such as
	// `https://example.com`, and a path if that is where the site's root is.
	// Required with `manage` and `confirm`.
	BaseURL string `json:"base_url,omitempty"`

	// Let the client and the host see, move and cancel a booking by links in
	// their mails.
	Manage *Manage `json:"manage,omitempty"`

	// Let the client confirm the address before anybody is invited.
	Confirm *Confirmation `json:"confirm,omitempty"`

	// What the handler of its own pages, `ical_invite_pages`, knows it by. A
	// Caddyfile sets it by itself.
	Name string `json:"name,omitempty"`

	baseURL, baseHost string
}

// link is the address of a page of ours, for mails. It begins with base_url.
func (h *Handler) link(path string, t token.Token) string {
	return h.baseURL + path + "/" + h.keys().Sign(t)
}

// manageLink is the link by which a client or a host manages an event, empty
// for guests and without manage. It is good for as long as the event is kept.
func (h *Handler) manageLink(e *booking.Event, role booking.Role) string {
	if h.Manage == nil {
		return ""
	}
	t := token.Token{
		Subject: e.UID, Sequence: e.Sequence, Issued: e.Modified,
		Expires: e.LastEnd().Add(time.Duration(h.app.Retain)),
	}
	switch role {
	case booking.RoleClient:
		t.Purpose = token.ManageClient
	case booking.RoleHost:
		t.Purpose = token.ManageHost
	default:
		return ""
	}
	return h.link(h.Manage.Path, t)
}

// fileQuery asks the page of an event for the event as a file.
const fileQuery = "format=ics"

// The forms by which online calendars take an event. They are links only, and
// nothing is sent to anybody unless one is followed.
const (
	googleCalendar = "https://calendar.google.com/calendar/render"
	outlookCom     = "https://outlook.live.com/calendar/0/deeplink/compose"
	office365      = "https://outlook.office.com/calendar/0/deeplink/compose"
	yahooCalendar  = "https://calendar.yahoo.com/"
)

// addLinks are the links by which an event gets into calendars. What is in them
// is what the recipient's invitation says.
func (inv *invitation) addLinks() *calendarLinks {
	description := string(inv.description())
	start, end := inv.Start.UTC(), inv.End.UTC()
	google := url.Values{
		"action":   {"TEMPLATE"},
		"text":     {string(inv.Summary)},
		"dates":    {start.Format(icsTime) + "/" + end.Format(icsTime)},
		"details":  {description},
		"location": {string(inv.Location)},
	}
	if inv.RRule != "" {
		google.Set("recur", "RRULE:"+inv.RRule)
		google.Set("ctz", inv.Zone)
	}
	outlook := url.Values{
		"path":     {"/calendar/action/compose"},
		"rru":      {"addevent"},
		"subject":  {string(inv.Summary)},
		"startdt":  {start.Format(time.RFC3339)},
		"enddt":    {end.Format(time.RFC3339)},
		"body":     {description},
		"location": {string(inv.Location)},
	}
	yahoo := url.Values{
		"v":      {"60"},
		"title":  {string(inv.Summary)},
		"st":     {start.Format(icsTime)},
		"et":     {end.Format(icsTime)},
		"desc":   {description},
		"in_loc": {string(inv.Location)},
	}
	return &calendarLinks{
		Google:    googleCalendar + "?" + query(google),
		Outlook:   outlookCom + "?" + query(outlook),
		Office365: office365 + "?" + query(outlook),
		Yahoo:     yahooCalendar + "?" + query(yahoo),
		File:      "?" + fileQuery,
	}
}

// query encodes spaces as %20, because Outlook shows a plus as it is.
func query(values url.Values) string { return strings.ReplaceAll(values.Encode(), "+", "%20") }
