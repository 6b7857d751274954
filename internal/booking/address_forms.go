package booking

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// String returns local@domain as an SMTP envelope needs it, the domain in
// A-labels. It is empty for the zero value.
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	return a.local + "@" + a.domain
}

// Domain returns the domain in lower-case A-labels.
func (a Address) Domain() string { return a.domain }

// IsZero reports whether there is no address.
func (a Address) IsZero() bool { return a == Address{} }

// NeedsSMTPUTF8 reports whether the local part is not ASCII, so that only a
// server with SMTPUTF8 (RFC 6531) can take it.
func (a Address) NeedsSMTPUTF8() bool {
	return strings.ContainsFunc(a.local, func(r rune) bool { return r >= utf8.RuneSelf })
}

// Fold returns the whole address without regard to case. Two addresses with
// the same fold are taken for one: RFC 5321 lets a server tell local parts
// apart by case, but none does.
func (a Address) Fold() string {
	if a.IsZero() {
		return ""
	}
	return foldCase(a.local) + "@" + a.domain
}

// Mailbox returns the fold without "+tag": mail to bookings+a@example.com is
// read in the mailbox bookings@example.com.
func (a Address) Mailbox() string {
	if a.IsZero() {
		return ""
	}
	local := foldCase(a.local)
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	return local + "@" + a.domain
}

// Person returns the mailbox as one person is to be counted: like Mailbox, and
// without the dots and the second domain that Gmail does not tell apart.
func (a Address) Person() string {
	mailbox := a.Mailbox()
	local, domain, _ := strings.Cut(mailbox, "@")
	if domain != "gmail.com" && domain != "googlemail.com" {
		return mailbox
	}
	return strings.ReplaceAll(local, ".", "") + "@gmail.com"
}

// foldCase maps letters to lower case by way of upper case, so that letters
// with two lower-case forms (σ and ς) become one.
func foldCase(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		return unicode.ToLower(unicode.ToUpper(r))
	}, s))
}

// URI returns the address as a mailto URI (RFC 6068, section 2). It is empty
// for the zero value.
func (a Address) URI() string {
	if a.IsZero() {
		return ""
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.WriteString("mailto:")
	for i := range len(a.local) {
		c := a.local[i]
		if isURIByte(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	b.WriteByte('@')
	b.WriteString(a.domain)
	return b.String()
}

// isURIByte reports whether c may stand in the addr-spec of a mailto URI as
// it is: the unreserved characters of RFC 3986 and those some-delims of
// RFC 6068 that an addr-spec can have.
func isURIByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
		strings.IndexByte("-._~!$'*+", c) >= 0
}

// MarshalText returns String, so that an address is a JSON string.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote, and validates it again. Empty
// text is the zero value.
func (a *Address) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Address{}
		return nil
	}
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
