package caddyicalmail

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("differs from %s (run with -update to accept it):\n%s", path, got)
	}
}

func TestCalendarGolden(t *testing.T) {
	e := sampleEvent(t)
	for _, to := range e.Recipients() {
		t.Run(string(to.Role), func(t *testing.T) {
			inv, err := newInvitation(e, to)
			if err != nil {
				t.Fatal(err)
			}
			got := calendarOf(t, inv)
			for _, f := range lint.Calendar([]byte(got)) {
				t.Error(f)
			}
			golden(t, "request-"+string(to.Role)+".ics", got)
		})
	}
}

func calendarOf(t *testing.T, inv *invitation) string {
	t.Helper()
	calendar, err := inv.calendar()
	if err != nil {
		t.Fatal(err)
	}
	return calendar
}

func TestAttendeesOfEach(t *testing.T) {
	e := sampleEvent(t)
	for role, want := range map[booking.Role][]string{
		booking.RoleHost:   {"ada@example.net", "grace@example.org", "charles@example.net"},
		booking.RoleClient: {"ada@example.net", "grace@example.org"},
		booking.RoleGuest:  {"charles@example.net", "grace@example.org"},
	} {
		for _, to := range e.Recipients() {
			if to.Role != role {
				continue
			}
			inv, err := newInvitation(e, to)
			if err != nil {
				t.Fatal(err)
			}
			calendar := strings.ReplaceAll(calendarOf(t, inv), "\r\n ", "")
			if n := strings.Count(calendar, "\r\nATTENDEE;"); n != len(want) {
				t.Errorf("%s sees %d attendees, want %d", role, n, len(want))
			}
			for _, address := range want {
				if !strings.Contains(calendar, ":mailto:"+address) {
					t.Errorf("%s does not see %s", role, address)
				}
			}
			private := strings.Contains(calendar, "First visit") || strings.Contains(calendar, "7946")
			if private != (role == booking.RoleHost) {
				t.Errorf("%s: notes shown is %v", role, private)
			}
		}
	}
}

// hostileNames are names that break out of a parameter or a property when
// they are not quoted.
var hostileNames = []string{
	`Doe, John`, `O'Neil`, `"Bob"`, `a;PARTSTAT=ACCEPTED`, `a":mailto:evil@example.com`, `back\slash`, `a:b`, `a^nATTENDEE^^b`, `é\ü`,
	"x\r\nATTENDEE:mailto:evil@example.com", "x\rATTENDEE:evil", "nul\x00bell\a", "\u202egnp.exe", "名前 なまえ", "👩‍⚕️ Dr. X",
	`{env.HOME}`, `{{.}}`, `</script>`, `"; PARTSTAT=ACCEPTED`, `=?utf-8?q?a=0D=0AX:_y?=`,
	strings.Repeat("wide\u00e9", 16), strings.Repeat("x", 80),
}

func TestCalendarHostileNames(t *testing.T) {
	for _, name := range hostileNames {
		t.Run(name, func(t *testing.T) {
			e := sampleEvent(t)
			e.Client.Name = booking.Defang(booking.CleanLine(name))
			e.Organizer.Name = e.Client.Name
			e.Summary = truncate(e.Client.Name, maxSummary)
			e.Notes, e.Location = booking.CleanText(name), e.Client.Name
			for _, to := range e.Recipients() {
				inv, err := newInvitation(e, to)
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range lint.Calendar([]byte(calendarOf(t, inv))) {
					if !acceptable(f) {
						t.Error(f)
					}
				}
			}
		})
	}
}

// TestLibraryEscaping shows why icsescape.go exists: with the library alone,
// a name ends its parameter or its line. Should it fail after an update of the
// library, the workaround may be gone.
func TestLibraryEscaping(t *testing.T) {
	serialize := func(change func(*ics.VEvent)) string {
		c := ics.NewCalendar()
		change(c.AddEvent("uid"))
		return strings.ReplaceAll(c.Serialize(ics.WithNewLineWindows), "\r\n ", "")
	}
	for _, tt := range []struct {
		name, damage string
		change       func(*ics.VEvent)
	}{
		{"a semicolon adds a parameter", `;CN=a\;PARTSTAT=ACCEPTED`, func(e *ics.VEvent) {
			e.AddAttendee("a@example.com", ics.WithCN("a;PARTSTAT=ACCEPTED"))
		}},
		{"a comma makes two values", `;CN=Doe\, John`, func(e *ics.VEvent) {
			e.AddAttendee("a@example.com", ics.WithCN("Doe, John"))
		}},
		{"a line break in a parameter begins a property", "\r\nATTENDEE\\:mailto\\:evil", func(e *ics.VEvent) {
			e.AddAttendee("a@example.com", ics.WithCN("x\r\nATTENDEE:mailto:evil"))
		}},
		{"a bare CR stays in a TEXT", "SUMMARY:a\r\\nb", func(e *ics.VEvent) { e.SetSummary("a\r\nb") }},
		{"a line break in an address begins a property", "\r\nX-EVIL:1", func(e *ics.VEvent) {
			e.SetOrganizer("a@example.com\r\nX-EVIL:1")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if out := serialize(tt.change); !strings.Contains(out, tt.damage) {
				t.Errorf("the library seems mended; it wrote\n%s", out)
			}
		})
	}
	out := serialize(func(e *ics.VEvent) {
		addAddress(e, "ATTENDEE", booking.Person{Address: mustAddress(t, "a@example.com"), Name: "a;PARTSTAT=\"X\"\r\nB:c"})
	})
	if want := "\r\nATTENDEE;CN=\"a;PARTSTAT='X'  B:c\":mailto:a@example.com\r\n"; !strings.Contains(out, want) {
		t.Errorf("got\n%s\nwant in it\n%s", out, want)
	}
}

// FuzzCalendar asserts that whatever people type becomes a valid iCalendar.
func FuzzCalendar(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name, name, name)
	}
	f.Fuzz(func(t *testing.T, name, notes, location string) {
		e := sampleEvent(t)
		e.Client.Name = truncate(booking.Defang(booking.CleanLine(name)), 80)
		e.Notes = booking.CleanText(notes)
		e.Location = truncate(booking.Defang(booking.CleanLine(location)), maxLocation)
		if e.Client.Name != "" {
			e.Summary = truncate(e.Client.Name, maxSummary)
		}
		for _, to := range e.Recipients() {
			inv, err := newInvitation(e, to)
			if err != nil {
				t.Fatal(err)
			}
			for _, finding := range lint.Calendar([]byte(calendarOf(t, inv))) {
				if !acceptable(finding) {
					t.Error(finding)
				}
			}
		}
	})
}
