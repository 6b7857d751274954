package booking

import (
	"crypto/sha256"
	"encoding/json"
	"time"
)

// Fingerprint is a hash of all of the booking's content. Two bookings with the
// same fingerprint ask for the same thing. Who asks for it, and what is to be
// done with it (ID, Action), is not part of that, nor are consents, nor is how
// it was sent.
func (b *Booking) Fingerprint() [sha256.Size]byte {
	// A field of this struct hides the booking's field of the same name, and
	// those that are omitted when empty leave nothing behind.
	content := struct {
		*Booking
		Start, End time.Time
		Zone       string
		Warnings   any
		Length     time.Duration `json:",omitempty"`
		ID         any           `json:",omitempty"`
		Action     any           `json:",omitempty"`
		Given      any           `json:",omitempty"`
		Consents   any           `json:",omitempty"`
		Ignored    any           `json:",omitempty"`
	}{Booking: b, Start: b.Start.UTC(), End: b.End.UTC(), Zone: b.Zone.String()}
	if b.Start.IsZero() || b.End.IsZero() {
		content.Length = b.Length // else it is only another way to say the end
	}
	// The types of a booking marshal to text and cannot fail.
	encoded, _ := json.Marshal(content)
	return sha256.Sum256(encoded)
}
