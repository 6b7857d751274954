package lint

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutation is one fault that is put into a good input, and the one rule that
// must find it. Nothing else may be found.
type mutation struct {
	rule string
	base string // a file of testdata
	old  string // what is replaced, or "" for the whole input
	new  string
	sev  Severity
}

const (
	bad = SeverityError
	meh = SeverityWarning
)

// apply replaces old by new everywhere, and refuses a mutation that changes
// nothing, because that would pass or fail for the wrong reason.
func apply(t *testing.T, text, from, to string) string {
	t.Helper()
	if from == "" {
		return to
	}
	if !strings.Contains(text, from) {
		t.Fatalf("the good input does not contain %q", from)
	}
	return strings.ReplaceAll(text, from, to)
}

// expect checks that f breaks that one rule, with the severity that is given.
func expect(t *testing.T, f []Finding, rule string, sev Severity) {
	t.Helper()
	if len(f) == 0 {
		t.Fatalf("nothing was found, want %s %s", sev, rule)
	}
	for _, one := range f {
		if one.Rule != rule {
			t.Errorf("want %s only, got: %v", rule, one)
		}
	}
	if f[0].Severity != sev {
		t.Errorf("want severity %s, got: %v", sev, f[0])
	}
}

// label makes a short name for a subtest.
func label(m mutation) string {
	return m.rule + "/" + strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' || c == '/' {
			return '_'
		}
		return c
	}, m.new[:min(len(m.new), 40)])
}

func TestMailMutations(t *testing.T) {
	for _, m := range mailMutations {
		t.Run(label(m), func(t *testing.T) {
			expect(t, Mail([]byte(apply(t, read(t, m.base), m.old, m.new)), options), m.rule, m.sev)
		})
	}
}

// TestCalendarMutations judges the faulty objects alone.
func TestCalendarMutations(t *testing.T) {
	for _, m := range calendarMutations {
		t.Run(label(m), func(t *testing.T) {
			expect(t, Calendar([]byte(apply(t, read(t, m.base), m.old, m.new))), m.rule, m.sev)
		})
	}
}

// TestEmbeddedMutations changes the calendar object within the mail.
func TestEmbeddedMutations(t *testing.T) {
	for _, m := range embeddedMutations {
		t.Run(label(m), func(t *testing.T) {
			ics := read(t, m.base+".ics")
			mail := strings.ReplaceAll(read(t, m.base+".eml"), wrapped(ics), wrapped(apply(t, ics, m.old, m.new)))
			expect(t, Mail([]byte(mail), options), m.rule, m.sev)
		})
	}
}

func TestEnvelopeMutations(t *testing.T) {
	m := read(t, "good-request.eml")
	for _, c := range []struct {
		rule, from, to string
		o              Options
		sev            Severity
	}{
		{"H4", "", "", Options{Recipient: "other@client.example"}, bad},
		{"H9", "", "", Options{Sender: "bounce@elsewhere.example"}, meh},
		{"H3", "booking@example.com", "booking@gmail.com", Options{Sender: "bounce@relay.example"}, meh},
	} {
		t.Run(c.rule, func(t *testing.T) {
			text := m
			if c.from != "" {
				ics := read(t, "good-request.ics")
				text = strings.ReplaceAll(text, wrapped(ics), wrapped(apply(t, ics, c.from, c.to)))
				text = strings.Replace(apply(t, text, c.from, c.to), "c6e6a3c@example.com", "c6e6a3c@gmail.com", 1)
			}
			expect(t, Mail([]byte(text), c.o), c.rule, c.sev)
		})
	}
}

// TestTheOrganizerIsNotTheRecipient: Outlook says that the organizer need not
// respond.
func TestTheOrganizerIsNotTheRecipient(t *testing.T) {
	m := strings.Replace(read(t, cancel), "=?utf-8?q?Zo=C3=AB_O'Neil?= <zoe@client.example>", "Booking@example.com", 1)
	expect(t, Mail([]byte(m), Options{}), "C8", bad)
}

// TestTheCalendarIsTheLastAlternative turns the last two alternatives round.
func TestTheCalendarIsTheLastAlternative(t *testing.T) {
	m := read(t, request)
	html := strings.Index(m, "--inner\r\nContent-Type: text/html")
	calendar := strings.Index(m, "--inner\r\nContent-Type: text/calendar")
	end := strings.Index(m, "--inner--")
	turned := m[:html] + m[calendar:end] + m[html:calendar] + m[end:]
	expect(t, Mail([]byte(turned), options), "M1", bad)
	plain := strings.Index(m, "--inner\r\nContent-Type: text/plain")
	turned = m[:plain] + m[html:calendar] + m[plain:html] + m[calendar:]
	expect(t, Mail([]byte(turned), options), "M1", meh)
}

// TestMissingParts: what is not there at all.
func TestMissingParts(t *testing.T) {
	m := read(t, request)
	before, _, _ := strings.Cut(m, "--inner\r\nContent-Type: text/html")
	calendar := strings.Index(m, "--inner\r\nContent-Type: text/calendar")
	inner, outer := strings.Index(m, "--inner--"), strings.LastIndex(m, "--outer\r\n")
	expect(t, Mail([]byte(before+m[calendar:]), options), "M6", bad)
	expect(t, Mail([]byte(m[:calendar]+m[inner:]), options), "M1", bad)
	expect(t, Mail([]byte(m[:outer]+"--outer--\r\n"), options), "M4", meh)
}

// TestWithoutAttendees: the object alone, and both ways in which it matters.
func TestWithoutAttendees(t *testing.T) {
	attendee := regexp.MustCompile(`ATTENDEE;.*\r\n .*\r\n`)
	for file, rule := range map[string]string{invite: "C10", revoke: "U2"} {
		expect(t, Calendar([]byte(attendee.ReplaceAllString(read(t, file), ""))), rule, bad)
	}
}

// TestTwoEvents: a mail is about one event.
func TestTwoEvents(t *testing.T) {
	ics := read(t, invite)
	from, to := strings.Index(ics, "BEGIN:VEVENT"), strings.Index(ics, "END:VCALENDAR")
	expect(t, Calendar([]byte(ics[:to]+ics[from:])), "M8", bad)
	other := strings.Replace(ics[from:], "UID:0b", "UID:1b", 1)
	expect(t, Calendar([]byte(ics[:to]+other)), "M8", bad)
}

// quotedRule finds the rules that the package's source reports.
var quotedRule = regexp.MustCompile(`"([MHICU][0-9]+)"`)

// TestEveryRuleHasAMutation reads the source, so that nobody can add a rule
// and forget its test.
func TestEveryRuleHasAMutation(t *testing.T) {
	tested := map[string]bool{"H3": true, "H9": true}
	for _, table := range [][]mutation{mailMutations, calendarMutations, embeddedMutations, successorMutations} {
		for _, m := range table {
			tested[m.rule] = true
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range quotedRule.FindAllStringSubmatch(string(source), -1) {
			if !tested[found[1]] {
				t.Errorf("%s reports %s, which no mutation tests", file, found[1])
			}
		}
	}
}
