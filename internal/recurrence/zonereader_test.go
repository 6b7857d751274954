package recurrence

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// subComponent is a STANDARD or DAYLIGHT as a calendar program understands it.
type subComponent struct {
	from, to int
	onsets   []time.Time // instants
}

// readZone understands a VTIMEZONE with nothing of this package.
func readZone(t *testing.T, lines []string, until time.Time) []subComponent {
	t.Helper()
	var list []subComponent
	props := map[string]string{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		switch {
		case name == "BEGIN":
			props = map[string]string{}
		case name == "END" && value != "VTIMEZONE":
			list = append(list, readSubComponent(t, props, until))
		default:
			props[name] = value
		}
	}
	return list
}

func readSubComponent(t *testing.T, props map[string]string, until time.Time) subComponent {
	t.Helper()
	c := subComponent{from: seconds(t, props["TZOFFSETFROM"]), to: seconds(t, props["TZOFFSETTO"])}
	first, err := time.Parse("20060102T150405", props["DTSTART"])
	if err != nil {
		t.Fatal(err)
	}
	onsets := []time.Time{first}
	if rule := props["RRULE"]; rule != "" {
		options, err := rrule.StrToROption(rule)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		options.Dtstart = first
		if options.Until.IsZero() {
			options.Until = until.AddDate(yearsAhead+2, 0, 0)
		} else {
			options.Until = options.Until.Add(time.Duration(c.from) * time.Second)
		}
		expanded, err := rrule.NewRRule(*options)
		if err != nil {
			t.Fatalf("%s: %v", rule, err)
		}
		if onsets = expanded.All(); len(onsets) == 0 || !onsets[0].Equal(first) {
			t.Fatalf("%s does not begin with its DTSTART %v but with %v", rule, first, onsets)
		}
	}
	for _, o := range onsets {
		c.onsets = append(c.onsets, o.Add(-time.Duration(c.from)*time.Second))
	}
	return c
}

// seconds reads a UTC offset.
func seconds(t *testing.T, text string) int {
	t.Helper()
	layout := "-0700"
	if len(text) > 5 {
		layout = "-070000"
	}
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Fatal(err)
	}
	_, offset := at.Zone()
	return offset
}

// offsetIn returns the offset that the sub-component with the latest onset
// gives, and whether there is one.
func offsetIn(list []subComponent, at time.Time) (offset int, ok bool) {
	var latest time.Time
	for _, c := range list {
		n, found := slices.BinarySearchFunc(c.onsets, at, time.Time.Compare)
		if found {
			n++
		}
		if n > 0 && (!ok || c.onsets[n-1].After(latest)) {
			latest, offset, ok = c.onsets[n-1], c.to, true
		}
	}
	return offset, ok
}
