package integration_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/bolt"
)

// forceReload reloads as the packaged systemd unit does.
func forceReload(t *testing.T, caddy *caddytest.Caddy, config string) caddytest.Result {
	t.Helper()
	return caddy.Command(t, nil, "reload", "--force", "--adapter", "caddyfile",
		"--config", caddy.WriteCaddyfile(t, config), "--address", caddy.AdminAddress())
}

// TestReloadsUnderLoad reloads again and again while clients book: nobody may
// notice, neither by an answer nor by a mail.
func TestReloadsUnderLoad(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	caddy := caddytest.Start(t, deliverySite(server.Addr, ""))
	load := beginLoad(caddy, 16)
	for i := range 20 {
		// Every other one loads the config that is running already.
		config := deliverySite(server.Addr, fmt.Sprintf("summary Number-%d", i/2))
		if r := forceReload(t, caddy, config); r.ExitCode != 0 {
			t.Errorf("caddy reload ended with status %d:\n%s", r.ExitCode, r.Stderr)
		}
	}
	taken := load.end(t)
	taken.checkOnce(t, server)
	checkNoErrors(t, caddy)
	if n := len(entries(caddy, "store opened")); n != 1 {
		t.Errorf("the store was opened %d times", n)
	}
	caddy.Terminate()
	checkNothingWaits(t, defaultStore(caddy.Home))
	t.Logf("%d bookings", len(taken))
}

// load is clients who book all the time.
type load struct {
	stop    chan struct{}
	clients sync.WaitGroup

	mu    sync.Mutex
	taken map[string]string // the answer's body by address
	wrong []error
}

// loadPause is how long each client thinks between two bookings.
const loadPause = 50 * time.Millisecond

func beginLoad(caddy *caddytest.Caddy, clients int) *load {
	l := &load{stop: make(chan struct{}), taken: map[string]string{}}
	for _, prefix := range crowd("load", clients) {
		client := caddy.Client()
		l.clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.stop:
					return
				case <-time.After(loadPause):
					l.book(client, fmt.Sprintf("%s.%d", prefix, i))
				}
			}
		})
	}
	return l
}

// book asks until there is an answer: at a reload Caddy itself now and then
// closes a connection without one. Asked again, it books nothing twice.
func (l *load) book(client *http.Client, who string) {
	answer, err := tryJSON(client, "", bookingOf(who))
	for range 10 {
		if err == nil {
			break
		}
		answer, err = tryJSON(client, "", bookingOf(who))
	}
	if err == nil && answer.Status != http.StatusAccepted {
		err = fmt.Errorf("%s: %d %s", who, answer.Status, answer.Body)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.wrong = append(l.wrong, err)
		return
	}
	l.taken[addressOf(who)] = answer.Body
}

// end stops the clients and returns what they booked.
func (l *load) end(t *testing.T) bookings {
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	if err := errors.Join(l.wrong...); err != nil {
		t.Errorf("not every booking was taken: %v", err)
	}
	taken := bookings{}
	for address, body := range l.taken {
		taken[uidOf(t, body)] = address
	}
	return taken
}

// TestRejectedReloadDelivers lets reloads fail in Provision and in Start, the
// latter before and after our own app has started. The config that stays must
// go on as if nothing had been.
func TestRejectedReloadDelivers(t *testing.T) {
	t.Parallel()
	stalled := newStall(smtptest.StepRcpt)
	server := smtptest.Start(t, smtptest.Options{Hook: stalled.hook})
	t.Cleanup(stalled.release)
	taker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	good := deliverySite(server.Addr, "")
	caddy := caddytest.Start(t, good)
	taken := bookings{}
	taken.book(t, caddy, "before")
	caddytest.Eventually(t, "the deliveries are under way", func() bool { return stalled.waiting() == 2 })

	bad := []string{site(`ical_invite {
		organizer grace@example.org
		host grace@example.org
		smtp ` + server.Addr + `
	}`)}
	for range 5 { // the order in which apps start is random
		bad = append(bad, deliverySite(server.Addr, "summary Never")+"http://"+taker.Addr().String()+" {\n\trespond taken\n}\n")
	}
	for i, config := range bad {
		if r := forceReload(t, caddy, config); r.ExitCode == 0 {
			t.Errorf("config %d was loaded", i)
		}
	}
	taken.book(t, caddy, "between")
	stalled.release()
	taken.book(t, caddy, "after")
	taken.checkOnce(t, server)
	if n := len(entries(caddy, "store opened")); n != 1 {
		t.Errorf("the store was opened %d times", n)
	}
}

// TestRemovedWhileDelivering takes the directive out of the config while the
// server has a message but has not said so. The delivery must end well, and
// only then the store be free for others.
func TestRemovedWhileDelivering(t *testing.T) {
	t.Parallel()
	stalled := newStall(smtptest.StepDot)
	server := smtptest.Start(t, smtptest.Options{Hook: stalled.hook})
	t.Cleanup(stalled.release)
	config := deliverySite(server.Addr, "")
	caddy := caddytest.Start(t, config)
	taken := bookings{}
	taken.book(t, caddy, "before")
	caddytest.Eventually(t, "the deliveries are under way", func() bool { return stalled.waiting() == 2 })

	caddy.MustReload(site("\trespond gone"))
	if s, err := openAside(defaultStore(caddy.Home)); !errors.Is(err, bolt.ErrInUse) {
		t.Errorf("the store was released before the delivery had ended: %v, %v", s, err)
	}
	caddy.MustReload(config)
	taken.book(t, caddy, "back")
	caddy.MustReload(site("\trespond gone"))
	stalled.release()
	checkReleased(t, defaultStore(caddy.Home))

	// Another process finds nothing that it would send again.
	caddytest.Start(t, storeAt(defaultStore(caddy.Home))+config)
	taken.checkOnce(t, server)
	checkNoErrors(t, caddy)
}

// TestStoreMoves changes the store's file by reloads, there and back, while
// messages wait in it.
func TestStoreMoves(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	door.close()
	one, two := filepath.Join(t.TempDir(), "one.db"), filepath.Join(t.TempDir(), "two.db")
	caddy := hurriedHome(t).Start(t, storeAt(one)+deliverySite(door.addr, ""))
	left, there := bookings{}, bookings{}
	left.book(t, caddy, crowd("left", 3)...)

	caddy.MustReload(storeAt(two) + deliverySite(door.addr, ""))
	there.book(t, caddy, crowd("there", 2)...)
	if queued := checkReleased(t, one); queued != 2*len(left) {
		t.Errorf("%d messages wait in the old file, want %d", queued, 2*len(left))
	}
	door.open()
	there.checkOnce(t, server)

	caddy.MustReload(storeAt(one) + deliverySite(door.addr, ""))
	if queued := checkReleased(t, two); queued != 0 {
		t.Errorf("%d messages wait in the new file", queued)
	}
	maps.Copy(left, there)
	left.checkOnce(t, server)
}

// openAside opens a store if nobody else has it.
func openAside(path string) (store.Store, error) {
	return bolt.Open(path, bolt.Options{Timeout: time.Millisecond, MinFree: bolt.Off, CompactAbove: bolt.Off})
}

// checkReleased waits until a store is not in use, and returns how many
// messages wait in it.
func checkReleased(t *testing.T, path string) (waiting int) {
	t.Helper()
	caddytest.Eventually(t, "the store is released", func() bool {
		s, err := openAside(path)
		if err != nil {
			return false
		}
		defer s.Close()
		stats, err := s.Stats(t.Context())
		for _, m := range stats.Mailers {
			waiting += m.Queued + m.Deferred
		}
		return err == nil
	})
	return waiting
}
