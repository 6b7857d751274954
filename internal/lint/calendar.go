package lint

import "strings"

// invitation is a parsed calendar object, as far as the rules need it.
type invitation struct {
	calendar *component
	method   string // in upper case
	events   []*component
}

// scheduling says whether the object asks people to come or tells them not to.
// The rules about organizer and attendees are for these two methods.
func (i invitation) scheduling() bool {
	return i.method == "REQUEST" || i.method == "CANCEL"
}

// methods are those of RFC 5546, section 1.4, that are no invitation.
var methods = names("PUBLISH ADD REPLY REFRESH COUNTER DECLINECOUNTER")

// checkCalendar judges an iCalendar object from its bytes up.
func checkCalendar(r *report, ics []byte) invitation {
	checkBytes(r, ics)
	inv := readInvitation(r, ics)
	if inv.calendar == nil {
		r.errorf("C1", "there is no VCALENDAR")
		return inv
	}
	checkObject(r, inv)
	checkVocabulary(r, inv.calendar)
	checkTexts(r, inv.calendar)
	checkMethod(r, inv)
	checkEvents(r, inv)
	checkZones(r, inv)
	for _, e := range inv.events {
		for _, rule := range eventRules {
			rule(r, inv, e)
		}
	}
	return inv
}

// readInvitation parses without judging the content.
func readInvitation(r *report, ics []byte) invitation {
	root := parseTree(r, unfold(r, ics))
	calendars := root.named("VCALENDAR")
	if len(calendars) == 0 {
		return invitation{}
	}
	if len(calendars) > 1 {
		r.errorf("C1", "there are %d VCALENDAR objects, exactly one is needed", len(calendars))
	}
	c := calendars[0]
	return invitation{calendar: c, method: strings.ToUpper(c.value("METHOD")), events: c.named("VEVENT")}
}

// checkObject judges the properties of the calendar itself (C1; RFC 5545,
// section 3.7).
func checkObject(r *report, inv invitation) {
	c := inv.calendar
	for _, name := range []string{"VERSION", "PRODID", "METHOD"} {
		if c.value(name) == "" {
			r.errorf("C1", "VCALENDAR has no %s", name)
		}
	}
	if v := c.value("VERSION"); v != "" && v != "2.0" {
		r.errorf("C1", "VERSION is %s, not 2.0", show(v))
	}
	switch v := c.value("CALSCALE"); {
	case v == "":
		r.warnf("C1", "VCALENDAR has no CALSCALE:GREGORIAN")
	case !strings.EqualFold(v, "GREGORIAN"):
		r.errorf("C1", "CALSCALE is %s, not GREGORIAN", show(v))
	}
	for _, e := range inv.events {
		if _, ok := e.first("METHOD"); ok {
			r.errorf("C1", "METHOD stands in VEVENT, it belongs to VCALENDAR")
		}
	}
}

// checkMethod judges what the object asks for (C2; RFC 5546, section 1.4).
func checkMethod(r *report, inv invitation) {
	if inv.method == "" {
		return
	}
	switch written := inv.calendar.value("METHOD"); {
	case methods[inv.method]:
		r.warnf("C2", "METHOD:%s is no invitation, clients show no Yes and No", inv.method)
	case !inv.scheduling():
		r.errorf("C2", "METHOD %s is not known", show(written))
	case written != inv.method:
		r.warnf("C1", "METHOD is not in upper case: %s", show(written))
	}
}

// checkEvents judges how many events there are (M8). The exceptions of a
// series share its UID and differ in RECURRENCE-ID (RFC 5546, section 1.4).
func checkEvents(r *report, inv invitation) {
	if len(inv.events) == 0 {
		r.errorf("M8", "there is no VEVENT")
		return
	}
	for _, name := range []string{"VTODO", "VJOURNAL", "VFREEBUSY"} {
		if len(inv.calendar.named(name)) > 0 {
			r.errorf("M8", "there is a %s beside the VEVENT", name)
		}
	}
	seen := map[string]bool{}
	for _, e := range inv.events {
		if e.value("UID") != inv.events[0].value("UID") {
			r.errorf("M8", "there are events with different UIDs, a mail is about one")
			return
		}
		id := e.value("RECURRENCE-ID")
		if seen[id] {
			r.errorf("M8", "there are several VEVENTs for the same occurrence")
			return
		}
		seen[id] = true
	}
}
