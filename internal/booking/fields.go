package booking

import "slices"

// Fields are what a request's body holds, for those who look for something
// else in it than a booking. What they find is as the user typed it: it may be
// compared, but not shown. The zero value has no fields.
type Fields struct{ src source }

// ReadFields reads a body of a media type that Decode knows. One that cannot be
// read has no fields: whether it is refused for that is the decoder's business.
// The caller has bounded the size.
func ReadFields(contentType string, body []byte) Fields {
	src, err := readBody(contentType, body)
	if err != nil {
		return Fields{}
	}
	return Fields{src}
}

// CheckBody reports why a body has no fields: it is ErrMediaType, ErrMalformed
// or nil.
func CheckBody(contentType string, body []byte) error {
	_, err := readBody(contentType, body)
	return err
}

// Text returns the text or number at a path, as it was sent. It is empty if
// there is none, or if the field was sent more than once, because whoever sends
// two values hopes that two readers choose differently.
func (f Fields) Text(p Path) string {
	if f.src == nil || p.IsZero() {
		return ""
	}
	text, _, _ := scalar(f.src.find(p))
	return text
}

// Filled reports whether somebody put something into a field: text that is not
// blank, or whatever else that is not an empty list or false.
func (f Fields) Filled(p Path) bool {
	if f.src == nil || p.IsZero() {
		return false
	}
	switch v := f.src.find(p).(type) {
	case bool:
		return v
	case repeated:
		for _, one := range v {
			if !isBlank(one) {
				return true
			}
		}
		return false
	default:
		return !isBlank(v)
	}
}

// Recipients returns the addresses of the client and of the guests in a body
// that nobody vouches for, as far as they can be read, whatever else is wrong
// with it. The client's is the zero value if there is none.
func Recipients(contentType string, body []byte, rules *Rules) (client Address, guests []Address) {
	d := &decoder{rules: rules, partial: true}
	in := Input{ContentType: contentType, Body: body, Lenient: true, Partial: true}
	if err := in.addBody(d); err != nil {
		return Address{}, nil
	}
	client = d.email()
	for _, guest := range d.guests(client) {
		guests = append(guests, guest.Address)
	}
	return client, guests
}

// Reads reports whether some property or further answer is read from a field.
func (r *Rules) Reads(path Path) bool {
	for _, extra := range r.Extra {
		if extra.Field == path {
			return true
		}
	}
	for _, p := range properties {
		if p == PropHost && len(r.HostKeys) == 0 && r.Fields[p] == nil {
			continue // a field that is ignored is free
		}
		if slices.Contains(r.paths(p), path) {
			return true
		}
	}
	return false
}

// ParseDomain reads a domain name of at least two labels, and returns it in
// lower-case A-labels, as Address.Domain does. The error never repeats it.
func ParseDomain(s string) (string, error) {
	if len(s) > maxRawAddress {
		return "", errDomain
	}
	domain, err := parseDomain(s)
	if err != nil {
		return "", errDomain
	}
	return domain, nil
}
