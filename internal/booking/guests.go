package booking

import (
	"fmt"
	"strings"
	"unicode"
)

// candidate is a guest as the form sent it.
type candidate struct {
	address, name string
	problem       string
	position      int // in the list as it was sent, from 1
}

// guests reads the guests, if the operator mapped a field for them: a list of
// addresses or of {"name", "email"} objects, or text with addresses separated
// by commas, semicolons, spaces or lines. The client and repeated guests are
// left out.
func (d *decoder) guests(client Address) []Person {
	v, field := d.value(PropGuests)
	candidates, problem := d.candidates(v)
	if problem != "" {
		d.fail(PropGuests, field, problem)
		return nil
	}
	return d.invite(field, candidates, client)
}

// candidates splits the value of the guests' field, and stops as soon as
// there are more different ones than any allowed list could have.
func (d *decoder) candidates(v any) (all []candidate, problem string) {
	switch v.(type) {
	case nil, string, []any, repeated:
	default:
		return nil, "must be a list of addresses"
	}
	seen := make(map[candidate]bool)
	position := 0
	for _, item := range asList(v) {
		for c := range eachCandidate(item) {
			position++
			if seen[c] {
				continue
			}
			seen[c] = true
			c.position = position
			all = append(all, c)
			if len(all) > maxSpellings*(d.rules.MaxGuests+1) {
				return nil, d.tooManyGuests()
			}
		}
	}
	return all, ""
}

// maxSpellings bounds the work for a list that names the same few guests in
// many spellings.
const maxSpellings = 4

// asList returns the values of a list, or the value itself as the only one.
func asList(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case repeated:
		return v
	}
	return []any{v}
}

// eachCandidate yields the guests in one value of the list.
func eachCandidate(v any) func(yield func(candidate) bool) {
	return func(yield func(candidate) bool) {
		switch v := v.(type) {
		case nil:
		case string:
			for address := range strings.FieldsFuncSeq(v, isGuestSeparator) {
				if !yield(candidate{address: address}) {
					return
				}
			}
		case map[string]any:
			yield(guestObject(v))
		default:
			yield(candidate{problem: "is neither an address nor an object with name and email"})
		}
	}
}

// guestObject reads {"name": …, "email": …}.
func guestObject(object map[string]any) candidate {
	address, _, problem := scalar(object["email"])
	if problem == "" && address == "" {
		problem = "has no email"
	}
	name, _, nameProblem := scalar(object["name"])
	if problem == "" && nameProblem != "" {
		problem = "has a name that is not text"
	}
	return candidate{address: address, name: name, problem: problem}
}

func isGuestSeparator(r rune) bool {
	return r == ',' || r == ';' || unicode.IsSpace(r)
}

// invite validates the guests. Errors say which one in the list is meant.
func (d *decoder) invite(field string, candidates []candidate, client Address) []Person {
	known := map[string]bool{client.Fold(): true}
	var guests []Person
	failed := 0
	for _, c := range candidates {
		guest, problem := d.guest(c)
		if problem != "" {
			d.fail(PropGuests, field, fmt.Sprintf("guest %d %s", c.position, problem))
			if failed++; failed > d.rules.MaxGuests {
				return nil
			}
			continue
		}
		if fold := guest.Address.Fold(); !known[fold] {
			known[fold] = true
			guests = append(guests, guest)
		}
	}
	if len(guests) > d.rules.MaxGuests {
		d.fail(PropGuests, field, d.tooManyGuests())
	}
	return guests
}

func (d *decoder) tooManyGuests() string {
	return fmt.Sprintf("has more than %d guests", d.rules.MaxGuests)
}

// guest validates one guest, or tells what is wrong.
func (d *decoder) guest(c candidate) (guest Person, problem string) {
	if c.problem != "" {
		return Person{}, c.problem
	}
	address, err := ParseAddress(c.address)
	if err != nil {
		return Person{}, err.Error()
	}
	if d.isOrganizer(address) {
		return Person{}, problemOrganizer
	}
	guest.Address = address
	if c.name != "" {
		if guest.Name, problem = cleanName(c.name); problem != "" {
			return Person{}, "has a name that " + problem
		}
	}
	return guest, ""
}
