package integration_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// calcom is a webhook of Cal.com's, with what matters of its payload. A
// booking has another uid after it was moved, and the same iCalUID.
func calcom(trigger, uid string, start time.Time) string {
	const place = "Main Street 5, 10115 Berlin"
	attendees := []map[string]any{
		{"name": "Ada", "email": "ada@example.net", "timeZone": "America/New_York", "language": map[string]string{"locale": "en"}},
		{"name": "Bob", "email": "bob@example.net", "timeZone": "Europe/Berlin", "language": map[string]string{"locale": "de"}},
	}
	body, _ := json.Marshal(map[string]any{
		"triggerEvent": trigger,
		"createdAt":    "2026-01-01T10:00:00.000Z",
		"payload": map[string]any{
			"type": "consultation", "title": "Consultation between Dr. Hopper and Ada", "uid": uid, "iCalUID": "first@Cal.com",
			"startTime": start.Format("2006-01-02T15:04:05Z"), "endTime": start.Add(30 * time.Minute).Format("2006-01-02T15:04:05Z"),
			"location": place, "organizer": map[string]string{"name": "Dr. Hopper", "email": deliveryHost},
			"attendees": attendees, "metadata": map[string]string{}, "status": "ACCEPTED",
		},
	})
	return string(body)
}

// TestWebhookExample sends what Cal.com sends in the life of a booking.
func TestWebhookExample(t *testing.T) {
	caddy, home := startExample(t, webhookExample)
	e := &example{t: t, caddy: caddy, home: home, client: browser(t), known: map[string]bool{}}
	sign := hmacSigner("X-Cal-Signature-256", "")
	moved := booked().AddDate(0, 0, 7)
	for _, tt := range []struct {
		body, status, want string
		start              time.Time
	}{
		{calcom("BOOKING_REQUESTED", "first", booked()), "skipped", "", booked()},
		{calcom("BOOKING_CREATED", "first", booked()), "queued", "REQUEST 0", booked()},
		{calcom("BOOKING_CREATED", "first", booked()), "queued", "", booked()}, // sent again
		{calcom("BOOKING_RESCHEDULED", "second", moved), "updated", "REQUEST 1", moved},
		{calcom("BOOKING_CANCELLED", "second", moved), "cancelled", "CANCEL 2", moved},
		{calcom("MEETING_ENDED", "second", moved), "skipped", "", moved},
	} {
		header := sign(exampleSecret, tt.body, time.Now())
		mails := 0
		if tt.want != "" {
			mails = 3
		}
		letters := e.webhook(tt.body, header, tt.status, mails)
		if tt.want != "" {
			checkLetters(t, letters, tt.want, "Main Street 5, 10115 Berlin", tt.start)
			if bob := letters["bob@example.net"]; bob == nil || bob.String() != tt.want {
				t.Errorf("the guest got %v, want %s", bob, tt.want)
			}
		}
	}
	unsigned := caddytest.Request(t, http.MethodPost, home.JoinPath("/webhooks/cal").String(), "application/json", calcom("BOOKING_CREATED", "x", booked()))
	if answer := caddytest.Do(t, e.client, unsigned); answer.Status != http.StatusUnauthorized && answer.Status != http.StatusForbidden {
		t.Errorf("an unsigned webhook is answered %d", answer.Status)
	}
	checkNoErrors(t, caddy)
}

// webhook posts a signed webhook to the example, and returns the new mails.
func (e *example) webhook(body string, header http.Header, status string, mails int) map[string]*letter {
	e.t.Helper()
	r := caddytest.Request(e.t, http.MethodPost, e.home.JoinPath("/webhooks/cal").String(), "application/json", body)
	maps.Copy(r.Header, header)
	answer := caddytest.Do(e.t, e.client, r)
	var got reply
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil || got.Status != status || answer.Status != http.StatusAccepted {
		e.t.Errorf("the answer is %d %s (%v), want %q", answer.Status, answer.Body, err, status)
	}
	return e.newLetters(mails)
}
