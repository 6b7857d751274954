package lint

import (
	"errors"
	"net/mail"
	"net/url"
	"strings"
)

// errNoAddress says that a URI or a field holds no usable address.
var errNoAddress = errors.New("no address")

// parseMailboxes reads a list of mailboxes (RFC 5322, section 3.4).
func parseMailboxes(value string) ([]*mail.Address, error) {
	if len(value) > maxFieldBytes {
		return nil, errNoAddress
	}
	return mail.ParseAddressList(value)
}

// mailtoAddress returns the address in a mailto URI (RFC 6068, section 2). The
// scheme has no case, and the address may be percent-encoded. Header fields
// and several addresses are refused, since a calendar address is one mailbox.
func mailtoAddress(uri string) (string, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || !strings.EqualFold(scheme, "mailto") || len(rest) > maxFieldBytes {
		return "", errNoAddress
	}
	decoded, err := url.PathUnescape(rest)
	if err != nil || strings.ContainsAny(decoded, "?<>, \t") {
		return "", errNoAddress
	}
	box, err := mail.ParseAddress(decoded)
	if err != nil || box.Name != "" {
		return "", errNoAddress
	}
	return box.Address, nil
}

// sameAddress compares two addresses without case: receivers differ in how
// they treat the local part, and two bookings that differ in it only are one.
func sameAddress(a, b string) bool {
	return strings.EqualFold(a, b)
}

// splitAddress cuts at the last at sign, because a quoted local part may hold
// others.
func splitAddress(addr string) (local, domain string) {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return addr, ""
	}
	return addr[:i], addr[i+1:]
}

// aligned says whether one domain is the other or lies below it. This is
// relaxed alignment (RFC 7489, section 3.1) as far as it can be told without
// the public suffix list.
func aligned(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a)
}

// fqdn says whether s is a host name with at least two labels (RFC 1123,
// section 2.1).
func fqdn(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if !hostLabel(l) {
			return false
		}
	}
	return true
}

func hostLabel(l string) bool {
	if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
		return false
	}
	for i := range len(l) {
		if c := l[i]; c != '-' && !alphanumeric(c) {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
