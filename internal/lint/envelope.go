package lint

// checkEnvelope compares the mail's header with the calendar object: who sends
// (H2), to whom (H4), and that nobody is invited by themselves (C8).
func checkEnvelope(r *report, h header, inv invitation, o Options) {
	if len(inv.events) == 0 || !inv.scheduling() {
		return
	}
	e := inv.events[0]
	if from, ok := onlyMailbox(h, "From"); ok {
		checkSender(r, h, e, from)
	}
	to, ok := onlyMailbox(h, "To")
	if !ok {
		to = o.Recipient
	}
	if to != "" {
		checkRecipient(r, e, to)
	}
}

// checkSender: the organizer sends, or someone does so in the organizer's name
// and says it in both places (RFC 6047, section 2.2; RFC 5545, section 3.2.18).
func checkSender(r *report, h header, e *component, from string) {
	p, _ := e.first("ORGANIZER")
	organizer := e.organizer()
	if organizer == "" || sameAddress(from, organizer) {
		return
	}
	by, err := mailtoAddress(p.text("SENT-BY"))
	if err != nil || !sameAddress(by, from) {
		r.errorf("H2", "From is %s, but the ORGANIZER is %s", show(from), show(organizer))
		return
	}
	if reply, ok := onlyMailbox(h, "Reply-To"); !ok || !sameAddress(reply, organizer) {
		r.errorf("H2", "From sends for the ORGANIZER %s, but Reply-To does not name it", show(organizer))
	}
}

// checkRecipient: Outlook shows the buttons only to a reader who is an
// attendee, and not to the organizer.
func checkRecipient(r *report, e *component, to string) {
	if sameAddress(to, e.organizer()) {
		r.errorf("C8", "the recipient %s is the ORGANIZER, who cannot answer", show(to))
		return
	}
	attendees := e.attendees()
	for _, a := range attendees {
		if sameAddress(a, to) {
			return
		}
	}
	// A list that is empty is reported where the attendees are judged.
	if len(attendees) > 0 {
		r.errorf("H4", "the recipient %s is not an ATTENDEE", show(to))
	}
}
