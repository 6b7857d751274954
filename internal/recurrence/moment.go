package recurrence

import (
	"strings"
	"time"
)

// maxMomentLength is longer than any date or time that is understood.
const maxMomentLength = 40

// precision is how much a date or time says.
type precision int

const (
	dayOnly   precision = iota // a day in some zone
	localTime                  // what a clock shows in some zone
	instant                    // has an offset or Z
)

// moment is a date or time as it was written. Days and local times are carried
// in UTC.
type moment struct {
	at   time.Time
	says precision
}

// momentForms are RFC 3339, what browsers send, and RFC 5545, sections 3.3.4
// and 3.3.5.
func momentForms() []struct {
	layout string
	says   precision
} {
	return []struct {
		layout string
		says   precision
	}{
		{"2006-01-02T15:04:05Z07:00", instant},
		{"2006-01-02T15:04Z07:00", instant},
		{"2006-01-02T15:04:05", localTime},
		{"2006-01-02T15:04", localTime},
		{"2006-01-02", dayOnly},
		{basicUTC, instant},
		{basicLocal, localTime},
		{"20060102", dayOnly},
	}
}

// parseMoment reads a date or time in upper or lower case.
func parseMoment(s string) (moment, bool) {
	s = strings.TrimSpace(s)
	if len(s) > maxMomentLength {
		return moment{}, false
	}
	s = strings.ToUpper(s)
	for _, form := range momentForms() {
		if t, err := time.Parse(form.layout, s); err == nil {
			return moment{at: t.UTC(), says: form.says}, true
		}
	}
	return moment{}, false
}

// end returns the last instant that the moment covers, to the second.
func (m moment) end(zone *time.Location) time.Time {
	switch m.says {
	case dayOnly:
		return endOfDay(m.at, zone)
	case localTime:
		t, _ := resolve(m.at, zone)
		return t
	default:
		return m.at
	}
}

// names tells whether the moment means the occurrence.
func (m moment) names(o occurrence) bool {
	switch m.says {
	case dayOnly:
		return m.at.Equal(o.wall.Truncate(24 * time.Hour))
	case localTime:
		return m.at.Equal(o.wall)
	default:
		return m.at.Equal(o.at)
	}
}
