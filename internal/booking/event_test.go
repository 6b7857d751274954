package booking

import (
	"fmt"
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
