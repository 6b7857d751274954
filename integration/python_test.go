package integration_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The py types are what testdata/read_calendar.py writes.
type (
	pyCalendar struct {
		Method string
		Events []pyEvent
	}
	pyEvent struct {
		UID, Summary, Location string
		Start, End             time.Time
		Organizer              pyAddress
		Attendees              []pyAddress
		Errors                 []string
	}
	pyAddress struct {
		Address string
		Params  map[string]string
	}
)

// pythonRead reads calendars with python-icalendar, all in one go because
// starting Python is what takes time. Each must hold one event.
func pythonRead(t *testing.T, calendars ...[]byte) []pyEvent {
	t.Helper()
	texts := make([]string, len(calendars))
	for i, c := range calendars {
		texts[i] = string(c)
	}
	in, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	// -I keeps out modules of the tester's own.
	cmd := exec.CommandContext(t.Context(), python, "-I", filepath.Join("testdata", "read_calendar.py"))
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python-icalendar: %v\n%s", err, &stderr)
	}
	var parsed []pyCalendar
	if err := json.Unmarshal(out, &parsed); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	events := make([]pyEvent, len(parsed))
	for i, c := range parsed {
		if c.Method != "REQUEST" || len(c.Events) != 1 || len(c.Events[0].Errors) > 0 {
			t.Fatalf("python-icalendar reads %+v from\n%s", c, calendars[i])
		}
		events[i] = c.Events[0]
	}
	return events
}

// checkAttendees compares the attendees with names by address. They must have
// exactly the parameters that we write, because one more would be injected.
func (e *pyEvent) checkAttendees(t *testing.T, names map[string]string) {
	t.Helper()
	if len(e.Attendees) != len(names) {
		t.Errorf("python-icalendar: the attendees are %v, want %v", e.Attendees, names)
	}
	for _, a := range e.Attendees {
		want := map[string]string{
			"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE",
			"CN": names[trimMailto(a.Address)],
		}
		if !maps.Equal(a.Params, want) {
			t.Errorf("python-icalendar: %s has the parameters %q, want %q", a.Address, a.Params, want)
		}
	}
}
