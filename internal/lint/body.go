package lint

import (
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

var (
	// clock finds a time of day, in any script's digits: 10:30, 10.30, 10h30,
	// 10 AM, 10 Uhr.
	clock = regexp.MustCompile(`\p{Nd}{1,2}\s?(?:[:.hH٫]\s?\p{Nd}{2}|[aApP]\.?\s?[mM]\b|[hH]\b|Uhr|時|시|点)`)

	// tag and attribute read html just well enough to tell attributes from
	// text that only looks like one.
	tag       = regexp.MustCompile(`<([A-Za-z][A-Za-z0-9]*)((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attribute = regexp.MustCompile(`([^\s=>"'/]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?`)
	remote    = regexp.MustCompile(`(?i)^\s*(?:https?:)?//`)
	remoteCSS = regexp.MustCompile(`(?i)(?:url\(|@import)\s*["']?\s*(?:https?:)?//`)
	codeURL   = regexp.MustCompile(`(?i)^\s*(?:javascript|vbscript|data:text/html)\b`)
	markup    = regexp.MustCompile(`<[^>]*>`)
)

// activeTags run code, load other pages or ask for input: no client lets them.
var activeTags = map[string]bool{
	"script": true, "iframe": true, "object": true, "embed": true, "form": true, "base": true, "link": true,
}

// checkBodies judges what people read when their client shows no invitation
// (M6), and the size and the safety of the mail (M9).
func checkBodies(r *report, s shape, size int) {
	if size >= maxMail {
		r.warnf("M9", "the mail has %d octets, Gmail clips what is over %d", size, maxMail)
	}
	checkReadable(r, "text/plain", s.plain)
	checkReadable(r, "text/html", s.html)
	if s.html != nil {
		checkHTML(r, string(s.html.body[:min(len(s.html.body), maxHTML)]))
	}
}

func checkReadable(r *report, mediaType string, p *part) {
	if p == nil {
		r.errorf("M6", "there is no %s part", mediaType)
		return
	}
	text := string(p.body[:min(len(p.body), maxHTML)])
	if mediaType == "text/html" {
		text = html.UnescapeString(markup.ReplaceAllString(text, " "))
	}
	if strings.TrimSpace(text) == "" {
		r.errorf("M6", "the %s part is empty", mediaType)
		return
	}
	checkCharset(r, mediaType, p)
	if !clock.MatchString(text) {
		r.warnf("M6", "the %s part does not tell the time of day", mediaType)
	}
}

// checkCharset: without the parameter the text is ASCII (RFC 2046, section
// 4.1.2).
func checkCharset(r *report, mediaType string, p *part) {
	switch v := p.params["charset"]; {
	case !utf8.Valid(p.body):
		r.errorf("M6", "the %s part is not UTF-8", mediaType)
	case strings.EqualFold(v, "utf-8"):
	case ascii(string(p.body)):
		r.warnf("M6", "the %s part has the charset %s, not UTF-8", mediaType, show(v))
	default:
		r.errorf("M6", "the %s part is UTF-8 but has the charset %s", mediaType, show(v))
	}
}

// checkHTML finds what a mail must not do (M9). What runs code is an error: no
// client runs it, so that it can only be an injection.
func checkHTML(r *report, text string) {
	if remoteCSS.MatchString(text) {
		r.warnf("M9", "the html loads a style or image from elsewhere")
	}
	for _, t := range tag.FindAllStringSubmatch(text, -1) {
		name := strings.ToLower(t[1])
		if activeTags[name] {
			r.errorf("M9", "the html has a <%s>", name)
		}
		for _, a := range attribute.FindAllStringSubmatch(t[2], -1) {
			checkAttribute(r, strings.ToLower(a[1]), html.UnescapeString(strings.Trim(a[2], `"'`)))
		}
	}
}

func checkAttribute(r *report, name, value string) {
	switch {
	case strings.HasPrefix(name, "on"):
		r.errorf("M9", "the html has the handler %s", show(name))
	case (name == "href" || name == "src") && codeURL.MatchString(value):
		r.errorf("M9", "the html has the address %s", show(value))
	case (name == "src" || name == "srcset" || name == "background" || name == "poster") && remote.MatchString(value):
		r.warnf("M9", "the html loads %s from elsewhere, which tells the sender when it is read", show(value))
	}
}
