package booking

import (
	"crypto/sha256"
	"encoding/json"
	"time"
)

// Fingerprint is a hash of all of the booking's content. Two bookings with the
// same fingerprint ask for the same thing.
func (b *Booking) Fingerprint() [sha256.Size]byte {
	content := struct {
		*Booking
		Start, End time.Time
		Zone       string
		Warnings   any
	}{Booking: b, Start: b.Start.UTC(), End: b.End.UTC(), Zone: b.Zone.String()}
	// The types of a booking marshal to text and cannot fail.
	encoded, _ := json.Marshal(content)
	return sha256.Sum256(encoded)
}
