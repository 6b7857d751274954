package lint

import (
	"strings"
)

// partStats are the states that an attendee can have in an event (RFC 5545,
// section 3.2.12).
var partStats = names("NEEDS-ACTION ACCEPTED DECLINED TENTATIVE DELEGATED")

// wanted are the parameters with which Gmail and Outlook are known to ask for
// an answer.
var wanted = [...]struct{ name, value string }{
	{"CUTYPE", "INDIVIDUAL"},
	{"ROLE", "REQ-PARTICIPANT"},
	{"PARTSTAT", "NEEDS-ACTION"},
	{"RSVP", "TRUE"},
}

// organizer returns the address of ORGANIZER, or "".
func (c *component) organizer() string {
	addr, err := mailtoAddress(c.value("ORGANIZER"))
	if err != nil {
		return ""
	}
	return addr
}

// attendees returns the addresses of all ATTENDEEs that have one.
func (c *component) attendees() []string {
	var addrs []string
	for _, p := range c.all("ATTENDEE") {
		if addr, err := mailtoAddress(p.value); err == nil {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// checkOrganizer judges who invites (C8; RFC 5545, section 3.8.4.3).
func checkOrganizer(r *report, inv invitation, e *component) {
	p, ok := e.first("ORGANIZER")
	if !ok {
		if inv.scheduling() {
			r.errorf("C8", "the event has no ORGANIZER")
		}
		return
	}
	checkCalendarAddress(r, "C8", p)
	if by, ok := p.param("SENT-BY"); ok {
		if _, err := mailtoAddress(by.text); err != nil || !by.quoted {
			r.errorf("C8", "SENT-BY is not a quoted mailto address: %s", show(by.text))
		}
	}
}

// checkCalendarAddress judges the address and the name of a person.
func checkCalendarAddress(r *report, rule string, p property) {
	addr, err := mailtoAddress(p.value)
	if err != nil {
		r.errorf(rule, "%s is not a mailto address: %s", p.name, show(p.value))
	} else if _, domain := splitAddress(addr); ascii(domain) && !fqdn(domain) {
		r.warnf(rule, "%s has no domain of the internet: %s", p.name, show(p.value))
	}
	cn, ok := p.param("CN")
	if ok && !cn.quoted && len(p.paramValues("CN")) == 1 && !strings.ContainsAny(cn.text, "\"\\") {
		r.warnf(rule, "the CN of %s is not quoted: %s", p.name, show(cn.text))
	}
	if ok && !ascii(cn.text) && unfit(cn.text) != "" {
		r.errorf(rule, "the CN of %s holds %s", p.name, unfit(cn.text))
	}
}

// paramValues returns all values of a parameter.
func (p property) paramValues(name string) []paramValue {
	for _, q := range p.params {
		if q.name == name {
			return q.values
		}
	}
	return nil
}

// checkAttendees judges who is invited (C10, and C8 for the organizer among
// them; RFC 5545, section 3.8.4.1; RFC 5546, section 3.2.2).
func checkAttendees(r *report, inv invitation, e *component) {
	all := e.all("ATTENDEE")
	if len(all) == 0 {
		missingAttendee(r, inv)
		return
	}
	organizer := e.organizer()
	seen := map[string]bool{}
	for _, p := range all {
		checkCalendarAddress(r, "C10", p)
		addr, err := mailtoAddress(p.value)
		if err != nil {
			continue
		}
		if key := strings.ToLower(addr); seen[key] {
			r.errorf("C10", "%s is an ATTENDEE twice", show(addr))
		} else {
			seen[key] = true
		}
		if inv.scheduling() && sameAddress(addr, organizer) {
			organizerInvited(r, p)
			continue
		}
		checkParticipation(r, inv, p)
	}
}

// missingAttendee: without an ATTENDEE Gmail offers "Add to calendar" instead
// of Yes and No, and nobody knows whose event is cancelled.
func missingAttendee(r *report, inv invitation) {
	switch inv.method {
	case "REQUEST":
		r.errorf("C10", "the event has no ATTENDEE")
	case "CANCEL":
		r.errorf("U2", "the cancellation has no ATTENDEE")
	}
}

// organizerInvited: clients do not ask the organizer. One who has accepted is
// how Google lists an organizer who takes part, which does less harm.
func organizerInvited(r *report, p property) {
	if strings.EqualFold(p.text("PARTSTAT"), "ACCEPTED") {
		r.warnf("C8", "the ORGANIZER is also an ATTENDEE: %s", show(p.value))
		return
	}
	r.errorf("C8", "the ORGANIZER is also an ATTENDEE who is asked: %s", show(p.value))
}

// checkParticipation judges how a REQUEST asks an attendee. What is absent has
// a default, so only an illegal value is an error.
func checkParticipation(r *report, inv invitation, p property) {
	if inv.method != "REQUEST" {
		return
	}
	for _, w := range wanted {
		v := p.text(w.name)
		switch {
		case v == w.value:
		case w.name == "PARTSTAT" && v != "" && !partStats[strings.ToUpper(v)]:
			r.errorf("C10", "ATTENDEE %s has the unknown PARTSTAT %s", show(p.value), show(v))
		case w.name == "RSVP" && v != "" && !strings.EqualFold(v, "TRUE") && !strings.EqualFold(v, "FALSE"):
			r.errorf("C10", "ATTENDEE %s has the unknown RSVP %s", show(p.value), show(v))
		default:
			r.warnf("C10", "ATTENDEE %s has %s=%s, not %s", show(p.value), w.name, show(v), w.value)
		}
	}
}
