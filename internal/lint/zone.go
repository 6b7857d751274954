package lint

import (
	"regexp"
	"slices"
	"strings"
)

// offset is the form of RFC 5545, section 3.3.14.
var offset = regexp.MustCompile(`^[+-](?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9])?$`)

// zone returns the VTIMEZONE of that name, or nil.
func (i invitation) zone(tzid string) *component {
	for _, z := range i.calendar.named("VTIMEZONE") {
		if z.value("TZID") == tzid {
			return z
		}
	}
	return nil
}

// checkZones judges every VTIMEZONE (C6; RFC 5545, section 3.6.5). Some
// clients compute with it and nothing else, so it must hold for all years.
func checkZones(r *report, inv invitation) {
	used := usedZones(inv)
	for _, z := range inv.calendar.named("VTIMEZONE") {
		tzid := z.value("TZID")
		if tzid == "" {
			r.errorf("C6", "a VTIMEZONE has no TZID")
			continue
		}
		if !used[tzid] {
			r.warnf("C6", "the VTIMEZONE %s is not used", show(tzid))
		}
		checkZone(r, z, tzid)
	}
}

// usedZones returns the zones that the events name.
func usedZones(inv invitation) map[string]bool {
	used := map[string]bool{}
	for _, e := range inv.events {
		for _, p := range e.props {
			if tzid := p.text("TZID"); tzid != "" {
				used[tzid] = true
			}
		}
	}
	return used
}

func checkZone(r *report, z *component, tzid string) {
	standard, daylight := z.named("STANDARD"), z.named("DAYLIGHT")
	if len(standard) == 0 {
		r.errorf("C6", "the VTIMEZONE %s has no STANDARD", show(tzid))
	}
	halves := slices.Concat(standard, daylight)
	// Zones whose changes follow no rule, or whose rule ended, need one
	// sub-component for each; two alone must go on for ever.
	irregular := len(halves) > 2
	for _, half := range halves {
		checkObservance(r, half, tzid)
		rule := half.value("RRULE")
		switch {
		case irregular:
		case len(daylight) > 0 && rule == "":
			r.errorf("C6", "%s of %s has no RRULE, it ends after one year", half.name, show(tzid))
		case strings.Contains(strings.ToUpper(rule), "UNTIL="):
			r.warnf("C6", "%s of %s has an RRULE that ends", half.name, show(tzid))
		}
	}
}

// checkObservance judges one STANDARD or DAYLIGHT.
func checkObservance(r *report, half *component, tzid string) {
	for _, name := range []string{"TZOFFSETFROM", "TZOFFSETTO"} {
		if v := half.value(name); !offset.MatchString(v) {
			r.errorf("C6", "%s of %s has the %s %s", half.name, show(tzid), name, show(v))
		}
	}
	start, _ := half.first("DTSTART")
	if m, err := parseMoment(start); err != nil || m.form != floating {
		r.errorf("C6", "%s of %s has no local DTSTART: %s", half.name, show(tzid), show(start.value))
	}
	if _, ok := half.first("RDATE"); ok {
		r.errorf("C6", "%s of %s has an RDATE, Outlook needs rules", half.name, show(tzid))
	}
}
