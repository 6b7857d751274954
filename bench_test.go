package caddyicalmail

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// BenchmarkRender renders the two mails of a booking.
func BenchmarkRender(b *testing.B) {
	h := &Handler{mails: builtinMails(b)}
	e := sampleEvent(b)
	e.Guests = nil
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.render(e, nil, new(order)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBooking takes bookings from 128 clients at once, from the request's
// body to the flushed commit.
func BenchmarkBooking(b *testing.B) {
	h := newHandler(b, minimalDirective)
	capture(b, h)
	if err := h.app.Stop(); err != nil { // what is measured is the answer, not the sending
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(64) // times GOMAXPROCS
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			body := bookingOf(fmt.Sprintf("client%d@example.net", n.Add(1)), "2027-03-05T10:30")
			if w, _ := book(b, h, "", body); w.Code != http.StatusAccepted {
				b.Fatalf("%d: %s", w.Code, w.Body)
			}
		}
	})
}
