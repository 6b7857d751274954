package booking

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Limits of an address in octets (RFC 5321, section 4.5.3.1, and its
// erratum 1690). maxRawAddress keeps a long input from being normalized first:
// no address that fits into maxAddress is longer before it is mapped.
const (
	maxAddress    = 254
	maxLocal      = 64
	maxLabel      = 63
	maxRawAddress = 4 * maxAddress
)

// Address is a validated addr-spec (RFC 5322, section 3.4.1, and RFC 6531,
// section 3.3) that can be put into an SMTP envelope as it is. The zero value
// is no address.
type Address struct {
	local  string // a dot-atom in NFC, as it was written
	domain string // lower-case A-labels
}

// What can be wrong with an address. The texts stand behind a field's name
// and never repeat the value.
var (
	errAddressShape  = errors.New("is not an e-mail address")
	errAddressPlain  = errors.New("must be a bare address such as name@example.com, without a name, brackets or quotes")
	errAddressNoAt   = errors.New("is not an e-mail address: it has no @")
	errAddressTwoAt  = errors.New("has more than one @")
	errAddressLength = errors.New("is longer than 254 characters")
	errAddressLocal  = errors.New("has more than 64 characters before the @")
	errAddressRune   = errors.New("has a character before the @ that an e-mail address cannot have")
	errAddressDots   = errors.New("has a dot too many before the @")
	errAddressDomain = errors.New("is not an e-mail address: there is no valid domain after the @")
	errDomain        = errors.New("is not a domain name")
)

// ParseAddress reads exactly one addr-spec. Outer spaces are trimmed; display
// names, comments, quoted local parts, domain literals and routes are refused,
// because they are where mail software disagrees. The error says in a short
// English phrase what is wrong, and never repeats the value.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "" || !utf8.ValidString(s):
		return Address{}, errAddressShape
	case len(s) > maxRawAddress:
		return Address{}, errAddressLength
	case strings.ContainsAny(s, "<>()\"[]\\"):
		return Address{}, errAddressPlain
	}
	local, domain, found := strings.Cut(s, "@")
	if !found {
		return Address{}, errAddressNoAt
	}
	if strings.Contains(domain, "@") {
		return Address{}, errAddressTwoAt
	}
	local, err := parseLocal(local)
	if err != nil {
		return Address{}, err
	}
	domain, err = parseDomain(domain)
	if err != nil {
		return Address{}, err
	}
	if len(local)+1+len(domain) > maxAddress {
		return Address{}, errAddressLength
	}
	return Address{local: local, domain: domain}, nil
}

// parseLocal checks a dot-atom (RFC 5322, section 3.2.3; RFC 6531 adds what
// is not ASCII) and returns it in NFC.
func parseLocal(s string) (string, error) {
	s = norm.NFC.String(s)
	if len(s) > maxLocal {
		return "", errAddressLocal
	}
	for atom := range strings.SplitSeq(s, ".") {
		if atom == "" {
			if s == "" {
				return "", errAddressShape
			}
			return "", errAddressDots
		}
		for i, r := range atom {
			if !isAtomRune(r, i == 0) {
				return "", errAddressRune
			}
		}
	}
	// A ligature or a full-width letter looks like another mailbox and is
	// never the spelling that a server has registered (RFC 8264, section 4.2.3).
	if !norm.NFKC.IsNormalString(s) {
		return "", errAddressRune
	}
	return s, nil
}

// isAtomRune reports whether r may stand in a local part: atext, or a letter,
// digit or (not at the start) combining mark that can be seen.
func isAtomRune(r rune, first bool) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	if isInvisible(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || unicode.Is(unicode.Variation_Selector, r) {
		return false
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || !first && unicode.In(r, unicode.Mn, unicode.Mc)
}

// domainProfile is idna.Lookup with the bidi rule, but without the rule about
// hyphens in third and fourth place, which real ASCII domains break. It is
// read-only and safe for concurrent use.
var domainProfile = idna.New(
	idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.CheckHyphens(false),
)

// parseDomain returns the domain in lower-case A-labels (RFC 5890).
func parseDomain(s string) (string, error) {
	// IDNA maps invisible characters to nothing, but somebody who sends them
	// means to look like somebody else.
	if strings.ContainsFunc(s, func(r rune) bool { return isInvisible(r) && r != zwj && r != zwnj }) {
		return "", errAddressDomain
	}
	ascii, err := domainProfile.ToASCII(s)
	if err != nil || !strings.Contains(ascii, ".") {
		return "", errAddressDomain
	}
	last := ""
	for label := range strings.SplitSeq(ascii, ".") {
		if !isLabel(label) {
			return "", errAddressDomain
		}
		last = label
	}
	if strings.Trim(last, "0123456789") == "" {
		return "", errAddressDomain
	}
	return ascii, nil
}

// isLabel reports whether s is one lower-case LDH label (RFC 5890, section 2.3.1).
func isLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
