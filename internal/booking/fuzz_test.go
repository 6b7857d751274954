package booking

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzDecode(f *testing.F) {
	rules := withFields(f, testRules(f), "name name /person/last", "timezone zone", "summary summary", "location location", "guests guests")
	rules.Extra = []ExtraField{{mustPath(f, "x"), "X"}}
	for _, change := range []fields{
		nil, {"end": "11:30", "start": "2027-03-05T10:30", "zone": "Asia/Tokyo"}, {"duration": "PT45M", "x": []any{"a", true}},
		{"guests": []any{"b@x.yz", fields{"email": "c@x.yz", "name": "C"}}}, {"start": 1804239000000, "locale": "de"},
		{"summary": "a.bc", "location": "d@e", "description": "a\r\nb", "person": fields{"last": "L"}},
	} {
		all := good(change)
		f.Add("application/json", all.json(f))
		f.Add(formType, all.form())
	}
	contentType, body := multipartBody(f, good(nil))
	f.Add(contentType, body)
	f.Add("text/plain", []byte("x"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		b, err := Decode(contentType, body, rules, testNow)
		if err == nil {
			checkBooking(t, b, rules)
			return
		}
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
	})
}

// checkBooking fails unless b is what Decode promises.
func checkBooking(t *testing.T, b *Booking, rules *Rules) {
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
	for _, l := range []Line{b.Summary, b.Location} {
		checkSafe(t, l, maxLocation)
	}
	checkText(t, b.Notes, maxNotes)
	for _, a := range b.Extra {
		checkText(t, a.Value, maxAnswer)
	}
	checkLine(t, b.Locale)
	checkTimes(t, b)
}

func checkTimes(t *testing.T, b *Booking) {
	t.Helper()
	for _, at := range []time.Time{b.Start, b.End} {
		if at.Location() != time.UTC || at.Nanosecond() != 0 {
			t.Errorf("%v is not UTC in whole seconds", at)
		}
	}
	if !b.End.After(b.Start) || b.End.Sub(b.Start) > MaxLength ||
		b.Start.Before(testNow.Add(-pastGrace)) || b.Start.After(testNow.AddDate(maxYears, 0, 0)) {
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
