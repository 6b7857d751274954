package integration_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

// chaosBooking is what one client wants, and what became of it.
type chaosBooking struct {
	who     string
	key     string // Idempotency-Key, or empty
	request map[string]string

	invalid bool // to be refused
	forgets bool // does not come back if there is no answer

	status int    // 0: the client does not know
	uid    string // if it was accepted
	asked  int
}

// chaosCrowd is clients who book until they are told to stop.
type chaosCrowd struct {
	stop    chan struct{}
	running sync.WaitGroup

	mu       sync.Mutex
	bookings []*chaosBooking
	wrong    []string // answers that must not be
}

func (c *chaosCrowd) begin(caddy *caddytest.Caddy, seed uint64) {
	c.stop = make(chan struct{})
	for i := range chaosClients {
		client := caddy.Client() // of whatever process has the socket
		client.Timeout = 20 * time.Second
		rng := rand.New(rand.NewPCG(seed, uint64(100+i)))
		c.running.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-c.stop:
					return
				case <-time.After(time.Duration(100+rng.IntN(200)) * time.Millisecond):
				}
				b := newChaosBooking(rng, fmt.Sprintf("%d.%d", i, n))
				c.book(client, rng, b)
				c.mu.Lock()
				c.bookings = append(c.bookings, b)
				c.mu.Unlock()
			}
		})
	}
}

// end lets every client finish, which needs a Caddy that works.
func (c *chaosCrowd) end() {
	close(c.stop)
	c.running.Wait()
}

func newChaosBooking(rng *rand.Rand, name string) *chaosBooking {
	b := &chaosBooking{who: "client" + name}
	switch rng.IntN(20) {
	case 0, 1:
		b.who, b.invalid = "invalid"+name, true
	case 2:
		b.who = bouncing + name
	}
	b.request = bookingOf(b.who)
	if b.invalid {
		b.request["start"] = []string{"", "tomorrow", "2001-01-01T10:00:00Z"}[rng.IntN(3)]
	}
	if rng.IntN(2) == 0 {
		b.key = "key-" + b.who
	} else {
		b.forgets = !b.invalid && b.who[0] == 'c' && rng.IntN(4) == 0
	}
	return b
}

// book asks until there is an answer, and now and then once more, as clients
// do who are not sure.
func (c *chaosCrowd) book(client *http.Client, rng *rand.Rand, b *chaosBooking) {
	again := rng.IntN(10) == 0
	for {
		answer, err := tryJSON(client, b.key, b.request)
		b.asked++
		if err == nil && answer.Status != http.StatusServiceUnavailable {
			c.note(b, answer)
			if !again {
				return
			}
			again = false
		} else if b.forgets {
			return
		}
		<-time.After(time.Duration(20+rng.IntN(100)) * time.Millisecond)
	}
}

// note compares an answer with what the client expects.
func (c *chaosCrowd) note(b *chaosBooking, answer caddytest.Answer) {
	want := http.StatusAccepted
	if b.invalid {
		want = http.StatusUnprocessableEntity
	}
	var reply struct{ UID string }
	problem := ""
	switch err := json.Unmarshal([]byte(answer.Body), &reply); {
	case answer.Status != want:
		problem = "unexpected status"
	case err != nil || (reply.UID == "") != b.invalid:
		problem = "unexpected body"
	case b.uid != "" && b.uid != reply.UID:
		problem = "another event than " + b.uid
	}
	b.status, b.uid = answer.Status, reply.UID
	if problem == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = append(c.wrong, fmt.Sprintf("%s: %s: %d %s", b.who, problem, answer.Status, answer.Body))
}
