package webhook

import (
	"fmt"
	"strconv"
	"time"
)

// maxTimestamp is the most digits that a timestamp in seconds has for the next
// thirty thousand years. Milliseconds have one more, and are refused as such
// instead of being taken for a sender's clock that is far ahead.
const maxTimestamp = 12

// parseTimestamp reads the Unix time in whole seconds that came in the header
// called name. Only digits count: the text is part of what is signed, so there
// is exactly one way to read it.
func parseTimestamp(name, value string) (time.Time, error) {
	seconds, err := strconv.ParseUint(value, 10, 63) // takes no sign
	if err != nil || len(value) > maxTimestamp {
		return time.Time{}, refuse(name, "has no Unix time in seconds")
	}
	return time.Unix(int64(seconds), 0), nil
}

// checkAge returns ErrTimestamp if signed is further than Tolerance from now.
// It is asked after the signature has been checked, so that its answer is about
// clocks and replays, and never about something anybody could have sent.
func checkAge(name string, signed, now time.Time) error {
	age := now.Sub(signed)
	switch {
	case age > Tolerance:
		return fmt.Errorf("%w: header %s is more than %s old", ErrTimestamp, name, Tolerance)
	case age < -Tolerance:
		return fmt.Errorf("%w: header %s is more than %s ahead", ErrTimestamp, name, Tolerance)
	}
	return nil
}
