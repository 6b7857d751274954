package lint

import (
	"regexp"
	"strconv"
	"strings"
)

// eventRules judge one VEVENT each.
var eventRules = []func(*report, invitation, *component){
	checkUID, checkStamps, checkSequence, checkTimes, checkRecurrence,
	checkOrganizer, checkAttendees, checkStatus, checkSummary, checkLinks, checkAlarms,
}

// maxUID is in octets (RFC 7986, section 5.3).
const maxUID = 255

// integer is the form of RFC 5545, section 3.3.8.
var integer = regexp.MustCompile(`^\+?[0-9]{1,10}$`)

// checkUID judges the identity of the event (C3; RFC 5545, section 3.8.4.7).
func checkUID(r *report, _ invitation, e *component) {
	uid := e.value("UID")
	_, domain := splitAddress(uid)
	switch {
	case strings.TrimSpace(uid) == "":
		r.errorf("C3", "the event has no UID")
	case len(uid) > maxUID:
		r.errorf("C3", "the UID has %d octets, the limit is %d", len(uid), maxUID)
	case !fqdn(domain):
		r.warnf("C3", "the UID is not unique@host.domain: %s", show(uid))
	}
}

// checkStamps judges DTSTAMP, CREATED and LAST-MODIFIED, which are always in
// UTC (C4; RFC 5545, section 3.8.7).
func checkStamps(r *report, _ invitation, e *component) {
	if _, ok := e.first("DTSTAMP"); !ok {
		r.errorf("C4", "the event has no DTSTAMP")
	}
	for _, name := range []string{"DTSTAMP", "CREATED", "LAST-MODIFIED"} {
		p, ok := e.first(name)
		if !ok {
			continue
		}
		if m, err := parseMoment(p); err != nil || m.form != utc {
			r.errorf("C4", "%s is not an instant in UTC: %s", name, show(p.value))
		}
	}
}

// checkSequence judges the number that orders updates (C5; RFC 5545, section
// 3.8.7.4; RFC 5546, section 2.1.4).
func checkSequence(r *report, inv invitation, e *component) {
	p, ok := e.first("SEQUENCE")
	if !ok {
		if inv.method == "CANCEL" {
			r.errorf("C5", "the cancellation has no SEQUENCE")
			return
		}
		r.warnf("C5", "the event has no SEQUENCE")
		return
	}
	n, err := sequence(p.value)
	switch {
	case err != nil:
		r.errorf("C5", "SEQUENCE is not a number from 0: %s", show(p.value))
	case n == 0 && inv.method == "CANCEL":
		r.errorf("C5", "the cancellation has SEQUENCE 0, which is the invitation's")
	}
}

// sequence reads a SEQUENCE.
func sequence(value string) (int64, error) {
	if !integer.MatchString(value) {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(value, 10, 32)
}

// checkStatus judges STATUS, TRANSP and CLASS (C12; RFC 5545, sections
// 3.8.1.3, 3.8.1.11 and 3.8.2.7; RFC 5546, section 3.2.5).
func checkStatus(r *report, inv invitation, e *component) {
	status := strings.ToUpper(e.value("STATUS"))
	switch {
	case status == "" && inv.scheduling():
		r.warnf("C12", "the event has no STATUS")
	case status == "":
	case status != "CONFIRMED" && status != "TENTATIVE" && status != "CANCELLED":
		r.errorf("C12", "STATUS %s is not known", show(status))
	case inv.method == "CANCEL" && status != "CANCELLED":
		r.errorf("C12", "STATUS is %s in a CANCEL, not CANCELLED", status)
	case inv.method == "REQUEST" && status == "CANCELLED":
		r.errorf("C12", "STATUS is CANCELLED in a REQUEST: the event stays in the calendar")
	}
	checkWord(r, e, "TRANSP", "OPAQUE", names("TRANSPARENT"))
	checkWord(r, e, "CLASS", "PUBLIC", names("PRIVATE CONFIDENTIAL"))
}

// checkWord judges a property with a fixed set of values, one of which is the
// one for an invitation.
func checkWord(r *report, e *component, name, good string, legal map[string]bool) {
	p, ok := e.first(name)
	v := strings.ToUpper(p.value)
	switch {
	case !ok || v == good:
	case legal[v]:
		r.warnf("C12", "%s is %s, not %s", name, v, good)
	default:
		r.errorf("C12", "%s %s is not known", name, show(p.value))
	}
}

// checkAlarms judges reminders (C16; RFC 5545, section 3.6.6). Only the kind
// that shows text is for other people's calendars.
func checkAlarms(r *report, inv invitation, e *component) {
	for _, a := range e.named("VALARM") {
		if inv.method == "CANCEL" {
			r.errorf("C16", "there is a VALARM in a cancellation")
			continue
		}
		if v := a.value("ACTION"); !strings.EqualFold(v, "DISPLAY") {
			r.errorf("C16", "the VALARM's ACTION is %s, not DISPLAY", show(v))
		}
		for _, name := range []string{"TRIGGER", "DESCRIPTION"} {
			if a.value(name) == "" {
				r.errorf("C16", "the VALARM has no %s", name)
			}
		}
	}
}
