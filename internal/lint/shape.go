package lint

import (
	"bytes"
	"strings"
)

// shape holds the parts of an invitation that have a task. Each may be nil.
type shape struct {
	plain, html, calendar, attachment *part
}

// checkShape finds the parts and judges how they are arranged (M1 to M5):
//
//	multipart/mixed
//	├─ multipart/alternative
//	│  ├─ text/plain
//	│  ├─ text/html
//	│  └─ text/calendar
//	└─ application/ics
func checkShape(r *report, root *part) shape {
	var s shape
	for _, p := range leaves(root, nil) {
		if !s.take(p) {
			r.errorf("M5", "there is a further part, %s: clients drop the invitation or show an empty mail", show(p.mediaType))
		}
	}
	checkCalendarPlace(r, s)
	checkTextOrder(r, s)
	checkAttachment(r, s)
	if s.calendar == nil {
		// An attachment alone is better judged than nothing.
		s.calendar = s.attachment
	}
	return s
}

// leaves appends the parts below p that are no multiparts.
func leaves(p *part, to []*part) []*part {
	if len(p.children) == 0 && !strings.HasPrefix(p.mediaType, "multipart/") {
		return append(to, p)
	}
	for _, c := range p.children {
		to = leaves(c, to)
	}
	return to
}

// take gives the part its task, and says whether there was one.
func (s *shape) take(p *part) bool {
	attached := p.disposition == "attachment"
	switch {
	case p.mediaType == "text/calendar" && s.calendar == nil && (!attached || inAlternative(p)):
		s.calendar = p
	case calendarType(p.mediaType) && s.attachment == nil:
		s.attachment = p
	case attached:
		return false
	case p.mediaType == "text/plain" && s.plain == nil:
		s.plain = p
	case p.mediaType == "text/html" && s.html == nil:
		s.html = p
	default:
		return false
	}
	return true
}

func inAlternative(p *part) bool {
	return p.parent != nil && p.parent.mediaType == "multipart/alternative"
}

// checkCalendarPlace: a client looks for the calendar among the alternatives
// and takes the last that it understands (RFC 2046, section 5.1.4; RFC 6047,
// section 2.4).
func checkCalendarPlace(r *report, s shape) {
	c := s.calendar
	if c == nil {
		r.errorf("M1", "there is no text/calendar part in the body")
		return
	}
	if !inAlternative(c) {
		r.errorf("M1", "text/calendar is not in a multipart/alternative")
	} else if last := c.parent.children[len(c.parent.children)-1]; last != c {
		r.errorf("M1", "text/calendar is not the last alternative, %s is", show(last.mediaType))
	} else if up := c.parent.parent; up != nil && (up.mediaType != "multipart/mixed" || up.parent != nil || up.children[0] != c.parent) {
		r.warnf("M1", "multipart/alternative is not the first part of an outer multipart/mixed")
	}
	if c.disposition == "attachment" {
		r.errorf("M3", "text/calendar has the disposition attachment and is shown as a file")
	}
}

// checkTextOrder: the plain text comes before the richer html (RFC 2046,
// section 5.1.4).
func checkTextOrder(r *report, s shape) {
	if s.plain == nil || s.html == nil || s.plain.parent == nil || s.plain.parent != s.html.parent {
		return
	}
	for _, c := range s.plain.parent.children {
		if c == s.plain {
			return
		}
		if c == s.html {
			r.warnf("M1", "text/html comes before text/plain")
			return
		}
	}
}

// checkAttachment judges the copy for clients that look at attachments (M4).
func checkAttachment(r *report, s shape) {
	a := s.attachment
	if a == nil {
		r.warnf("M4", "there is no attached invite.ics")
		return
	}
	if a.mediaType != "application/ics" || a.disposition != "attachment" {
		r.warnf("M4", "the attachment is %s with the disposition %s, not an application/ics attachment", show(a.mediaType), show(a.disposition))
	}
	if a.params["name"] != "invite.ics" || a.filename != "invite.ics" {
		r.warnf("M4", "the attachment has the name %s and the filename %s, not invite.ics", show(a.params["name"]), show(a.filename))
	}
	if s.calendar != nil && !bytes.Equal(a.body, s.calendar.body) {
		r.errorf("M4", "the attachment is not the same as text/calendar")
	}
}

// checkMethodParam judges the Content-Type of the calendar part (M2; RFC 6047,
// section 2.4).
func checkMethodParam(r *report, p *part, inv invitation) {
	if p.mediaType != "text/calendar" {
		return
	}
	method := p.params["method"]
	switch {
	case method == "":
		r.errorf("M2", "text/calendar has no method parameter: Outlook shows no invitation")
	case inv.method != "" && !strings.EqualFold(method, inv.method):
		r.errorf("M2", "the method parameter is %s, but METHOD is %s", show(method), show(inv.method))
	case method != strings.ToUpper(method):
		r.warnf("M2", "the method parameter is not in upper case: %s", show(method))
	}
	if v := p.params["charset"]; !strings.EqualFold(v, "utf-8") {
		r.errorf("M2", "text/calendar has the charset %s, not UTF-8", show(v))
	}
}
