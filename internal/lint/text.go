package lint

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// textProps are the properties of type TEXT, which have escapes (RFC 5545,
// section 3.3.11). The value says whether a comma separates several of them.
var textProps = map[string]bool{
	"SUMMARY": false, "DESCRIPTION": false, "LOCATION": false, "COMMENT": false, "CONTACT": false,
	"UID": false, "PRODID": false, "TZID": false, "TZNAME": false, "RELATED-TO": false,
	"CATEGORIES": true, "RESOURCES": true,
}

// maxSummary is in characters: lists and notifications show no more.
const maxSummary = 100

var (
	// badEscape finds a backslash that begins no escape, separators an
	// unescaped ; or , that would begin another value.
	badEscape = regexp.MustCompile(`^(?:[^\\]|\\[\\;,nN])*\\(?:[^\\;,nN]|$)`)
	separator = regexp.MustCompile(`^(?:[^\\;,]|\\.)*([;,])`)
	semicolon = regexp.MustCompile(`^(?:[^\\;]|\\.)*(;)`)

	// link finds what a client turns into a link.
	link = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:|@`)
	// htmlTag finds html in text that is plain.
	htmlTag = regexp.MustCompile(`(?i)</?(?:a|b|i|u|p|br|div|span|html|body|table|tr|td|ul|ol|li|strong|em|font|img|script|h[1-6])(?:\s[^<>]*)?/?>`)

	unescaper = strings.NewReplacer(`\\`, `\`, `\;`, `;`, `\,`, `,`, `\n`, "\n", `\N`, "\n")
)

// checkTexts judges the escapes of TEXT values in c and below (I6).
func checkTexts(r *report, c *component) {
	for _, p := range c.props {
		list, ok := textProps[p.name]
		if !ok {
			continue
		}
		if badEscape.MatchString(p.value) {
			r.errorf("I6", `%s in line %d has a backslash that is not part of \\ \; \, \n: %s`, p.name, p.line, show(p.value))
		}
		separators := separator
		if list {
			separators = semicolon
		}
		if m := separators.FindStringSubmatch(p.value); m != nil {
			r.errorf("I6", "%s in line %d has a %q without a backslash: %s", p.name, p.line, m[1], show(p.value))
		}
	}
	for _, child := range c.children {
		checkTexts(r, child)
	}
}

// unescape undoes the escapes of a TEXT value.
func unescape(value string) string {
	return unescaper.Replace(value)
}

// checkSummary judges the title, and that the description is plain text (C13;
// RFC 5546, section 3.2.2).
func checkSummary(r *report, inv invitation, e *component) {
	title := unescape(e.value("SUMMARY"))
	switch {
	case strings.TrimSpace(title) == "" && inv.method == "CANCEL":
		r.warnf("C13", "the cancellation has no SUMMARY")
	case strings.TrimSpace(title) == "":
		r.errorf("C13", "the event has no SUMMARY")
	case strings.Contains(title, "\n"):
		r.warnf("C13", "SUMMARY has several lines")
	case link.MatchString(title):
		r.warnf("C13", "SUMMARY has a link or an @, clients make it a link: %s", show(title))
	}
	if n := utf8.RuneCountInString(title); n > maxSummary {
		r.warnf("C13", "SUMMARY has %d characters, more than %d", n, maxSummary)
	}
	if found := htmlTag.FindString(unescape(e.value("DESCRIPTION"))); found != "" {
		r.warnf("C13", "DESCRIPTION holds html, which clients show as it is: %s", show(found))
	}
	if _, ok := e.first("STYLED-DESCRIPTION"); ok {
		r.warnf("C13", "STYLED-DESCRIPTION is not read by any mail client")
	}
}

// checkLinks judges the properties that hold a URI (C14; RFC 5545, section
// 3.8.4.6; RFC 7986, section 5.11).
func checkLinks(r *report, _ invitation, e *component) {
	for _, p := range e.all("CONFERENCE") {
		if !strings.EqualFold(p.text("VALUE"), "URI") {
			r.errorf("C14", "CONFERENCE has no VALUE=URI")
		}
		checkURI(r, p)
	}
	for _, p := range e.all("URL") {
		checkURI(r, p)
	}
}

// checkURI: text escapes in a URI break it, and a scheme that is a program is
// an attack.
func checkURI(r *report, p property) {
	u, err := url.Parse(p.value)
	if err != nil || u.Scheme == "" || strings.ContainsAny(p.value, ` \`) {
		r.errorf("C14", "%s is not a URI: %s", p.name, show(p.value))
		return
	}
	switch u.Scheme {
	case "javascript", "vbscript", "data", "file":
		r.errorf("C14", "%s has the scheme %s", p.name, nameOf(u.Scheme))
	}
}
