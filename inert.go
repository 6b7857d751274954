package caddyicalmail

import (
	"bytes"
	"strings"
)

// inertMarks are the characters of which template languages make their
// delimiters, as character references (HTML, section 13.1.4).
var inertMarks = strings.NewReplacer(
	"{", "&#123;", "}", "&#125;", "[", "&#91;", "]", "&#93;", "$", "&#36;", "`", "&#96;",
)

// inert makes a finished page mean nothing to template engines that it passes
// on its way out: a site whose `templates` directive covers the booking form
// would otherwise run what a client typed as their name. Browsers show the same
// as before. Style sheets, in which references mean nothing, are the
// operator's or ours, and stay.
func inert(page []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(page) + len(page)/16)
	for len(page) > 0 {
		markup, rest, _ := bytes.Cut(page, []byte("<style"))
		out.WriteString(inertMarks.Replace(string(markup)))
		if len(markup) == len(page) {
			break
		}
		style, after, _ := bytes.Cut(rest, []byte("</style"))
		out.WriteString("<style")
		out.Write(style)
		if len(style) == len(rest) {
			break
		}
		out.WriteString("</style")
		page = after
	}
	return out.Bytes()
}
