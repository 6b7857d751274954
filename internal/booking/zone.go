package booking

import (
	_ "embed"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed zones.txt
var zoneList string

// zoneNames are the names of the IANA time zone database. Only they are ever
// looked up, because time.LoadLocation opens files by the name that it is
// given, and tries several directories for one that does not exist.
var zoneNames = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool)
	for name := range strings.FieldsSeq(zoneList) {
		names[name] = true
	}
	return names
})

// loadedZones caches zones by name, of which there are no more than zoneNames.
var loadedZones sync.Map

var errZone = errors.New("is not an IANA time zone name such as Europe/Berlin")

// LoadZone returns an IANA time zone by its exact name. Names that are not in
// the database, "Local" among them, are an error whose text stands behind a
// field's name, and cost no look at the disk.
func LoadZone(name string) (*time.Location, error) {
	if !zoneNames()[name] {
		return nil, errZone
	}
	if zone, ok := loadedZones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, errors.New("is a time zone that this server has no data for")
	}
	loadedZones.Store(name, zone)
	return zone, nil
}

// wallTime is what a clock on the wall shows.
type wallTime struct {
	year                      int
	month                     time.Month
	day, hour, minute, second int
}

// in returns the wall time as an instant in the given zone, as time.Date does
// it. It is exact only in UTC.
func (w wallTime) in(zone *time.Location) time.Time {
	return time.Date(w.year, w.month, w.day, w.hour, w.minute, w.second, 0, zone)
}

const (
	// maxOffset is more than any zone is or was away from UTC.
	maxOffset = 26 * time.Hour

	// probeStep is shorter than any offset was ever in force.
	probeStep = time.Hour
)

// instants returns every instant at which clocks in the zone show w, the
// earliest first: none when it was skipped, two when it happens twice.
// time.Date cannot tell these cases, so every offset in force around that time
// is tried. Time.ZoneBounds would need fewer probes, but gives an end before
// the start on the last day of a leap year (Go 1.26).
func (w wallTime) instants(zone *time.Location) []time.Time {
	utc := w.in(time.UTC)
	var found []time.Time
	for away := -maxOffset; away <= maxOffset; away += probeStep {
		_, offset := utc.Add(away).In(zone).Zone()
		candidate := utc.Add(-time.Duration(offset) * time.Second)
		_, there := candidate.In(zone).Zone()
		if there == offset && !slices.Contains(found, candidate) {
			found = append(found, candidate)
		}
	}
	slices.SortFunc(found, time.Time.Compare)
	return found
}
