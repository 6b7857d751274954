package booking

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzDecode(f *testing.F) {
	rules := withFields(f, testRules(f), "name name /person/last", "timezone zone", "summary summary", "location location",
		"guests guests", "id id", "action type", "rrule rrule", "exdate exdate")
	rules.Extra = []ExtraField{{mustPath(f, "x"), "X"}}
	answerFields := fieldMap(f, "id id", "start date time", "end date until", "duration minutes", "location /m/url", "guests g", "exdate except", "timezone tz")
	answer := fields{"id": 7, "date": "2027-03-05", "time": "10:30", "until": "11:00", "m": fields{"url": "https://x.example"}, "except": []any{1}}.json(f)
	for _, change := range []fields{
		nil, {"end": "11:30", "start": "2027-03-05T10:30", "zone": "Asia/Tokyo"}, {"duration": "PT45M", "x": []any{"a", true}},
		{"guests": []any{"b@x.yz", fields{"email": "c@x.yz", "name": "C"}}}, {"start": 1804239000000, "locale": "de"},
		{"summary": "a.bc", "location": "d@e", "description": "a\r\nb", "person": fields{"last": "L"}},
		{"id": "b1", "type": "BOOKING_CANCELLED", "start": "2020-01-01T10:30", "rrule": "FREQ=DAILY", "exdate": "20270305,20270306"},
		{"type": "skip"}, {"name": nil, "email": "", "start": nil, "end": "11:30"},
	} {
		all := good(change)
		f.Add("application/json", all.json(f), []byte(nil), "", "", uint8(0))
		f.Add("application/json", all.json(f), answer, "start", "1804239000", uint8(7))
		f.Add(formType, all.form(), []byte("{"), "action", "event.cancelled", uint8(2))
	}
	contentType, body := multipartBody(f, good(nil))
	f.Add(contentType, body, answer, "timezone", "Asia/Tokyo", uint8(4))
	f.Add("text/plain", []byte("x"), answer, "id", "x", uint8(1))
	f.Fuzz(func(t *testing.T, contentType string, body, answer []byte, property, value string, flags uint8) {
		in := Input{
			ContentType: contentType, Body: body, Lenient: flags&1 != 0, Partial: flags&2 != 0, Trusted: flags&4 != 0,
			Answer: answer, AnswerFields: answerFields, Steer: map[Property]string{Property(property): value},
		}
		b, err := in.Decode(rules, testNow)
		if err != nil {
			checkError(t, b, err, &in)
			return
		}
		checkInput(t, b, &in, rules)
		if again, err := in.Decode(rules, testNow); err != nil || again.Fingerprint() != b.Fingerprint() {
			t.Errorf("decoding again gives %v, %v", again, err)
		}
	})
}

// checkError fails unless err is of exactly one of the kinds that there are.
func checkError(t *testing.T, b *Booking, err error, in *Input) {
	t.Helper()
	var fields FieldErrors
	kinds := 0
	for _, is := range []bool{errors.As(err, &fields), errors.Is(err, ErrMalformed), errors.Is(err, ErrMediaType)} {
		if is {
			kinds++
		}
	}
	if b != nil || kinds != 1 || !utf8.ValidString(err.Error()) {
		t.Errorf("got %v, %q of %d kinds", b, err, kinds)
	}
	if fields == nil && (in.Lenient || errors.Is(err, ErrIgnored)) {
		t.Errorf("got %q for what counts as absent", err)
	}
}

// checkInput fails unless b is what Input.Decode promises.
func checkInput(t *testing.T, b *Booking, in *Input, rules *Rules) {
	t.Helper()
	checkTrusted(t, b, in)
	switch {
	case b.Action == ActionSkip:
		if b.Zone == nil {
			t.Error("the zone is nil")
		}
	case in.Partial:
		checkChange(t, b, rules)
	default:
		checkWhole(t, b, rules)
	}
}

// checkTrusted looks at what only trusted sources may say, and at what is
// validated elsewhere.
func checkTrusted(t *testing.T, b *Booking, in *Input) {
	t.Helper()
	_, steered := in.Steer[PropID]
	if b.ID != "" && !in.Trusted && in.Answer == nil && !steered {
		t.Errorf("id %q of a public body", b.ID)
	}
	if b.Has(PropID) != (b.ID != "") && b.Action != ActionSkip || utf8.RuneCountInString(string(b.ID)) > maxID || len(b.Exdates) > maxExdates {
		t.Errorf("id %q, %d exceptions", b.ID, len(b.Exdates))
	}
	for _, s := range append([]string{string(b.ID), b.RRule, string(b.Summary), string(b.Location)}, b.Exdates...) {
		checkText(t, Text(s), maxTrustedLine)
		checkLine(t, s)
	}
	if in.Answer == nil && !in.Trusted && in.Steer[PropLocation] == "" && in.Steer[PropSummary] == "" {
		checkSafe(t, b.Location, maxLocation)
		checkSafe(t, b.Summary, maxSummary)
	}
}

// checkChange fails unless b may be a change of a known event.
func checkChange(t *testing.T, b *Booking, rules *Rules) {
	t.Helper()
	if !b.Client.Address.IsZero() {
		checkPerson(t, b.Client, rules)
	}
	for p, has := range map[Property]bool{
		PropName: b.Client.Name != "", PropEmail: !b.Client.Address.IsZero(), PropStart: !b.Start.IsZero(), PropDuration: b.Length != 0,
	} {
		if b.Has(p) != has {
			t.Errorf("Has(%s) is %t: %+v", p, !has, b)
		}
	}
	if b.Zone == nil || b.Length < 0 || b.Length > MaxLength {
		t.Errorf("zone %v, length %v", b.Zone, b.Length)
	}
	switch {
	case b.Start.IsZero() || b.Action == ActionCancel:
	case b.End.IsZero():
		if b.Has(PropEnd) || b.Has(PropDuration) {
			t.Errorf("the end is lost: %+v", b)
		}
	default:
		checkTimes(t, b)
	}
}

// checkBooking fails unless b is what Decode promises of a public body.
func checkBooking(t *testing.T, b *Booking, rules *Rules) {
	t.Helper()
	checkWhole(t, b, rules)
	for _, l := range []Line{b.Summary, b.Location} {
		checkSafe(t, l, maxLocation)
	}
}

// checkWhole fails unless b is what is promised of every new booking.
func checkWhole(t *testing.T, b *Booking, rules *Rules) {
	t.Helper()
	checkPerson(t, b.Client, rules)
	if b.Client.Name == "" || b.Zone == nil || len(b.Guests) > rules.MaxGuests {
		t.Errorf("incomplete: %+v", b)
	}
	known := map[string]bool{b.Client.Address.Fold(): true}
	for _, g := range b.Guests {
		checkPerson(t, g, rules)
		if known[g.Address.Fold()] {
			t.Errorf("%s is invited twice", g.Address)
		}
		known[g.Address.Fold()] = true
	}
	checkText(t, b.Notes, maxNotes)
	for _, a := range b.Extra {
		checkText(t, a.Value, maxAnswer)
	}
	checkLine(t, b.Locale)
	checkTimes(t, b)
	if b.Start.Before(testNow.Add(-pastGrace)) || b.Start.After(testNow.AddDate(maxYears, 0, 0)) {
		t.Errorf("%v must be refused", b.Start)
	}
}

func checkTimes(t *testing.T, b *Booking) {
	t.Helper()
	for _, at := range []time.Time{b.Start, b.End} {
		if at.Location() != time.UTC || at.Nanosecond() != 0 {
			t.Errorf("%v is not UTC in whole seconds", at)
		}
	}
	if !b.End.After(b.Start) || b.End.Sub(b.Start) > MaxLength {
		t.Errorf("%v to %v must be refused", b.Start, b.End)
	}
}

func checkPerson(t *testing.T, p Person, rules *Rules) {
	t.Helper()
	checkAddress(t, p.Address)
	checkSafe(t, p.Name, maxName)
	if p.Address.IsZero() || p.Address.Mailbox() == rules.Organizer.Mailbox() {
		t.Errorf("%q must not be invited", p.Address)
	}
}

// checkSafe fails unless l is clean, short and has nothing to link.
func checkSafe(t *testing.T, l Line, limit int) {
	t.Helper()
	checkLine(t, string(l))
	if strings.Contains(string(l), "@") || strings.Contains(string(l), "://") || Defang(l) != l || utf8.RuneCountInString(string(l)) > limit {
		t.Errorf("%q is not safe", l)
	}
}

func checkText(t *testing.T, text Text, limit int) {
	t.Helper()
	for l := range strings.SplitSeq(string(text), "\n") {
		checkLine(t, l)
	}
	if utf8.RuneCountInString(string(text)) > limit {
		t.Errorf("%.40q is too long", text)
	}
}
