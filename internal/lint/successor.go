package lint

// letter is what two mails about the same event are compared by.
type letter struct {
	header header
	inv    invitation
	event  *component
}

// Successor judges two mails that one recipient got about the same event, in
// the order in which they were sent (RFC 5546, section 2.1.4). Each mail on its
// own is for Mail to judge. It returns nil when the second may follow the first.
func Successor(prev, next []byte) []Finding {
	r := newReport()
	if tooBig(r, prev) || tooBig(r, next) {
		return r.sorted()
	}
	first, second := readLetter(prev), readLetter(next)
	if first.event == nil || second.event == nil {
		r.errorf("U1", "one of the mails has no event to compare")
		return r.sorted()
	}
	compareIdentity(r, first, second)
	compareMethods(r, first, second)
	compareSequence(r, first, second)
	compareStamps(r, first.event, second.event)
	return r.sorted()
}

// readLetter reads a mail. What is wrong with it alone is dropped.
func readLetter(raw []byte) letter {
	silent := newReport()
	m := parseMessage(raw)
	l := letter{header: m.header}
	s := checkShape(silent, parseMIME(silent, m))
	if s.calendar == nil {
		return l
	}
	l.inv = readInvitation(silent, s.calendar.body)
	if len(l.inv.events) > 0 {
		l.event = l.inv.events[0]
	}
	return l
}

// compareIdentity: the event, the organizer and the reader stay, the mail is
// a new one (U1; RFC 5322, section 3.6.4).
func compareIdentity(r *report, first, second letter) {
	if a, b := first.event.value("UID"), second.event.value("UID"); a != b {
		r.errorf("U1", "the UID changed from %s to %s", show(a), show(b))
	}
	if a, b := first.event.organizer(), second.event.organizer(); !sameAddress(a, b) {
		r.errorf("U1", "the ORGANIZER changed from %s to %s", show(a), show(b))
	}
	a, _ := onlyMailbox(first.header, "To")
	b, _ := onlyMailbox(second.header, "To")
	if !sameAddress(a, b) {
		r.errorf("U1", "the mails are to different people, %s and %s", show(a), show(b))
	}
	if id := second.header.get("Message-ID"); id == first.header.get("Message-ID") {
		r.errorf("U1", "the Message-ID %s is used again", show(id))
	}
}

// compareMethods: a request or a cancellation may follow a request. Nothing
// follows a cancellation, because a UID is not used again (U2; RFC 5546,
// section 3.2).
func compareMethods(r *report, first, second letter) {
	if first.inv.method == "CANCEL" {
		r.errorf("U2", "a mail follows the cancellation of the same event")
	}
	if !second.inv.scheduling() {
		r.errorf("U2", "METHOD is %s, only REQUEST and CANCEL can follow", show(second.inv.method))
	}
	if second.inv.method != "CANCEL" {
		return
	}
	for _, name := range []string{"DTSTART", "DTEND"} {
		if a, b := first.event.value(name), second.event.value(name); a != b {
			r.warnf("U2", "the cancellation changes %s from %s to %s", name, show(a), show(b))
		}
	}
}

// compareSequence: Outlook and iOS ignore an update whose SEQUENCE did not
// rise (C5), others a cancellation (U4).
func compareSequence(r *report, first, second letter) {
	// An absent SEQUENCE is 0 (RFC 5545, section 3.8.7.4).
	before, _ := sequence(first.event.value("SEQUENCE"))
	after, err := sequence(second.event.value("SEQUENCE"))
	if err == nil && after > before {
		return
	}
	rule := "C5"
	if second.inv.method == "CANCEL" {
		rule = "U4"
	}
	r.errorf(rule, "SEQUENCE did not rise, it was %d and is %d", before, after)
}

// compareStamps: a later DTSTAMP is what orders mails of equal SEQUENCE (U1;
// RFC 5545, section 3.8.7.2).
func compareStamps(r *report, first, second *component) {
	a, _ := first.first("DTSTAMP")
	b, _ := second.first("DTSTAMP")
	before, err := parseMoment(a)
	if err != nil {
		return
	}
	if after, err := parseMoment(b); err != nil || after.time.Before(before.time) {
		r.errorf("U1", "DTSTAMP is older than before: %s after %s", show(b.value), show(a.value))
	}
}
