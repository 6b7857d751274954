package booking

import (
	"encoding/hex"
	"testing"
	"time"
)

// fingerprinted returns a booking with something of everything.
func fingerprinted(t testing.TB) *Booking {
	t.Helper()
	return &Booking{
		Client: Person{mustAddress(t, "ada@example.com"), "Ada"}, Guests: []Person{{mustAddress(t, "bo@example.com"), "Bo"}},
		HostKey: "anna", Start: testNow, End: testNow.Add(time.Hour), Zone: mustZone(t, "Europe/Berlin"),
		Summary: "s", Location: "l", Notes: "n", Extra: []Answer{{"X", "y"}, {"A", "b"}}, Locale: "de",
	}
}

func TestFingerprint(t *testing.T) {
	// Stores keep fingerprints over an update of the plugin, so the one of a
	// booking without anything new must stay what it was in the first release.
	const first = "e3c5c1b5b4cae581e5c0c4caacf51d6ce42c8263560a77a267b1867054d58a67"
	want := fingerprinted(t).Fingerprint()
	if got := hex.EncodeToString(want[:]); got != first {
		t.Errorf("got %s, want %s", got, first)
	}
	tests := []struct {
		name   string
		change func(b *Booking)
		same   bool
	}{
		{"nothing", func(*Booking) {}, true},
		{"id", func(b *Booking) { b.ID = "1" }, true},
		{"action", func(b *Booking) { b.Action = ActionUpdate }, true},
		{"given", func(b *Booking) { b.Given = setOf(PropStart) }, true},
		{"warnings", func(b *Booking) { b.Warnings = []FieldError{{"a", "b"}} }, true},
		{"ignored", func(b *Booking) { b.Ignored = []string{"x"} }, true},
		{"length that the end says", func(b *Booking) { b.Length = time.Hour }, true},
		{"the same instant elsewhere", func(b *Booking) { b.Start = b.Start.In(b.Zone) }, true},
		{"name", func(b *Booking) { b.Client.Name = "Eve" }, false},
		{"guests", func(b *Booking) { b.Guests = nil }, false},
		{"start", func(b *Booking) { b.Start = b.Start.Add(time.Second) }, false},
		{"end", func(b *Booking) { b.End = time.Time{} }, false},
		{"zone", func(b *Booking) { b.Zone = time.UTC }, false},
		{"extra", func(b *Booking) { b.Extra[0].Value = "z" }, false},
		{"rrule", func(b *Booking) { b.RRule = "FREQ=DAILY" }, false},
		{"exdates", func(b *Booking) { b.Exdates = []string{"20270305"} }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fingerprinted(t)
			tt.change(b)
			if same := b.Fingerprint() == want; same != tt.same {
				t.Errorf("same is %t", same)
			}
		})
	}
	short, long := Booking{Length: time.Hour}, Booking{Length: 2 * time.Hour}
	if short.Fingerprint() == long.Fingerprint() {
		t.Error("the length of a change without times does not count")
	}
}

// TestFingerprintOfFormAndJSON sends one booking in two ways, many times.
func TestFingerprintOfFormAndJSON(t *testing.T) {
	rules := withFields(t, testRules(t), "summary summary", "location location", "guests guests")
	rules.Extra = []ExtraField{{mustPath(t, "x"), "X"}, {mustPath(t, "y"), "Y"}, {mustPath(t, "z"), "Z"}}
	f := good(fields{"x": "1", "y": "2", "z": "3", "summary": "s", "location": "l", "guests": "a@x.yz,b@x.yz"})
	want := decodeJSON(t, f, rules).Fingerprint()
	for range 50 {
		b, err := Decode(formType, f.form(), rules, testNow)
		if err != nil || b.Fingerprint() != want {
			t.Fatalf("%v: the fingerprint differs", err)
		}
	}
}
