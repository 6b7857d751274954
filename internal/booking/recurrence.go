package booking

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a recurrence: of its rule in characters, and of its exceptions,
// of which a daily event has no more than these in a year.
const (
	maxRRule   = 400
	maxExdates = 366
)

const problemExdates = "must be a list of dates, or text with commas between them"

// rrule reads the recurrence rule, which is validated elsewhere.
func (d *decoder) rrule() string {
	in := d.read(PropRRule)
	rule := string(CleanLine(in.text))
	if problem := longer(rule, maxRRule); problem != "" {
		d.failInput(in, problem)
	}
	return rule
}

// exdates reads the exceptions of the recurrence: a list, or text with commas
// between the dates. They are validated elsewhere.
func (d *decoder) exdates() []string {
	v, field := d.value(PropExdate)
	var dates []string
	for _, item := range asList(v) {
		text, _, problem := scalar(item)
		if problem != "" {
			d.fail(PropExdate, field, problemExdates)
			return nil
		}
		for part := range strings.SplitSeq(text, ",") {
			date := string(CleanLine(part))
			switch {
			case date == "":
				continue
			case utf8.RuneCountInString(date) > maxTimeLength:
				d.fail(PropExdate, field, fmt.Sprintf("has a date that is longer than %d characters", maxTimeLength))
				return nil
			case len(dates) == maxExdates:
				d.fail(PropExdate, field, fmt.Sprintf("has more than %d dates", maxExdates))
				return nil
			}
			dates = append(dates, date)
		}
	}
	return dates
}
