package lint

import (
	"bytes"
	"mime"
	"strings"
)

// part is one node of the MIME tree (RFC 2046, section 5.1).
type part struct {
	header      header
	mediaType   string
	params      map[string]string
	disposition string
	filename    string
	parent      *part
	children    []*part
	raw         []byte
	body        []byte // decoded, of a leaf
}

// mimeParser bounds how many parts are read.
type mimeParser struct {
	r     *report
	count int
}

// parseMIME reads the tree of parts, and reports what cannot be read (M1).
func parseMIME(r *report, m message) *part {
	p := &mimeParser{r: r}
	root := p.part(m, nil, 0)
	if p.count > maxParts {
		r.errorf("M1", "there are more than %d parts", maxParts)
	}
	return root
}

func (p *mimeParser) part(m message, parent *part, depth int) *part {
	p.count++
	n := &part{header: m.header, raw: m.body, parent: parent}
	n.mediaType, n.params = p.contentType(m.header)
	n.disposition, n.filename = p.contentDisposition(m.header)
	if !strings.HasPrefix(n.mediaType, "multipart/") {
		n.body = decodeBody(p.r, n)
		return n
	}
	if depth >= maxPartDepth {
		p.r.errorf("M1", "parts are nested more than %d deep", maxPartDepth)
		return n
	}
	p.checkMultipartEncoding(n)
	for _, raw := range p.split(n) {
		if p.count > maxParts {
			break
		}
		child := parseMessage(raw)
		checkFieldNames(p.r, child.header)
		checkFields(p.r, child.header, false)
		n.children = append(n.children, p.part(child, n, depth+1))
	}
	return n
}

func (p *mimeParser) contentType(h header) (string, map[string]string) {
	v := h.get("Content-Type")
	if v == "" {
		return "text/plain", nil
	}
	mediaType, params, err := mime.ParseMediaType(v)
	if err != nil {
		p.r.errorf("M1", "this Content-Type cannot be read: %s", show(v))
	}
	return mediaType, params
}

func (p *mimeParser) contentDisposition(h header) (disposition, filename string) {
	v := h.get("Content-Disposition")
	if v == "" {
		return "", ""
	}
	disposition, params, err := mime.ParseMediaType(v)
	if err != nil {
		p.r.errorf("M1", "this Content-Disposition cannot be read: %s", show(v))
	}
	return disposition, params["filename"]
}

// checkMultipartEncoding: a multipart is never encoded (RFC 2045, section 6.4).
func (p *mimeParser) checkMultipartEncoding(n *part) {
	switch cte := strings.ToLower(n.header.get("Content-Transfer-Encoding")); cte {
	case "", "7bit", "8bit", "binary":
	default:
		p.r.errorf("M7", "a %s has the Content-Transfer-Encoding %s", show(n.mediaType), show(cte))
	}
}

// split cuts a multipart body at its boundary (RFC 2046, section 5.1.1). A
// missing closing delimiter is how a mail looks that was cut off on its way.
func (p *mimeParser) split(n *part) [][]byte {
	boundary := n.params["boundary"]
	if boundary == "" || len(boundary) > 70 {
		p.r.errorf("M1", "a %s has no boundary of 1 to 70 characters", show(n.mediaType))
		return nil
	}
	parts, closed := cutParts(n.raw, "--"+boundary)
	if !closed {
		p.r.errorf("M1", "a %s is not closed, the mail is cut off", show(n.mediaType))
	}
	if len(parts) == 0 {
		p.r.errorf("M1", "a %s has no parts", show(n.mediaType))
	}
	return parts
}

// cutParts returns what stands between the delimiter lines. The line end
// before a delimiter belongs to the delimiter.
func cutParts(body []byte, delimiter string) (parts [][]byte, closed bool) {
	start := -1
	for at := 0; at < len(body) && len(parts) <= maxParts; {
		line, rest := cutLine(body[at:])
		next := len(body) - len(rest)
		if !bytes.HasPrefix(line, []byte("--")) {
			at = next
			continue
		}
		text := string(bytes.TrimRight(line, " \t"))
		if text != delimiter && text != delimiter+"--" {
			at = next
			continue
		}
		if start >= 0 {
			parts = append(parts, trimLineEnd(body[start:max(start, at)]))
		}
		if text != delimiter {
			return parts, true
		}
		start, at = next, next
	}
	if start >= 0 {
		parts = append(parts, body[start:])
	}
	return parts, false
}

// trimLineEnd removes one line end.
func trimLineEnd(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
}
