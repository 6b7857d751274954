package integration_test

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// TestValidateBesideRunning makes sure that a config can be checked before it
// is loaded, although the store is in use.
func TestValidateBesideRunning(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	config := deliverySite(server.Addr, "")
	caddy := caddytest.Start(t, config)
	taken := bookings{}
	taken.book(t, caddy, "before")

	begun := time.Now()
	r := caddy.Command(t, nil, "validate", "--config", caddy.WriteCaddyfile(t, config), "--adapter", "caddyfile")
	if took := time.Since(begun); r.ExitCode != 0 || took > 2*time.Second {
		t.Errorf("caddy validate ended with status %d after %s:\n%s", r.ExitCode, took, r.Stderr)
	}
	taken.book(t, caddy, "after")
	taken.checkOnce(t, server)
	checkNoErrors(t, caddy)
}

// TestSecondProcess starts another Caddy on a store that is in use: it has to
// say so and end, and must not disturb the first.
func TestSecondProcess(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	caddy := caddytest.Start(t, deliverySite(server.Addr, ""))
	path := defaultStore(caddy.Home)

	other := caddytest.NewHome(t)
	begun := time.Now()
	r := other.Command(t, nil, "run", "--adapter", "caddyfile",
		"--config", other.WriteCaddyfile(t, storeAt(path)+deliverySite(server.Addr, "")))
	if took := time.Since(begun); r.ExitCode == 0 || took > 14*time.Second {
		t.Errorf("the second caddy ended with status %d after %s", r.ExitCode, took)
	}
	if !strings.Contains(r.Stderr, path) || !strings.Contains(r.Stderr, "another Caddy or process holds this file") {
		t.Errorf("the second caddy says:\n%s", r.Stderr)
	}
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 3)...)
	taken.checkOnce(t, server)
	checkNoErrors(t, caddy)
}

func TestTerminateIdle(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	caddy := caddytest.Start(t, deliverySite(server.Addr, ""))
	taken := bookings{}
	taken.book(t, caddy, "ada")
	taken.checkOnce(t, server) // there is a kept connection now
	if took := caddy.Terminate(); took > time.Second {
		t.Errorf("caddy took %s to end", took)
	}
	checkNothingWaits(t, defaultStore(caddy.Home))
}

// TestTerminateStalled ends a Caddy whose mail server does not answer. Nothing
// had come as far as the message itself, so that nothing may arrive twice.
func TestTerminateStalled(t *testing.T) {
	stalled := newStall(smtptest.StepRcpt)
	server := smtptest.Start(t, smtptest.Options{Hook: stalled.hook})
	t.Cleanup(stalled.release)
	config := site(strings.ReplaceAll(deliveryDirective("", server.Addr, ""), "timeout 2s", "timeout 1m"))
	caddy := caddytest.Start(t, config)
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 4)...)
	caddytest.Eventually(t, "all connections stall", func() bool { return stalled.waiting() == 4 })

	if took := caddy.Terminate(); took > 3500*time.Millisecond {
		t.Errorf("caddy took %s to end", took)
	}
	stalled.release()
	caddy = caddy.Home.Start(t, config)
	taken.checkOnce(t, server)
	caddy.Terminate()
	checkNothingWaits(t, defaultStore(caddy.Home))
}

// TestTerminateDrains ends a Caddy whose mail server is slow to acknowledge,
// with a reload shortly before and without: what the server has taken must be
// recorded in spite of it.
func TestTerminateDrains(t *testing.T) {
	for _, tt := range []struct {
		name    string
		clients int
		reload  bool
	}{
		{"at once", 6, false},
		{"after a reload", 6, true},
		{"after a reload that has nothing to do", 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := smtptest.Start(t, smtptest.Options{Hook: slowDot(time.Second)})
			caddy := caddytest.Start(t, deliverySite(server.Addr, ""))
			taken := bookings{}
			taken.book(t, caddy, crowd("client", tt.clients)...)
			caddytest.Eventually(t, "all connections are busy", func() bool { return len(server.Messages()) >= 4 })
			if tt.reload {
				caddy.MustReload(deliverySite(server.Addr, "summary Changed"))
			}
			if took := caddy.Terminate(); took > 3500*time.Millisecond {
				t.Errorf("caddy took %s to end", took)
			}
			caddy = caddy.Home.Start(t, deliverySite(server.Addr, ""))
			taken.checkOnce(t, server)
			caddy.Terminate()
			checkNothingWaits(t, defaultStore(caddy.Home))
		})
	}
}

func TestKillWithBacklog(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	door.close()
	config := deliverySite(door.addr, "")
	caddy := caddytest.Start(t, config)
	taken := bookings{}
	taken.book(t, caddy, crowd("client", 10)...)
	caddy.WaitLog("mail server not usable, message waits")
	caddy.Kill()

	door.open()
	caddy = caddy.Home.Start(t, config)
	caddy.WaitLog("messages wait in the outbox")
	taken.checkOnce(t, server)
}

// TestFileDescriptors lets clients who say nothing use up all descriptors.
// Caddy need not serve then, but must keep its word, and recover.
func TestFileDescriptors(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	home := hurriedHome(t)
	home.Wrapper = []string{"/bin/sh", "-c", `ulimit -n 64; exec "$@"`, "sh"}
	caddy := home.Start(t, deliverySite(server.Addr, ""))
	taken := bookings{}
	taken.book(t, caddy, "before")

	hold := holdConnections(t, caddy.Site, 100)
	client := caddy.Client()
	client.Timeout = time.Second
	var clients sync.WaitGroup
	var mu sync.Mutex
	for _, who := range crowd("meanwhile", 20) {
		clients.Go(func() {
			answer, err := tryJSON(client, "", bookingOf(who))
			if err != nil || answer.Status != http.StatusAccepted {
				return // it was told so, or will come again
			}
			mu.Lock()
			defer mu.Unlock()
			taken[uidOf(t, answer.Body)] = addressOf(who)
		})
	}
	clients.Wait()
	for _, conn := range hold {
		_ = conn.Close()
	}
	caddytest.Eventually(t, "bookings are taken again", func() bool {
		answer, err := tryJSON(client, "", bookingOf("after"))
		if err != nil || answer.Status != http.StatusAccepted {
			return false
		}
		taken[uidOf(t, answer.Body)] = addressOf("after")
		return true
	})
	taken.waitArrived(t, server)
	if strings.Contains(caddy.Output(), "panic") {
		t.Error("there was a panic")
	}
	t.Logf("%d of 20 bookings were taken while there were no descriptors", len(taken)-2)
}

// holdConnections connects and sends nothing but the start of a request.
func holdConnections(t *testing.T, socket string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
	}
	return conns
}

// TestStoreReleased makes sure that the file of a Caddy that has ended can be
// used by another one at once.
func TestStoreReleased(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	path := filepath.Join(t.TempDir(), "outbox.db")
	config := storeAt(path) + deliverySite(server.Addr, "")
	taken := bookings{}
	for _, who := range []string{"first", "second"} {
		caddy := caddytest.Start(t, config)
		taken.book(t, caddy, who)
		caddy.Terminate()
	}
	caddytest.Start(t, config)
	taken.checkOnce(t, server)
}
