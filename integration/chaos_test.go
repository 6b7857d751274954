package integration_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

var (
	chaosTime = flag.Duration("chaos", 25*time.Second, "how long TestChaos makes trouble")
	chaosSeed = flag.Uint64("chaos-seed", 0, "the seed of TestChaos; 0 takes a new one")
)

const (
	chaosClients     = 8
	chaosConnections = 8

	// chaosDrain is how long everything may take to arrive once the trouble
	// is over.
	chaosDrain = 2 * time.Minute
)

// chaos is one run: clients who book, a mail server that fails in every way it
// can, and Caddy processes that are killed and reloaded.
type chaos struct {
	t       *testing.T
	seed    uint64
	rng     *rand.Rand // the conductor's own
	server  *faultyServer
	door    *gate
	home    *caddytest.Home
	caddy   *caddytest.Caddy
	all     []*caddytest.Caddy // every process that there was
	clients *chaosCrowd

	kills, cuts, restarts, reloads int
	troubles                       []trouble
}

// trouble is when a process or all connections died.
type trouble struct{ begin, end time.Time }

// settleTime is how long Caddy may take to write down that a message was sent.
const settleTime = time.Second

// explains reports whether an acknowledgment may have come to nothing: what
// Caddy has sent to a slow server arrives even if Caddy is dead by then.
func (t trouble) explains(a acknowledgment) bool {
	return t.end.After(a.begun) && t.begin.Before(a.at.Add(settleTime))
}

// TestChaos makes trouble at random, and then looks whether the promise was
// kept: what was accepted is delivered, in spite of all; twice at most where
// an acknowledgment was lost; and nothing else is sent. For a longer run:
//
//	go test ./integration -run Chaos -chaos 10m -timeout 20m -v
func TestChaos(t *testing.T) {
	t.Parallel()
	c := newChaos(t)
	c.clients.begin(c.caddy, c.seed)
	c.makeTrouble(time.Now().Add(*chaosTime))
	c.server.behave()
	c.door.open()
	c.clients.end()
	c.drain()
	c.judge()
}

func newChaos(t *testing.T) *chaos {
	t.Helper()
	if deadline, ok := t.Deadline(); ok && time.Until(deadline) < *chaosTime+chaosDrain {
		t.Fatalf("-chaos %s needs a longer -timeout", *chaosTime)
	}
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64N(1 << 32)
	}
	t.Logf("chaos: the seed is %d", seed)
	c := &chaos{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), home: hurriedHome(t), clients: new(chaosCrowd)}
	c.server = startFaultyServer(t, seed)
	c.door = newGate(t, c.server.Addr)
	c.start()
	return c
}

// config is the site. It differs from the one before, so that a reload is one.
func (c *chaos) config() string {
	return site(fmt.Sprintf(`ical_invite {
		organizer booking@example.com
		host %s
		summary Config-%d
		smtp %s {
			tls off
			username %s
			password {env.TEST_PASSWORD}
			timeout 1s
			connections %d
		}
	}`, deliveryHost, c.reloads, c.door.addr, secretUser, chaosConnections))
}

func (c *chaos) start() {
	c.caddy = c.home.Start(c.t, c.config(), "TEST_PASSWORD="+secret)
	c.all = append(c.all, c.caddy)
}

// makeTrouble does one thing after the other until it is time to stop.
func (c *chaos) makeTrouble(end time.Time) {
	for time.Now().Before(end) {
		c.pause(200, 1200)
		switch c.rng.IntN(10) {
		case 0, 1, 2:
			c.kill()
		case 3:
			c.killReloading()
		case 4, 5, 6:
			c.reload()
		case 7:
			c.server.refuseLogin(c.milliseconds(300, 1500))
		case 8:
			c.cut()
		case 9:
			c.restarts++
			c.caddy.Terminate()
			c.start()
		}
	}
}

func (c *chaos) milliseconds(from, to int) time.Duration {
	return time.Duration(from+c.rng.IntN(to-from)) * time.Millisecond
}

func (c *chaos) pause(from, to int) { <-time.After(c.milliseconds(from, to)) }

func (c *chaos) kill() {
	c.kills++
	begin := time.Now()
	c.caddy.Kill()
	c.troubles = append(c.troubles, trouble{begin, time.Now()})
	c.start()
}

func (c *chaos) reload() {
	c.reloads++
	if r := c.caddy.Reload(c.config()); r.ExitCode != 0 {
		c.t.Errorf("caddy reload ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
}

// killReloading kills Caddy in the middle of a reload.
func (c *chaos) killReloading() {
	c.reloads++
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1/load", strings.NewReader(c.config()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/caddyfile")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if resp, err := c.caddy.AdminClient().Do(r); err == nil {
			_ = resp.Body.Close() // it was too fast to be killed
		}
	}()
	c.pause(1, 40)
	c.kill()
	<-done
}

// cut resets all connections to the mail server, and those that come for a
// while.
func (c *chaos) cut() {
	c.cuts++
	begin := time.Now()
	c.door.close()
	c.troubles = append(c.troubles, trouble{begin, time.Now()})
	c.pause(100, 1000)
	c.door.open()
}

// drain waits until all that was accepted has arrived. It looks into the store
// for more, because some clients never heard that their booking was accepted.
func (c *chaos) drain() {
	if !caddytest.Poll(chaosDrain, func() bool { return len(c.missing()) == 0 }) {
		return // the judge will say what is missing
	}
	for range 20 {
		c.caddy.Terminate()
		waiting := 0
		for _, m := range storeStats(c.t, defaultStore(c.home)).Mailers {
			waiting += m.Queued + m.Deferred
		}
		if waiting == 0 {
			return
		}
		c.start()
		known := len(c.server.Messages())
		caddytest.Poll(10*time.Second, func() bool { return len(c.server.Messages()) > known })
	}
	c.t.Error("the outbox does not become empty")
}
