package booking

import (
	"strings"
	"unicode"
)

// Display returns the address for people to read. A label of the domain is
// shown in its own script only if it converts there and back, keeps to one
// script and does not pass for a Latin one; else its A-label is shown
// (UTS #39, section 5). Never use it to send or to compare.
func (a Address) Display() string {
	if a.IsZero() {
		return ""
	}
	labels := strings.Split(a.domain, ".")
	latinTop := !strings.HasPrefix(labels[len(labels)-1], "xn--")
	for i, label := range labels {
		labels[i] = displayLabel(label, latinTop)
	}
	return a.local + "@" + strings.Join(labels, ".")
}

// displayLabel returns the U-label of an A-label if it is safe to show.
func displayLabel(label string, latinTop bool) string {
	if !strings.HasPrefix(label, "xn--") {
		return label
	}
	u, err := domainProfile.ToUnicode(label)
	if err != nil || !singleScript(u) || latinTop && looksLatin(u) {
		return label
	}
	if back, err := domainProfile.ToASCII(u); err != nil || back != label {
		return label
	}
	return u
}

// writingSystems are the scripts that are written together, besides each
// script alone (UTS #39, section 5.1).
var writingSystems = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Han, unicode.Bopomofo},
	{unicode.Han, unicode.Hangul},
}

// singleScript reports whether all letters of s belong to one writing system.
// Digits, hyphens and marks belong to all.
func singleScript(s string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Common, unicode.Inherited) {
			return -1
		}
		return r
	}, s)
	for _, system := range writingSystems {
		if within(letters, system) {
			return true
		}
	}
	for _, r := range letters {
		return within(letters, []*unicode.RangeTable{scriptOf(r)})
	}
	return true
}

// within reports whether all runes of s are in one of the tables.
func within(s string, tables []*unicode.RangeTable) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.In(r, tables...) })
}

// scriptOf returns the script of r, or an empty table for a rune that has none.
func scriptOf(r rune) *unicode.RangeTable {
	for _, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return &unicode.RangeTable{}
}

// latinLookalikes are the Cyrillic, Greek and Armenian letters that are drawn
// like a Latin one.
const latinLookalikes = "асԁеһіјӏорԛѕԝхуъьҽпгѡтмвнк" + "αονρτυωκηγικχ" + "ցհոսօզտքյ"

// looksLatin reports whether every letter of s is drawn like a Latin one, as
// in the Cyrillic spelling of "apple".
func looksLatin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsLetter(r) && !strings.ContainsRune(latinLookalikes, r)
	})
}
