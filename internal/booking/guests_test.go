package booking

import (
	"slices"
	"strings"
	"testing"
)

func TestDecodeGuests(t *testing.T) {
	many := strings.Repeat("a@example.com,", 1000)
	tests := []struct {
		name string
		in   any
		want string // addresses and names, or what is wrong
	}{
		{"list", []any{"a@example.com", "b@example.com"}, "a@example.com b@example.com"},
		{"objects", []any{fields{"email": "a@example.com", "name": "Dr.Bo"}, fields{"email": "b@example.com", "x": 1}}, "a@example.com=Dr. Bo b@example.com"},
		{"text", "a@example.com, b@example.com;\r\nc@example.com", "a@example.com b@example.com c@example.com"},
		{"blank", " ,; ", ""},
		{"null", nil, ""},
		{"null in a list", []any{nil, "a@example.com"}, "a@example.com"},
		{"duplicates", []any{"a@example.com", "A@Example.com", "a@example.com"}, "a@example.com"},
		{"a thousand duplicates", many, "a@example.com"},
		{"client", []any{"ADA@example.com", "b@example.com"}, "b@example.com"},
		{"client with a tag is somebody else", "ada+x@example.com", "ada+x@example.com"},
		{"three and the client", "a@x.yz b@x.yz c@x.yz ada@example.com", "a@x.yz b@x.yz c@x.yz"},
		{"too many", "a@x.yz b@x.yz c@x.yz d@x.yz", "guests: has more than 3 guests"},
		{"far too many", manyGuests(100000), "guests: has more than 3 guests"},
		{"organizer", "a@x.yz bookings+1@example.org", "guests: guest 2 is the address that sends the invitations"},
		{"bad address", []any{"a@x.yz", "b@c@d"}, "guests: guest 2 has more than one @"},
		{"display name", "Ada <a@x.yz>", "guests: guest 1 is not an e-mail address: it has no @; guests: guest 2 " + errAddressPlain.Error()},
		{"position counts duplicates", "a@x.yz,a@x.yz,b", "guests: guest 3 is not an e-mail address: it has no @"},
		{"object without email", []any{fields{"name": "A"}}, "guests: guest 1 has no email"},
		{"object with a list", []any{fields{"email": []any{}}}, "guests: guest 1 must be text, not a list"},
		{"object with a bad name", []any{fields{"email": "a@x.yz", "name": true}}, "guests: guest 1 has a name that is not text"},
		{"object with a long name", []any{fields{"email": "a@x.yz", "name": strings.Repeat("n", 81)}}, "guests: guest 1 has a name that is longer than 80 characters"},
		{"number in a list", []any{5}, "guests: guest 1 is neither an address nor an object with name and email"},
		{"list in a list", []any{[]any{"a@x.yz"}}, "guests: guest 1 is neither an address nor an object with name and email"},
		{"object", fields{"email": "a@x.yz"}, "guests: must be a list of addresses"},
		{"number", 5, "guests: must be a list of addresses"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := withFields(t, testRules(t), "guests guests")
			f := good(fields{"guests": tt.in})
			if strings.HasPrefix(tt.want, "guests: ") {
				if got := strings.Join(refusals(t, f, rules), "; "); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				return
			}
			b := decodeJSON(t, f, rules)
			if got := showGuests(b.Guests); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			checkBooking(t, b, rules)
		})
	}
}

// manyGuests writes n different addresses.
func manyGuests(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("a" + strings.Repeat("b", i%60) + string(rune('a'+i%26)) + "@example.com ")
	}
	return b.String()
}

func showGuests(guests []Person) string {
	var all []string
	for _, g := range guests {
		s := g.Address.String()
		if g.Name != "" {
			s += "=" + string(g.Name)
		}
		all = append(all, s)
	}
	return strings.Join(all, " ")
}

// TestGuestsOfAForm takes repeated fields and separated ones alike.
func TestGuestsOfAForm(t *testing.T) {
	rules := withFields(t, testRules(t), "guests guests[]")
	body := good(fields{"guests[]": []string{"a@x.yz", "", "b@x.yz, c@x.yz"}}).form()
	b, err := Decode(formType, body, rules, testNow)
	if err != nil || showGuests(b.Guests) != "a@x.yz b@x.yz c@x.yz" {
		t.Errorf("got %v, %v", b, err)
	}
	// Only a mapped field has guests: a public form must not invite others.
	b, err = Decode(formType, good(fields{"guests": "a@x.yz"}).form(), testRules(t), testNow)
	if err != nil || b.Guests != nil {
		t.Errorf("got %v, %v", b, err)
	}
}

// TestRecipientsOfABooking shows that a guest is never the client.
func TestRecipientsOfABooking(t *testing.T) {
	rules := withFields(t, testRules(t), "guests guests")
	b := decodeJSON(t, good(fields{"guests": "b@x.yz ADA@EXAMPLE.COM"}), rules)
	e := Event{Client: b.Client, Guests: b.Guests, Host: Person{Address: mustAddress(t, "host@example.org")}}
	var roles []Role
	for _, r := range e.Recipients() {
		roles = append(roles, r.Role)
	}
	if want := []Role{RoleClient, RoleHost, RoleGuest}; !slices.Equal(roles, want) {
		t.Errorf("got %v, want %v", roles, want)
	}
}
