package lint

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"regexp"
	"strings"
)

// maxEncoded is the longest line of base64 and quoted-printable (RFC 2045,
// sections 6.7 and 6.8).
const maxEncoded = 76

// badQP finds what quoted-printable does not allow: an equals sign without two
// upper-case digits that is not at the line's end, and octets that are not
// printable (RFC 2045, section 6.7).
var badQP = regexp.MustCompile(`=(?:[^0-9A-F]|[0-9A-F][^0-9A-F]|[0-9A-F]$)|[^\t -~]|[\t ]$`)

// decodeBody undoes the Content-Transfer-Encoding, and reports where it is
// broken (M7; RFC 2045, section 6). It returns what could be decoded.
func decodeBody(r *report, p *part) []byte {
	cte := strings.ToLower(p.header.get("Content-Transfer-Encoding"))
	switch cte {
	case "base64":
		return decodeBase64(r, p)
	case "quoted-printable":
		return decodeQP(r, p)
	case "", "7bit":
		if !ascii(string(p.raw)) {
			r.errorf("M7", "a %s has octets above 127 but no encoding", show(p.mediaType))
		}
	case "8bit":
	default:
		r.errorf("M7", "a %s has the unusable Content-Transfer-Encoding %s", show(p.mediaType), show(cte))
	}
	if calendarType(p.mediaType) {
		r.warnf("M7", "a %s is not in base64 or quoted-printable, relays may change it", show(p.mediaType))
	}
	return p.raw
}

func decodeBase64(r *report, p *part) []byte {
	checkEncodedLines(r, p, nil)
	text := bytes.ReplaceAll(bytes.ReplaceAll(p.raw, []byte("\n"), nil), []byte("\r"), nil)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(out, text)
	if err != nil {
		r.errorf("M7", "the base64 of a %s is broken: %v", show(p.mediaType), err)
	}
	return out[:n]
}

func decodeQP(r *report, p *part) []byte {
	checkEncodedLines(r, p, badQP)
	out, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.raw)))
	if err != nil {
		r.errorf("M7", "the quoted-printable of a %s is broken: %v", show(p.mediaType), err)
	}
	return out
}

// checkEncodedLines judges the lines' length, and their content if bad is given.
func checkEncodedLines(r *report, p *part, bad *regexp.Regexp) {
	for rest := p.raw; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if len(line) > maxEncoded {
			r.errorf("M7", "an encoded line of a %s has %d characters, the limit is %d", show(p.mediaType), len(line), maxEncoded)
		}
		if bad != nil && bad.Match(line) {
			r.errorf("M7", "this is not quoted-printable: %s", show(line))
		}
	}
}

// calendarType says whether parts of this type hold an iCalendar object.
func calendarType(mediaType string) bool {
	return mediaType == "text/calendar" || mediaType == "application/ics"
}
