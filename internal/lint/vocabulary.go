package lint

import "strings"

// names makes a set of the words in s.
func names(s string) map[string]bool {
	set := map[string]bool{}
	for n := range strings.FieldsSeq(s) {
		set[n] = true
	}
	return set
}

// known are the properties that each component may have (RFC 5545, section
// 3.6; RFC 7986, section 5; RFC 9073; RFC 9074).
var known = map[string]map[string]bool{
	"VCALENDAR": names("VERSION PRODID CALSCALE METHOD"),
	"VEVENT": names(`UID DTSTAMP CREATED LAST-MODIFIED SEQUENCE DTSTART DTEND DURATION ORGANIZER
		ATTENDEE STATUS TRANSP CLASS SUMMARY DESCRIPTION LOCATION GEO URL PRIORITY CATEGORIES COMMENT
		CONTACT RESOURCES RELATED-TO ATTACH REQUEST-STATUS RECURRENCE-ID RRULE RDATE EXDATE COLOR IMAGE
		CONFERENCE STYLED-DESCRIPTION METHOD`),
	"VTIMEZONE": names("TZID LAST-MODIFIED TZURL"),
	"STANDARD":  names("DTSTART TZOFFSETFROM TZOFFSETTO TZNAME RRULE RDATE COMMENT"),
	"DAYLIGHT":  names("DTSTART TZOFFSETFROM TZOFFSETTO TZNAME RRULE RDATE COMMENT"),
	"VALARM": names(`ACTION TRIGGER DESCRIPTION SUMMARY DURATION REPEAT ATTACH ATTENDEE UID
		ACKNOWLEDGED RELATED-TO PROXIMITY`),
}

// feed are the properties of subscribed calendars (RFC 7986, section 5).
var feed = names("NAME DESCRIPTION UID LAST-MODIFIED URL CATEGORIES REFRESH-INTERVAL SOURCE COLOR IMAGE")

// knownParams are the property parameters of RFC 5545 section 3.2, RFC 6638
// section 7 and RFC 7986 section 6.
var knownParams = names(`ALTREP CN CUTYPE DELEGATED-FROM DELEGATED-TO DIR ENCODING FMTTYPE FBTYPE
	LANGUAGE MEMBER PARTSTAT RANGE RELATED RELTYPE ROLE RSVP SENT-BY TZID VALUE DISPLAY EMAIL FEATURE
	LABEL SCHEDULE-AGENT SCHEDULE-FORCE-SEND SCHEDULE-STATUS ORDER DERIVED`)

// microsoft are the extensions that are harmless, with the values they have
// (MS-OXCICAL, section 2.1.3.1.1.20).
var microsoft = map[string]map[string]bool{
	"X-MICROSOFT-CDO-BUSYSTATUS":   names("FREE TENTATIVE BUSY OOF WORKINGELSEWHERE"),
	"X-MICROSOFT-DISALLOW-COUNTER": names("TRUE FALSE"),
}

// single are the properties that a component has at most once, with the rule
// that a second one breaks (RFC 5545, section 3.6).
var single = map[string]map[string]string{
	"VCALENDAR": {"VERSION": "C1", "PRODID": "C1", "CALSCALE": "C1", "METHOD": "C1"},
	"VEVENT": {
		"UID": "C3", "DTSTAMP": "C4", "CREATED": "C4", "LAST-MODIFIED": "C4", "SEQUENCE": "C5",
		"RRULE": "C6", "DTSTART": "C7", "DTEND": "C7", "DURATION": "C7", "ORGANIZER": "C8",
		"STATUS": "C12", "TRANSP": "C12", "CLASS": "C12", "SUMMARY": "C13", "DESCRIPTION": "C13",
		"LOCATION": "C14", "URL": "C14", "GEO": "C14", "RECURRENCE-ID": "M8", "PRIORITY": "C17", "COLOR": "C17",
	},
	"VTIMEZONE": {"TZID": "C6"},
	"STANDARD":  {"DTSTART": "C6", "TZOFFSETFROM": "C6", "TZOFFSETTO": "C6", "RRULE": "C6"},
	"DAYLIGHT":  {"DTSTART": "C6", "TZOFFSETFROM": "C6", "TZOFFSETTO": "C6", "RRULE": "C6"},
	"VALARM":    {"ACTION": "C16", "TRIGGER": "C16", "DURATION": "C16", "REPEAT": "C16"},
}

// checkVocabulary judges the names in c and everything below it (C15, C17),
// and what is there twice.
func checkVocabulary(r *report, c *component) {
	counts := map[string]int{}
	for _, p := range c.props {
		checkName(r, c, p)
		checkParamNames(r, p)
		counts[p.name]++
		if rule := single[c.name][p.name]; rule != "" && counts[p.name] == 2 {
			r.errorf(rule, "%s is repeated in %s, line %d", p.name, c.name, p.line)
		}
	}
	for _, child := range c.children {
		checkVocabulary(r, child)
	}
}

func checkName(r *report, c *component, p property) {
	set, ok := known[c.name]
	values, harmless := microsoft[p.name]
	switch {
	case !ok || set[p.name]:
	case harmless:
		if !values[strings.ToUpper(p.value)] {
			r.warnf("C15", "%s has the unknown value %s", p.name, show(p.value))
		}
	case strings.HasPrefix(p.name, "X-MICROSOFT-"):
		r.warnf("C15", "%s in line %d is not needed", show(p.name), p.line)
	case strings.HasPrefix(p.name, "X-"):
		r.warnf("C17", "%s in line %d is an extension", show(p.name), p.line)
	case c.name == "VCALENDAR" && feed[p.name]:
		r.warnf("C17", "%s in line %d is for subscribed calendars, not for invitations", p.name, p.line)
	default:
		r.errorf("C17", "%s in line %d is not known in %s", show(p.name), p.line, c.name)
	}
}

func checkParamNames(r *report, p property) {
	for _, q := range p.params {
		if !knownParams[q.name] {
			r.warnf("C17", "line %d: %s has the unknown parameter %s", p.line, show(p.name), show(q.name))
		}
	}
}
