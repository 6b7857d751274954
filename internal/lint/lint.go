// Package lint judges invitation mails (iMIP, RFC 6047) and iCalendar objects
// (RFC 5545, RFC 5546) from their bytes alone.
//
// It shares no code with the writer of the mails, and not the writer's
// libraries either: a fault in those would otherwise be invisible to both. It
// uses the standard library and a strict content-line parser of its own.
//
// The rules carry the ids of the project's requirement list: M for the MIME
// shape, H for the mail's header, I for the bytes of the calendar object, C for
// its content and U for what a later mail about the same event must keep.
package lint

import "fmt"

// Severity says how bad a finding is.
type Severity string

const (
	// SeverityError is a broken standard or a known failure of a client.
	SeverityError Severity = "error"
	// SeverityWarning is a broken recommendation, or something from which
	// only some clients suffer.
	SeverityWarning Severity = "warning"
)

// Finding is one rule that the input breaks.
type Finding struct {
	// Rule is the id of the rule: M1…, H1…, I1…, C1…, U1….
	Rule string `json:"rule"`
	// Severity is how bad it is.
	Severity Severity `json:"severity"`
	// Text says what is wrong, with quoted and shortened pieces of the input.
	Text string `json:"text"`
}

// String returns the finding as one line: "error H5: …".
func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s", f.Severity, f.Rule, f.Text)
}

// Options holds what the envelope says (RFC 5321, section 2.3.1). The zero
// value skips the rules that need it.
type Options struct {
	// Recipient is the address of RCPT TO.
	Recipient string
	// Sender is the address of MAIL FROM.
	Sender string
}

// The limits keep the work bounded for hostile input. A real invitation is
// far below all of them.
const (
	maxInput      = 10 << 20
	maxMail       = 100_000
	maxHTML       = 1 << 20
	maxFieldBytes = 16 << 10
	maxFieldLines = 500
	maxFields     = 1_000
	maxPartDepth  = 8
	maxParts      = 50
	maxLines      = 20_000
	maxComponents = 500
	maxNesting    = 5
)

// Mail judges a whole message (RFC 5322) with the invitation in it. It returns
// nil for a mail without fault.
func Mail(raw []byte, o Options) []Finding {
	r := newReport()
	if tooBig(r, raw) {
		return r.sorted()
	}
	m := parseMessage(raw)
	checkWire(r, raw, m)
	checkHeader(r, m.header, o)
	root := parseMIME(r, m)
	s := checkShape(r, root)
	checkBodies(r, s, len(raw))
	if s.calendar == nil {
		return r.sorted()
	}
	inv := checkCalendar(r, s.calendar.body)
	checkMethodParam(r, s.calendar, inv)
	checkEnvelope(r, m.header, inv, o)
	return r.sorted()
}

// Calendar judges an iCalendar object on its own (RFC 5545, section 3.4). It
// returns nil for an object without fault.
func Calendar(ics []byte) []Finding {
	r := newReport()
	if tooBig(r, ics) {
		return r.sorted()
	}
	checkCalendar(r, ics)
	return r.sorted()
}

// Errors returns the findings of severity error, nil when there are none.
func Errors(f []Finding) []Finding {
	var errs []Finding
	for _, one := range f {
		if one.Severity == SeverityError {
			errs = append(errs, one)
		}
	}
	return errs
}

// tooBig reports input that is not worth reading.
func tooBig(r *report, b []byte) bool {
	if len(b) <= maxInput {
		return false
	}
	r.errorf("M9", "%d bytes are too many to be looked at, the limit is %d", len(b), maxInput)
	return true
}
