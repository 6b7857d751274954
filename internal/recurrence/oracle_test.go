package recurrence

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// TestAgainstRRuleGo compares random rules with another implementation, in
// UTC, where both must agree. Three of its habits are kept out: it combines
// MO,1FR in one BYDAY by "and"; BYSETPOS counts in its first week from the
// start; and it panics on numbers of BYDAY that are too large for a month.
func TestAgainstRRuleGo(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for n := range 20000 {
		rule := randomRule(random)
		start := time.Date(2024+random.IntN(6), 1, 1+random.IntN(366), 10, 30, 0, 0, time.UTC)
		r, err := Parse(rule, nil, start, time.UTC, 0)
		if err != nil {
			// Only some: of a rule that never matches, rrule-go looks at
			// every day until the year 9999.
			if n%100 == 0 {
				checkRefusal(t, rule, start, err, otherOccurrences(t, rule, start))
			}
			continue
		}
		compared++
		want := otherOccurrences(t, rule, start)
		if got := r.Occurrences(); !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Fatalf("%s from %v:\n got %v\nwant %v", rule, start, got, want)
		}
	}
	if compared < 2000 {
		t.Errorf("only %d rules were compared", compared)
	}
}

// otherOccurrences expands a rule with rrule-go, up to the bounds of Parse.
func otherOccurrences(t *testing.T, rule string, start time.Time) []time.Time {
	t.Helper()
	options, err := rrule.StrToROption(rule)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	options.Dtstart = start
	if options.Until.IsZero() {
		options.Until = start.AddDate(MaxYears, 0, 0)
	}
	other, err := rrule.NewRRule(*options)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	return other.All()
}

// checkRefusal makes sure that a rule was refused for a reason.
func checkRefusal(t *testing.T, rule string, start time.Time, err error, want []time.Time) {
	t.Helper()
	startsElsewhere := len(want) == 0 || !want[0].Equal(start)
	tooMany := len(want) > MaxCount
	var count int
	if _, text, ok := strings.Cut(rule, "COUNT="); ok {
		_, scanErr := fmt.Sscanf(text, "%d", &count)
		if scanErr != nil {
			t.Fatal(scanErr)
		}
	}
	if !startsElsewhere && !tooMany && len(want) >= count {
		t.Fatalf("%s from %v: %v", rule, start, err)
	}
}

// randomRule returns a rule that Parse accepts for some starts.
func randomRule(random *rand.Rand) string {
	freq := []string{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}[random.IntN(4)]
	parts := []string{"FREQ=" + freq}
	if random.IntN(2) == 0 {
		parts = append(parts, fmt.Sprint("COUNT=", 1+random.IntN(30)))
	} else {
		parts = append(parts, fmt.Sprintf("UNTIL=%d0615T103000Z", 2030+random.IntN(3)))
	}
	if random.IntN(2) == 0 {
		parts = append(parts, fmt.Sprint("INTERVAL=", 1+random.IntN(4)))
	}
	if random.IntN(3) == 0 {
		parts = append(parts, "BYMONTH="+numbers(random, func() string { return fmt.Sprint(1 + random.IntN(12)) }))
	}
	if random.IntN(3) == 0 && freq != "WEEKLY" {
		parts = append(parts, "BYMONTHDAY="+numbers(random, func() string {
			return fmt.Sprint((1 + random.IntN(31)) * (1 - 2*random.IntN(2)))
		}))
	}
	if random.IntN(2) == 0 {
		parts = append(parts, "BYDAY="+randomDays(random, freq))
	}
	if random.IntN(3) == 0 && freq != "WEEKLY" && strings.Contains(strings.Join(parts, ""), "BY") {
		parts = append(parts, "BYSETPOS="+[]string{"1", "-1", "2", "1,-1"}[random.IntN(4)])
	}
	if random.IntN(3) == 0 {
		parts = append(parts, "WKST="+weekdayNames()[random.IntN(7)])
	}
	return strings.Join(parts, ";")
}

// randomDays returns a BYDAY all of whose entries have a number, or none.
func randomDays(random *rand.Rand, freq string) string {
	numbered := random.IntN(2) == 0 && (freq == "MONTHLY" || freq == "YEARLY")
	return numbers(random, func() string {
		name := weekdayNames()[random.IntN(7)]
		if !numbered {
			return name
		}
		return fmt.Sprint((1+random.IntN(5))*(1-2*random.IntN(2)), name)
	})
}

// numbers returns a list of one to four items.
func numbers(random *rand.Rand, item func() string) string {
	var list []string
	for range 1 + random.IntN(4) {
		list = append(list, item())
	}
	return strings.Join(list, ",")
}
