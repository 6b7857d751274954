package booking

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRecipients(t *testing.T) {
	for _, tt := range []struct{ name, client, host, guests, want string }{
		{"all differ", "a@x.example", "h@x.example", "g@x.example", "client a@x.example, host h@x.example, guest g@x.example"},
		{"the client is the host", "H@x.example", "h@x.example", "", "host h@x.example"},
		{"the client tests with a tag", "h+1@x.example", "h@x.example", "", "client h+1@x.example, host h@x.example"},
		{"guests are client and host", "a@x.example", "h@x.example", "A@x.example h@x.example", "client a@x.example, host h@x.example"},
		{"guests are one person", "a@x.example", "h@x.example", "a+1@x.example b+1@x.example b+2@x.example",
			"client a@x.example, host h@x.example, guest b+1@x.example"},
		{"dots at Gmail", "ab@gmail.com", "h@x.example", "a.b@googlemail.com a.b@x.example", "client ab@gmail.com, host h@x.example, guest a.b@x.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := Event{Client: Person{Address: address(t, tt.client)}, Host: Person{Address: address(t, tt.host)}}
			for g := range strings.FieldsSeq(tt.guests) {
				e.Guests = append(e.Guests, Person{Address: address(t, g)})
			}
			var got []string
			for _, r := range e.Recipients() {
				got = append(got, fmt.Sprintf("%s %s", r.Role, r.Address))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got %s, want %s", strings.Join(got, ", "), tt.want)
			}
		})
	}
}

func address(t *testing.T, s string) Address {
	t.Helper()
	a, err := ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEventJSON reads an event that an older version stored, and writes
// nothing new for one that needs nothing new.
func TestEventJSON(t *testing.T) {
	const stored = `{"uid":"u","sequence":2,"status":"CONFIRMED","created":"2027-01-15T12:00:00Z","modified":"2027-01-15T12:00:00Z",` +
		`"start":"2027-03-05T09:30:00Z","end":"2027-03-05T10:30:00Z","client_zone":"UTC","host_zone":"UTC","summary":"s",` +
		`"organizer":{"address":"o@x.example"},"host":{"address":"h@x.example"},"client":{"address":"c@x.example","name":"C"},"scope":"x","mailer":"m"}`
	var e Event
	if err := json.Unmarshal([]byte(stored), &e); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(e); string(got) != stored || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	e.ID, e.RRule, e.Exdates, e.Zone = "b1", "FREQ=DAILY", []string{"20270306T093000Z"}, "Europe/Berlin"
	const added = `,"id":"b1","rrule":"FREQ=DAILY","exdates":["20270306T093000Z"],"zone":"Europe/Berlin"}`
	got, err := json.Marshal(e)
	if string(got) != strings.TrimSuffix(stored, "}")+added || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	var back Event
	if err := json.Unmarshal(got, &back); err != nil || !reflect.DeepEqual(back, e) {
		t.Errorf("got %+v, %v", back, err)
	}
}
