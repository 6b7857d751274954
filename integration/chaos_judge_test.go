package integration_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// verdict is what a run has come to.
type verdict struct {
	c          *chaos
	arrivals   map[mailKey][]arrival
	uids       map[string]string // the client's address by UID
	refused    int
	duplicated int
	silent     int // messages that the server took without a word
}

// missing are the messages of accepted bookings that have not arrived.
func (c *chaos) missing() (missing []mailKey) {
	arrived := map[string]int{} // by recipient
	for _, m := range c.server.Messages() {
		arrived[m.To]++
	}
	c.server.mu.Lock()
	maps.Copy(arrived, c.server.bounced)
	c.server.mu.Unlock()
	for _, b := range c.clients.bookings {
		if b.status == http.StatusAccepted && arrived[addressOf(b.who)] == 0 {
			missing = append(missing, mailKey{b.uid, addressOf(b.who)})
		}
	}
	return missing
}

// judge compares what was promised with what arrived.
func (c *chaos) judge() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	v := &verdict{c: c, arrivals: map[mailKey][]arrival{}, uids: map[string]string{}}
	count := map[int]int{} // by connection
	for _, m := range c.server.Messages() {
		a := readArrival(c.t, m)
		a.acknowledgment = c.server.taken[m.Connection][count[m.Connection]]
		count[m.Connection]++
		v.arrivals[a.mailKey] = append(v.arrivals[a.mailKey], a)
	}
	lost := v.checkBookings()
	v.checkArrivals()
	v.checkBounces()
	v.checkStore()
	for _, problem := range c.clients.wrong {
		c.t.Error(problem)
	}
	for _, process := range c.all {
		if strings.Contains(process.Output(), "panic") {
			c.t.Error("there was a panic")
		}
	}
	c.t.Logf("chaos: seed=%d bookings=%d refused=%d kills=%d reloads=%d restarts=%d cuts=%d faults=%d lost=%d duplicated=%d (taken without a word: %d)",
		c.seed, len(c.clients.bookings), v.refused, c.kills, c.reloads, c.restarts, c.cuts, c.server.faults, lost, v.duplicated, v.silent)
}

// checkBookings looks for the messages of what was accepted. Of a booking
// without an answer, either all or nothing must be there.
func (v *verdict) checkBookings() (lost int) {
	t := v.c.t
	byClient := map[string][]string{}
	for key := range v.arrivals {
		if key.to != deliveryHost {
			byClient[key.to] = append(byClient[key.to], key.uid)
		}
	}
	for _, b := range v.c.clients.bookings {
		address, uid := addressOf(b.who), b.uid
		got := byClient[address]
		if len(got) > 1 || uid != "" && len(got) == 1 && got[0] != uid {
			t.Errorf("%s (%d requests, key %q) has the events %v and was told %q", b.who, b.asked, b.key, got, uid)
		}
		if b.invalid {
			v.refused++
			if len(got) > 0 {
				t.Errorf("%s was refused and has mail", b.who)
			}
			continue
		}
		if uid == "" && len(got) == 1 {
			uid = got[0]
		}
		if uid != "" {
			v.uids[uid] = address
			lost += v.checkEvent(uid, address)
		}
	}
	return lost
}

// checkEvent counts the messages of an event that are lost.
func (v *verdict) checkEvent(uid, client string) (lost int) {
	recipients := []string{client, deliveryHost}
	if strings.HasPrefix(client, bouncing) {
		recipients = recipients[1:]
	}
	for _, to := range recipients {
		if len(v.arrivals[mailKey{uid, to}]) == 0 {
			v.c.t.Errorf("lost: %s to %s", uid, to)
			lost++
		}
	}
	return lost
}

// checkArrivals looks for messages that nobody booked, and for duplicates.
func (v *verdict) checkArrivals() {
	t := v.c.t
	for key, copies := range v.arrivals {
		if client, ok := v.uids[key.uid]; !ok || key.to != client && key.to != deliveryHost {
			t.Errorf("%v was not booked", key)
		}
		for _, a := range copies {
			if a.id == "" || a.id != copies[0].id || a.sequence != "0" {
				t.Errorf("%v has arrived as %s with SEQUENCE %s, and as %s", key, a.id, a.sequence, copies[0].id)
			}
		}
		v.duplicated += len(copies) - 1
		v.checkCopies(copies)
	}
	if most := v.silent + v.c.interrupted(); v.duplicated > most {
		t.Errorf("%d messages arrived twice, of which at most %d are explained", v.duplicated, most)
	}
}

// checkCopies asks why a message was sent again: of all its copies, Caddy can
// have written down one. The acknowledgment of each other one did not come, or
// there was no time to write it down. The copies may arrive in any order.
func (v *verdict) checkCopies(copies []arrival) {
	good := 0
	for _, a := range copies {
		explained := a.acknowledgment.silent
		if explained {
			v.silent++
		}
		for _, trouble := range v.c.troubles {
			explained = explained || trouble.explains(a.acknowledgment)
		}
		if !explained {
			good++
		}
	}
	if good > 1 {
		v.c.t.Errorf("%v has arrived %d times, although nothing had happened when it was taken", copies[0].mailKey, good)
	}
}

// interrupted is how many deliveries can have been cut off at most.
func (c *chaos) interrupted() int { return chaosConnections * (c.kills + c.cuts) }

// checkBounces: what the server refused for good is not sent again, and the
// log says that it failed. A process that died may have known of it alone.
func (v *verdict) checkBounces() {
	t := v.c.t
	logged := map[string]bool{}
	for _, process := range v.c.all {
		for _, e := range entries(process, "message failed") {
			uid, _ := e["uid"].(string)
			logged[uid] = true
			if !strings.HasPrefix(v.uids[uid], bouncing) {
				t.Errorf("a message failed that was not refused for good: %v", e)
			}
		}
	}
	again, unlogged := 0, 0
	for uid, client := range v.uids {
		if !strings.HasPrefix(client, bouncing) {
			continue
		}
		again += max(v.c.server.bounced[client]-1, 0)
		if v.c.server.bounced[client] == 0 {
			t.Errorf("the message to %s was not tried", client)
		}
		if !logged[uid] {
			unlogged++
		}
	}
	if most := v.c.interrupted(); again > most || unlogged > most {
		t.Errorf("%d refused messages were tried again and %d are not in the log, at most %d are explained", again, unlogged, most)
	}
}

// checkStore compares what the store says in the end.
func (v *verdict) checkStore() {
	stats := storeStats(v.c.t, defaultStore(v.c.home))
	bounces := 0
	for client := range maps.Values(v.uids) {
		if strings.HasPrefix(client, bouncing) {
			bounces++
		}
	}
	failed, waiting := 0, 0
	for _, m := range stats.Mailers {
		failed, waiting = failed+m.Failed, waiting+m.Queued+m.Deferred
	}
	if stats.Events != len(v.uids) || failed != bounces || waiting != 0 {
		v.c.t.Errorf("the store has %d events with %d failed and %d waiting messages, want %d, %d and 0; mailers %v",
			stats.Events, failed, waiting, len(v.uids), bounces, slices.Collect(maps.Keys(stats.Mailers)))
	}
}
