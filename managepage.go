package caddyicalmail

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

const (
	// pageTokenLife is how long a page that was opened can be used.
	pageTokenLife = 12 * time.Hour

	// fieldTime is how a datetime-local field writes a time (HTML, section
	// 2.3.5.5).
	fieldTime = "2006-01-02T15:04"
)

// serveManage serves the page of an event, to its client or its host. GET and
// HEAD show it, and only a POST from that page acts, because mail scanners and
// previews follow links.
func (h *Handler) serveManage(w http.ResponseWriter, r *http.Request, text string) error {
	ctx, cancel := withTimeout(r)
	defer cancel()
	if !allowMethods(w, r, http.MethodGet, http.MethodHead, http.MethodPost) {
		return nil
	}
	v, release, err := h.visit(ctx, text, token.ManageClient, token.ManageHost)
	if err != nil {
		return h.refuseLink(w, r, err)
	}
	defer release()
	switch {
	case r.Method == http.MethodPost:
		return v.act(ctx, w, r)
	case r.URL.RawQuery == fileQuery:
		return v.download(w)
	}
	p := &page{}
	if v.sequence < v.event.Sequence {
		p.Detail = "It has changed since the mail whose link you followed. This is how it is now."
	}
	return v.show(w, http.StatusOK, p)
}

// show writes the page of the event as it is now.
func (v *visit) show(w http.ResponseWriter, status int, p *page) error {
	inv, err := v.invitation()
	if err != nil {
		return err
	}
	if p.Event, err = inv.mailData(); err != nil {
		return err
	}
	p.Title = "Your appointment"
	p.State = v.state()
	p.OtherSide = p.Event.Host.Name
	if v.role == booking.RoleHost {
		p.Title, p.OtherSide = "An appointment with you", p.Event.Client.Name
	}
	if p.State == stateConfirmed {
		p.Add = inv.addLinks()
		p.CanMove, p.CanCancel = v.canMove(), v.canCancel()
		p.Token = v.pageToken(v.actPurpose())
		v.setStart(p)
	}
	return v.handler.pages.write(w, "page_manage.html", status, p)
}

// setStart fills in the field for a new start, in the reader's zone.
func (v *visit) setStart(p *page) {
	zone := p.Event.Start.Location()
	now := v.handler.now().In(zone)
	if p.Start == "" {
		p.Start = p.Event.Start.Format(fieldTime)
	}
	notice, bounded := time.Duration(v.handler.Notice), v.handler.Horizon > 0
	if v.role == booking.RoleHost {
		notice, bounded = 0, false
	}
	p.Earliest = now.Add(notice + time.Minute).Format(fieldTime)
	if bounded {
		p.Latest = v.handler.latest(now).In(zone).Add(-time.Minute).Format(fieldTime)
	}
	p.Zone = p.Event.Zone
}

func (v *visit) invitation() (*invitation, error) {
	to := booking.Recipient{Person: v.event.Client, Role: v.role}
	if v.role == booking.RoleHost {
		to.Person = v.event.Host
	}
	e := *v.event
	if e.Status == booking.Pending {
		return &invitation{Event: &e, to: to}, nil
	}
	return newInvitation(&e, to)
}

// actPurpose is the purpose of the page's token: client and host have pages of
// their own.
func (v *visit) actPurpose() token.Purpose {
	if v.role == booking.RoleHost {
		return token.ActHost
	}
	return token.ActClient
}

// pageToken is what a form on the page has to send: it knows the event and its
// SEQUENCE, so that a page that is out of date does not act.
func (v *visit) pageToken(purpose token.Purpose) string {
	now := v.handler.now()
	return v.handler.keys().Sign(token.Token{
		Purpose: purpose, Subject: v.event.UID, Sequence: v.event.Sequence,
		Issued: now, Expires: now.Add(pageTokenLife),
	})
}

// canMove reports whether a single appointment can be moved here. The dates of
// a series belong together, and its exceptions to them.
func (v *visit) canMove() bool {
	return v.event.RRule == "" && v.managed(v.handler.Manage.move)
}

func (v *visit) canCancel() bool { return v.managed(v.handler.Manage.cancel) }

// managed reports whether an action is on offer: always on bookings of our own,
// and on those of a back end only if it can be told first. What has an id is a
// back end's, also on the page of another handler with the same scope.
func (v *visit) managed(asked *upstream) bool {
	return asked != nil || v.event.ID == "" && v.handler.PassThru == nil && v.handler.Verify == nil
}

// download sends the event as a file that every calendar program opens.
func (v *visit) download(w http.ResponseWriter) error {
	inv, err := v.invitation()
	if err != nil {
		return err
	}
	calendar, err := inv.published()
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/calendar; charset=utf-8; method=PUBLISH")
	header.Set("Content-Disposition", `attachment; filename="appointment.ics"`)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	_, err = w.Write([]byte(calendar))
	return err
}

// allowMethods answers a request by any other method.
func allowMethods(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	w.WriteHeader(http.StatusMethodNotAllowed)
	return false
}
