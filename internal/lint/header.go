package lint

import (
	"net/mail"
	"regexp"
	"strings"
)

// onceFields are the fields that an invitation has exactly once (RFC 5322,
// section 3.6; RFC 2045, section 4).
var onceFields = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version"}

// singleFields are the further fields that may not be repeated.
var singleFields = []string{
	"Sender", "Reply-To", "In-Reply-To", "References", "Content-Type",
	"Content-Transfer-Encoding", "Content-Disposition", "Content-ID", "Auto-Submitted",
}

// textFields are the fields in which people are shown text (H8).
var textFields = []string{"Subject", "From", "To", "Reply-To", "Sender"}

// messageID is the form of RFC 5322, section 3.6.4, without the obsolete one.
var messageID = regexp.MustCompile("^<([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+)@([A-Za-z0-9.-]+)>$")

// maxMessageID keeps the field on one line in every client and relay.
const maxMessageID = 60

// checkHeader judges the header section of the message (H1, H3 to H10).
func checkHeader(r *report, h header, o Options) {
	checkFieldCounts(r, h)
	checkDate(r, h)
	checkFrom(r, h, o)
	checkTo(r, h, o)
	checkMessageID(r, h)
	checkAutomatic(r, h)
	for _, name := range textFields {
		for _, f := range h.all(name) {
			checkFieldText(r, f)
		}
	}
}

func checkFieldCounts(r *report, h header) {
	if len(h) > maxFields {
		r.errorf("H1", "there are more than %d header fields", maxFields)
	}
	checkFieldNames(r, h)
	for _, name := range onceFields {
		if n := len(h.all(name)); n != 1 {
			r.errorf("H1", "there are %d %s fields, exactly one is needed", n, name)
		}
	}
	for _, name := range []string{"Cc", "Bcc"} {
		if len(h.all(name)) > 0 {
			r.errorf("H1", "there is a %s field, an invitation has one recipient", name)
		}
	}
	if v := h.get("MIME-Version"); v != "" && v != "1.0" {
		r.errorf("H1", "MIME-Version is %s, not 1.0", show(v))
	}
}

// checkFieldNames judges what holds for the fields of parts as well.
func checkFieldNames(r *report, h header) {
	for _, f := range h {
		if f.name == "" {
			r.errorf("H1", "this is not a header field: %s", show(f.lines[0]))
		}
		if f.tooLong() {
			r.errorf("H1", "the field %s is too long, it has %d octets or more", show(f.name), f.size)
		}
	}
	for _, name := range singleFields {
		if len(h.all(name)) > 1 {
			r.errorf("H1", "the field %s is repeated", name)
		}
	}
}

func checkDate(r *report, h header) {
	v := h.get("Date")
	if v == "" {
		return
	}
	if _, err := mail.ParseDate(v); err != nil {
		r.errorf("H1", "the Date cannot be read: %s", show(v))
	}
}

// freemail are domains for which only their owners' relays may send.
var freemail = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "outlook.com": true, "hotmail.com": true,
	"live.com": true, "msn.com": true, "yahoo.com": true, "aol.com": true, "icloud.com": true,
	"me.com": true, "proton.me": true, "gmx.de": true, "gmx.net": true, "web.de": true,
}

// checkFrom judges the one mailbox of From, and whether the envelope sender is
// aligned with it (H3, H9; RFC 7489, section 3.1).
func checkFrom(r *report, h header, o Options) {
	v := h.get("From")
	if v == "" {
		return
	}
	boxes, err := parseMailboxes(v)
	if err != nil || len(boxes) != 1 {
		r.errorf("H1", "From is not exactly one mailbox: %s", show(v))
		return
	}
	_, domain := splitAddress(boxes[0].Address)
	_, envelope := splitAddress(o.Sender)
	switch {
	case envelope == "" || aligned(domain, envelope):
	case freemail[strings.ToLower(domain)]:
		r.warnf("H3", "From is at %s, which refuses mail sent by %s", show(domain), show(envelope))
	default:
		r.warnf("H9", "the envelope sender's domain %s is not aligned with From's %s", show(envelope), show(domain))
	}
}

// checkTo judges the one mailbox of To (H4).
func checkTo(r *report, h header, o Options) {
	v := h.get("To")
	if v == "" {
		return
	}
	boxes, err := parseMailboxes(v)
	if err != nil || len(boxes) != 1 {
		r.errorf("H4", "To is not exactly one mailbox: %s", show(v))
		return
	}
	if o.Recipient != "" && !sameAddress(boxes[0].Address, o.Recipient) {
		r.errorf("H4", "To is %s, but the envelope's recipient is %s", show(boxes[0].Address), show(o.Recipient))
	}
}

// checkMessageID judges the identity of the mail (H5).
func checkMessageID(r *report, h header) {
	v := h.get("Message-ID")
	if v == "" {
		return
	}
	m := messageID.FindStringSubmatch(v)
	if m == nil || strings.Contains("."+m[1]+".", "..") || !fqdn(m[2]) {
		r.errorf("H5", "Message-ID is not <unique@host.domain>: %s", show(v))
		return
	}
	if n := len(v) - len("<>"); n > maxMessageID {
		r.warnf("H5", "Message-ID has %d characters, more than %d", n, maxMessageID)
	}
	from, ok := onlyMailbox(h, "From")
	if _, domain := splitAddress(from); ok && !aligned(domain, m[2]) {
		r.warnf("H5", "Message-ID's domain %s is not From's %s", show(m[2]), show(domain))
	}
}

// checkAutomatic judges how the mail says that a program sent it (H6; RFC 3834,
// section 5) and that it does not say which program (H10).
func checkAutomatic(r *report, h header) {
	if v := h.get("Auto-Submitted"); !strings.EqualFold(v, "auto-generated") {
		r.warnf("H6", "Auto-Submitted is %s, not auto-generated: out-of-office programs may answer", show(v))
	}
	for _, f := range h {
		lower := strings.ToLower(f.name)
		switch {
		case lower == "precedence" || strings.HasPrefix(lower, "list-"):
			r.warnf("H6", "%s is for lists and bulk mail", f.name)
		case lower == "x-mailer" || lower == "user-agent":
			r.warnf("H10", "%s tells which program sent the mail: %s", f.name, show(f.value))
		}
	}
}

// onlyMailbox returns the address of a field that holds exactly one mailbox.
func onlyMailbox(h header, name string) (string, bool) {
	boxes, err := parseMailboxes(h.get(name))
	if err != nil || len(boxes) != 1 {
		return "", false
	}
	return boxes[0].Address, true
}
