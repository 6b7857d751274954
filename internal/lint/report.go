package lint

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxPerRule bounds the findings of one rule and severity, because hostile
// input could otherwise break the same rule a million times.
const maxPerRule = 10

// maxShown bounds how much of the input a finding quotes.
const maxShown = 60

// kind is what findings are counted by. Errors and warnings are counted apart,
// so that many warnings never hide an error.
type kind struct {
	rule     string
	severity Severity
}

// report collects findings.
type report struct {
	findings []Finding
	seen     map[Finding]bool
	counts   map[kind]int
}

func newReport() *report {
	return &report{seen: map[Finding]bool{}, counts: map[kind]int{}}
}

// errorf adds a finding of severity error.
func (r *report) errorf(rule, format string, args ...any) {
	r.add(kind{rule, SeverityError}, format, args)
}

// warnf adds a finding of severity warning.
func (r *report) warnf(rule, format string, args ...any) {
	r.add(kind{rule, SeverityWarning}, format, args)
}

func (r *report) add(k kind, format string, args []any) {
	if r.counts[k] > maxPerRule {
		return
	}
	text := "there are more of these, which are not listed"
	if r.counts[k] < maxPerRule {
		text = fmt.Sprintf(format, args...)
	}
	f := Finding{Rule: k.rule, Severity: k.severity, Text: text}
	if r.seen[f] {
		return
	}
	r.seen[f] = true
	r.counts[k]++
	r.findings = append(r.findings, f)
}

// sorted returns the findings in the order of the requirement list, errors
// before warnings, so that equal input gives an equal answer.
func (r *report) sorted() []Finding {
	slices.SortFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(ruleOrder(a.Rule), ruleOrder(b.Rule)),
			strings.Compare(string(a.Severity), string(b.Severity)),
			strings.Compare(a.Text, b.Text),
		)
	})
	return r.findings
}

// ruleOrder puts the groups in the order of the list, and M2 before M10.
func ruleOrder(rule string) int {
	n, err := strconv.Atoi(rule[1:])
	if err != nil {
		return -1
	}
	return strings.IndexByte("MHICU", rule[0])*1000 + n
}

// show quotes a piece of input for a finding. It escapes what a terminal would
// act upon, because a finding is printed.
func show[T string | []byte](s T) string {
	if len(s) <= maxShown {
		return strconv.Quote(string(s))
	}
	return strconv.Quote(string(s[:maxShown])) + "…"
}

// nameOf is a name from the input for a finding: as it is if it looks like one,
// else like any other piece of input.
func nameOf(name string) string {
	strange := func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if len(name) > maxShown || strings.ContainsFunc(name, strange) {
		return show(name)
	}
	return name
}
