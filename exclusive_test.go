package caddyicalmail

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestExclusiveTable books around one that is there.
func TestExclusiveTable(t *testing.T) {
	for _, tt := range []struct {
		name, start, end string
		status           int
	}{
		{"the same", "10:30", "11:30", 409},
		{"one minute before its end", "11:29", "12:00", 409},
		{"one minute into its start", "10:00", "10:31", 409},
		{"within", "10:45", "11:00", 409},
		{"around", "10:00", "12:00", 409},
		{"back to back before", "10:00", "10:30", 202},
		{"back to back after", "11:30", "12:00", 202},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := startSite(t, ownDirective("exclusive"))
			s.book(goodJSON)
			w := s.book(fmt.Sprintf(`{"name":"Bob","email":"bob@example.net","start":"2027-03-05T%s","end":"2027-03-05T%s"}`, tt.start, tt.end))
			if w.Code != tt.status {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// TestExclusiveRace lets a thousand clients want one slot.
func TestExclusiveRace(t *testing.T) {
	s := startSite(t, ownDirective("exclusive"))
	const clients = 1000
	statuses := make(chan int)
	for i := range clients {
		go func() {
			body := fmt.Sprintf(`{"name":"Bob","email":"bob%d@example.net","start":"2027-03-05T10:%02d"}`, i, i%30)
			w, err := serve(t, s.h, post(jsonType, body))
			if err != nil {
				t.Error(err)
			}
			statuses <- w.Code
		}()
	}
	count := map[int]int{}
	for range clients {
		count[<-statuses]++
	}
	if count[http.StatusAccepted] != 1 || count[http.StatusConflict] != clients-1 {
		t.Errorf("statuses %v", count)
	}
	s.mails(2)
	if n := s.listed(); n != 2 {
		t.Errorf("%d messages", n)
	}
}

// TestExclusiveResources has one room for two hosts.
func TestExclusiveResources(t *testing.T) {
	s := startSite(t, `ical_invite {
		organizer booking@example.com
		hosts {
			grace grace@example.org
			linus linus@example.org
		}
		file unused
		timezone Europe/Berlin
		exclusive
		exclusive "room {http.ical_invite.host_key}"
		exclusive lab
	}`)
	body := `{"name":"Ada","email":"ada@example.net","start":"2027-03-05T10:30","host":"grace"}`
	if w := s.book(body); w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := s.book(strings.Replace(body, "grace", "linus", 1)); w.Code != http.StatusConflict {
		t.Errorf("the lab is taken: %d %s", w.Code, w.Body)
	}
	s.h.Exclusive = s.h.Exclusive[:2]
	if w := s.book(strings.Replace(body, "grace", "linus", 1)); w.Code != http.StatusAccepted {
		t.Errorf("another host and room: %d %s", w.Code, w.Body)
	}
}

// TestExclusiveMove moves into a taken and a free slot, and leaves the old.
func TestExclusiveMove(t *testing.T) {
	s := startSite(t, ownDirective("manage /appointments\nexclusive"))
	s.book(goodJSON)
	link := linkIn(t, s.mails(2)[0])
	s.book(`{"name":"Bob","email":"bob@example.net","start":"2027-03-05T14:00"}`)
	other := linkIn(t, s.mails(2)[0])
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T13:30"}}), http.StatusConflict, "is taken already")
	s.want(s.press(link, "move", url.Values{"start": {"2027-03-05T11:00"}}), http.StatusOK, "has been moved")
	s.want(s.press(other, "move", url.Values{"start": {"2027-03-05T10:00"}}), http.StatusOK, "has been moved")
	s.want(s.press(link, "cancel", nil), http.StatusOK)
	s.mails(6)
	if w := s.book(`{"name":"Eve","email":"eve@example.net","start":"2027-03-05T11:00"}`); w.Code != http.StatusAccepted {
		t.Errorf("a cancelled slot: %d %s", w.Code, w.Body)
	}
}

func TestWindow(t *testing.T) {
	s := startSite(t, ownDirective("notice 24h\nhorizon 7d"))
	for start, status := range map[string]int{
		"2027-03-02T09:59": 422, "2027-03-02T10:00": 202, "2027-03-08T23:59": 202, "2027-03-09T00:00": 422,
	} {
		w := s.book(`{"name":"Ada","email":"ada@example.net","start":"` + start + `"}`)
		if w.Code != status {
			t.Errorf("%s: %d %s", start, w.Code, w.Body)
		}
	}
}
