package caddyicalmail

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// atOnce does things at the same time.
func atOnce(all ...func()) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for _, f := range all {
		wg.Go(func() {
			<-start
			f()
		})
	}
	close(start)
	wg.Wait()
}

// firm are the events in the store that take place, by UID.
func (s *site) firm() map[string]booking.Event {
	s.Helper()
	messages, err := s.out.store.List(s.Context(), store.Filter{})
	if err != nil {
		s.Fatal(err)
	}
	all := map[string]booking.Event{}
	for _, m := range messages {
		e, _, err := s.out.store.Event(s.Context(), m.UID)
		if err != nil {
			s.Fatal(err)
		}
		if e.Status == booking.Confirmed {
			all[e.UID] = e
		}
	}
	return all
}

// checkNoOverlap makes sure that the host is never in two places.
func (s *site) checkNoOverlap() int {
	s.Helper()
	all := slices.SortedFunc(maps.Values(s.firm()), func(a, b booking.Event) int { return a.Start.Compare(b.Start) })
	for i := 1; i < len(all); i++ {
		if all[i].Start.Before(all[i-1].End) {
			s.Errorf("%s overlaps %s: %s and %s", all[i].UID, all[i-1].UID, all[i].Start, all[i-1].Start)
		}
	}
	return len(all)
}

// TestRedTeamSweepRace confirms just when the time for it is over, and
// everything that is over is swept away.
func TestRedTeamSweepRace(t *testing.T) {
	s := startSite(t, ownDirective(confirmOptions+"\nlimit recipient 1000 1h"))
	for i := range 50 {
		s.jump(testNow.Add(time.Duration(i) * 48 * time.Hour))
		body := fmt.Sprintf(`{"name":"Ada","email":"ada@example.net","start":%q}`, s.time.now().Add(25*time.Hour).Format(time.RFC3339))
		if w := s.book(body); w.Code != http.StatusAccepted {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		asked := s.out.take(t, 1)[0]
		link := linkIn(t, asked)
		form := formOf(t, s.get(link).Body.String(), "confirm")
		end := s.time.now().Add(24 * time.Hour)
		s.jump(end.Add(-time.Nanosecond))
		statuses := make([]int, 3)
		atOnce(
			func() { statuses[0] = s.send(link, form).Code },
			func() { statuses[1] = s.send(link, form).Code },
			func() {
				s.time.set(end)
				if _, err := s.out.store.Sweep(t.Context(), end, testNow); err != nil {
					t.Error(err)
				}
			},
			func() { statuses[2] = s.send(link, form).Code },
		)
		done := 0
		for _, status := range statuses {
			if status == http.StatusOK {
				done++
			} else if status != http.StatusConflict && status != http.StatusGone {
				t.Errorf("status %d", status)
			}
		}
		_, _, err := s.out.store.Event(t.Context(), asked.UID)
		if done > 1 || (err == nil) != (done == 1) {
			t.Errorf("%d were told that it is booked: %v", done, err)
		}
		s.out.take(t, 2*done)
	}
}

// TestRedTeamSlotRace lets late confirmations, direct bookings and moves want
// the same slots at once, by two handlers.
func TestRedTeamSlotRace(t *testing.T) {
	s := startSite(t, ownDirective("scope one\nmanage /appointments\nconfirm /confirm {\nmax_held 1000\n}\nexclusive\nlimit recipient 1000 1h"))
	direct := s.join(ownDirective("scope two\nmanage /direct\nexclusive\nlimit recipient 1000 1h"))
	day := func(n int) string {
		return time.Date(2027, time.April, 1+n, 10, 30, 0, 0, time.UTC).Format(time.RFC3339)
	}
	body := func(who string, i, n int) string {
		return fmt.Sprintf(`{"name":"Bob","email":"%s%d@example.net","start":%q}`, who, i, day(n))
	}
	const slots = 10
	var all []func()
	for n := range slots {
		for i := range 2 {
			if w := s.book(body("late", 2*n+i, n)); w.Code != http.StatusAccepted {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			link := linkIn(t, s.out.take(t, 1)[0])
			form := formOf(t, s.get(link).Body.String(), "confirm")
			all = append(all, func() { s.send(link, form) })
			s.jump(s.time.now().Add(15 * time.Minute)) // the hold ends
		}
		if w := direct.book(body("mover", n, n+slots)); w.Code != http.StatusAccepted {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		link := linkIn(t, direct.out.take(t, 2)[0])
		form := formOf(t, direct.get(link).Body.String(), "move")
		form.Set("start", time.Date(2027, time.April, 1+n, 12, 0, 0, 0, time.UTC).Format(fieldTime)) // half an hour before the slot ends
		all = append(all, func() { direct.send(link, form) }, func() { direct.book(body("direct", n, n)) }, func() { s.book(body("waiting", n, n)) })
	}
	atOnce(all...)
	if n := s.checkNoOverlap(); n < slots {
		t.Errorf("%d events are left", n)
	}
}

// TestRedTeamChangeRace moves, cancels and updates one booking at once, by both
// links and by the back end.
func TestRedTeamChangeRace(t *testing.T) {
	s, b := startUpstream(t)
	b.mu.Lock()
	b.t = t
	b.mu.Unlock()
	for i := range 10 {
		uid, links := s.parties(i)
		var all []func()
		codes := make([]int, 8)
		for j := range codes {
			role := []booking.Role{booking.RoleClient, booking.RoleHost}[j%2]
			action := []string{"move", "cancel"}[j/2%2]
			form := formOf(t, s.get(links[role]).Body.String(), action)
			form.Set("start", fmt.Sprintf("2027-05-0%dT10:30", j+1))
			all = append(all, func() { codes[j] = s.send(links[role], form).Code })
		}
		atOnce(all...)
		e, messages, err := s.out.store.Event(t.Context(), uid)
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		for _, code := range codes {
			switch code {
			case http.StatusOK:
				done++
			case http.StatusConflict, http.StatusBadGateway:
			default:
				t.Errorf("status %d", code)
			}
		}
		// An agreed cancellation may find it cancelled already.
		if done == 0 || e.Sequence > done || len(messages) != 2+2*e.Sequence {
			t.Errorf("%d were done, SEQUENCE %d, %d messages", done, e.Sequence, len(messages))
		}
		s.out.take(t, len(messages)-2-superseded(messages))
	}
}

func superseded(messages []store.Message) (n int) {
	for _, m := range messages {
		if m.State == store.Superseded {
			n++
		}
	}
	return n
}

// TestRedTeamRebookBomb books, moves and cancels by the own link with a victim
// as the guest, until nothing goes any more.
func TestRedTeamRebookBomb(t *testing.T) {
	for name, options := range map[string]string{"direct": "", "confirm": "confirm /confirm"} {
		t.Run(name, func(t *testing.T) {
			s := startSite(t, ownDirective("manage /appointments\nlimit recipient 10 24h\nfields {\nguests friends\n}\n"+options))
			for i := range 40 {
				fields := harmless(i)
				fields["email"], fields["friends"] = fmt.Sprintf("accomplice%d@example.net", i), fmt.Sprintf("vic.tim+%d@gmail.com", i)
				w := s.book(encodeJSON(fields))
				if w.Code == http.StatusTooManyRequests {
					continue
				}
				if options != "" {
					w = s.press(linkIn(t, s.out.take(t, 1)[0]), "confirm", nil)
				}
				if w.Code >= 300 {
					continue
				}
				link := linkIn(t, s.out.take(t, 3)[0])
				for j := range 3 {
					if s.press(link, "move", url.Values{"start": {fmt.Sprintf("2027-05-%02dT10:%02d", i%28+1, j)}}).Code == 200 {
						s.out.take(t, 3)
					}
				}
				s.want(s.press(link, "cancel", nil), 200)
				s.out.take(t, 3)
			}
			messages, err := s.out.store.List(t.Context(), store.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			by := map[string]int{}
			for _, m := range messages {
				if strings.Contains(strings.ReplaceAll(m.To.String(), ".", ""), "victim") {
					by[m.Method]++
				}
			}
			if by["REQUEST"]+by["CANCEL"] > 10 || by["CANCEL"] == 0 || len(by) != 2 {
				t.Errorf("the victim gets %v", by)
			}
		})
	}
}

// TestRedTeamPendingBomb asks for confirmations by somebody else's address.
func TestRedTeamPendingBomb(t *testing.T) {
	s := startSite(t, ownDirective("confirm /confirm\nfields {\nguests guests\n}"))
	for i := range 100 {
		if w := s.book(encodeJSON(bomb(i))); w.Code != http.StatusAccepted && w.Code != http.StatusTooManyRequests {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	messages, err := s.out.store.List(t.Context(), store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for _, m := range messages {
		if m.To.Person() == "victim@gmail.com" {
			got++
		}
		if m.Role != booking.RoleClient {
			t.Errorf("the %s hears of it", m.Role)
		}
	}
	if got != 10 {
		t.Errorf("the victim gets %d mails", got)
	}
}

// TestRedTeamHeld counts the kept slots of several hosts, as they are kept,
// confirmed and given up.
func TestRedTeamHeld(t *testing.T) {
	s := startSite(t, ownDirective("confirm /confirm {\nmax_held 3\n}\nmanage /appointments\nexclusive\nlimit recipient 1000 1h"))
	n := 0
	book := func(kept bool) string {
		t.Helper()
		n++
		typed := url.Values{}
		for name, value := range harmless(2 * n) {
			typed.Set(name, value)
		}
		w, err := serve(t, s.h, post(formType, typed.Encode()))
		if err != nil || w.Code != http.StatusAccepted || strings.Contains(w.Body.String(), "kept for you") != kept {
			t.Errorf("booking %d, kept %v: %v %d %s", n, kept, err, w.Code, w.Body)
		}
		return linkIn(t, s.out.take(t, 1)[0])
	}
	first := book(true)
	s.jump(testNow.Add(time.Minute))
	book(true)
	book(true)
	book(false)
	s.want(s.press(first, "confirm", nil), 200)
	managed := linkIn(t, s.out.take(t, 2)[0])
	book(true)
	book(false)
	s.want(s.press(managed, "cancel", nil), 200) // which held nothing any more
	s.out.take(t, 2)
	book(false)
	s.jump(testNow.Add(16 * time.Minute)) // all holds are over
	for range 3 {
		book(true)
	}
	book(false)
	if _, err := s.out.store.Sweep(t.Context(), s.time.now().Add(25*time.Hour), testNow); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		book(true)
	}
	book(false)
}
