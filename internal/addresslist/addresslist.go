// Package addresslist matches e-mail addresses against lists of addresses and
// domains, such as the lists of disposable mail services.
package addresslist

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// maxLine bounds a line of a file, far beyond any that makes sense.
const maxLine = 4096 // octets

var (
	errEntry   = errors.New("is neither an address nor a domain")
	errTooLong = fmt.Errorf("is longer than %d characters", maxLine)
)

// List is a set of addresses and domains. A domain stands for itself and for
// all of its subdomains; addresses are compared as limits count them, without
// case, +tags and, at Gmail, dots. The zero value is empty and ready. It is
// safe for concurrent use as long as nobody adds to it.
type List struct {
	domains map[string]struct{} // in lower-case A-labels
	people  map[string]struct{} // see booking.Address.Person
}

// Len is how many different entries there are.
func (l *List) Len() int { return len(l.domains) + len(l.people) }

// Add adds an address or a domain. A domain may be written as ".example.com"
// or "*.example.com", as some lists do, which means the same; a top-level
// domain must be, because a word without a dot is more often a mistake. The
// error says in a phrase what is wrong, and does not repeat the entry.
func (l *List) Add(entry string) error {
	if strings.Contains(entry, "@") && !strings.HasPrefix(entry, "@") {
		address, err := booking.ParseAddress(entry)
		if err != nil {
			return err
		}
		put(&l.people, address.Person())
		return nil
	}
	domain, err := parseDomain(entry)
	if err != nil {
		return err
	}
	put(&l.domains, domain)
	return nil
}

func parseDomain(entry string) (string, error) {
	bare := strings.TrimPrefix(strings.TrimPrefix(entry, "*"), ".")
	bare = strings.TrimPrefix(bare, "@") // @example.com
	if domain, err := booking.ParseDomain(bare); err == nil {
		return domain, nil
	}
	if bare == entry || strings.Contains(bare, ".") {
		return "", errEntry
	}
	// A top-level domain: it is valid if it is so behind another label.
	domain, err := booking.ParseDomain("x." + bare)
	if err != nil {
		return "", errEntry
	}
	return strings.TrimPrefix(domain, "x."), nil
}

func put(set *map[string]struct{}, key string) {
	if *set == nil {
		*set = make(map[string]struct{})
	}
	(*set)[key] = struct{}{}
}

// Read adds the entries of a file: one a line, with blank lines and comments
// that begin with #. The error names the line.
func (l *List) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxLine), maxLine)
	n := 0
	for lines.Scan() {
		n++
		text := lines.Text()
		if n == 1 {
			text = strings.TrimPrefix(text, "\uFEFF")
		}
		text, _, _ = strings.Cut(text, "#")
		text = strings.TrimFunc(text, unicode.IsSpace)
		if text == "" {
			continue
		}
		if err := l.Add(text); err != nil {
			return fmt.Errorf("line %d %w", n, err)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("line %d %w", n+1, errTooLong)
	}
	return lines.Err()
}

// Has reports whether an address is on the list, by itself or by its domain or
// a domain above. The work does not depend on how long the list is.
func (l *List) Has(address booking.Address) bool {
	if _, ok := l.people[address.Person()]; ok {
		return true
	}
	for domain := address.Domain(); domain != ""; {
		if _, ok := l.domains[domain]; ok {
			return true
		}
		_, domain, _ = strings.Cut(domain, ".")
	}
	return false
}
