package caddyicalmail

import (
	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// samplePages are the states in which a page is shown, to try its template out
// with.
func samplePages(name string) []*page {
	wrong := []booking.FieldError{{Field: "start", Detail: "is missing"}, {Field: "note", Detail: "is too long"}}
	switch name {
	case "page_error.html", "page_link.html":
		return []*page{{Title: "Sample", Detail: "Sample"}, {Title: "Sample", Detail: "Sample", Errors: wrong}}
	case "page_thanks.html", "page_pending.html":
		return []*page{
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient)},
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient), Warnings: wrong},
		}
	case "page_confirm.html":
		return []*page{
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient), State: statePending, Token: "sample"},
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient), State: stateConfirmed, Done: "Sample"},
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient), State: stateCancelled, Problem: "Sample"},
			{Title: "Sample", Event: samplePageEvent(booking.RoleClient), State: statePast, Problem: "Sample"},
		}
	default:
		return sampleManagePages(wrong)
	}
}

// sampleManagePages are an appointment's pages for both sides, in each state.
func sampleManagePages(wrong []booking.FieldError) []*page {
	var samples []*page
	for _, role := range []booking.Role{booking.RoleClient, booking.RoleHost} {
		asked := sampleManagePage(role)
		failed := sampleManagePage(role)
		failed.Problem, failed.Errors, failed.Open, failed.Note = "Sample", wrong, "move", "Sample"
		undone := sampleManagePage(role)
		undone.Problem, undone.Errors, undone.Open, undone.Note = "Sample", wrong[1:], "cancel", "Sample"
		samples = append(samples, asked, failed, undone)
		for _, state := range []pageState{statePending, stateCancelled, statePast} {
			samples = append(samples, &page{Title: "Sample", Event: samplePageEvent(role), State: state, Done: "Sample"})
		}
	}
	return samples
}

func sampleManagePage(role booking.Role) *page {
	return &page{
		Title:     "Sample",
		Event:     samplePageEvent(role),
		State:     stateConfirmed,
		Token:     "sample",
		CanMove:   true,
		CanCancel: true,
		OtherSide: "Grace",
		Start:     "2027-03-05T10:30",
		Earliest:  "2027-03-01T09:00",
		Latest:    "2027-06-01T09:00",
		Zone:      "UTC",
		Add: &calendarLinks{
			Google:    "https://calendar.example.com/google",
			Outlook:   "https://calendar.example.com/outlook",
			Office365: "https://calendar.example.com/office365",
			Yahoo:     "https://calendar.example.com/yahoo",
			File:      "/appointments/sample.ics",
		},
	}
}

// samplePageEvent is the sample appointment as one side sees it: the host
// alone sees what the client wrote.
func samplePageEvent(role booking.Role) *mailData {
	d := sampleMail()
	d.Role, d.Expires = string(role), "Sample"
	if role != booking.RoleHost {
		d.Guests, d.Notes, d.Extra = nil, "", nil
	}
	return d
}
