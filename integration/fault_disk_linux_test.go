package integration_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// needMount skips a test that has to mount a file system. As with need, CI
// insists by listing "mount".
func needMount(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("CADDYICALMAIL_REQUIRE"), ","), "mount") {
		t.Fatalf("mounting is required: %v", err)
	}
	t.Skipf("file systems cannot be mounted here: %v", err)
}

// smallDisk is a file system of 80 MB. The store wants 64 of them to be free.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	needMount(t, unix.Mount("tmpfs", dir, "tmpfs", 0, "size=80m"))
	t.Cleanup(func() {
		// Lazily, in case that a process which failed the test still runs.
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return dir
}

// fill writes a file of so many bytes, or until nothing fits any more.
func fill(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.CopyN(f, zeros{}, size); err != nil && !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestFullDisk fills the disk, to the floor and to the last byte, while
// messages wait: bookings are refused, the messages delivered and recorded,
// and bookings taken again as soon as there is space, without a restart.
func TestFullDisk(t *testing.T) {
	for name, size := range map[string]int64{"below the floor": 30 << 20, "to the last byte": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t)
			server := smtptest.Start(t, smtptest.Options{})
			door := newGate(t, server.Addr)
			door.close()
			path := filepath.Join(disk, "outbox.db")
			caddy := hurriedHome(t).Start(t, storeAt(path)+deliverySite(door.addr, ""))
			taken := bookings{}
			taken.book(t, caddy, crowd("before", 10)...)

			filler := filepath.Join(disk, "filler")
			fill(t, filler, size)
			taken.waitRefused(t, caddy)
			door.open()
			taken.checkOnce(t, server)
			caddytest.Eventually(t, "all is recorded", func() bool { return len(entries(caddy, "message sent")) == 2*len(taken) })
			if n := len(entries(caddy, "outbox is in trouble")); n != 0 {
				t.Errorf("there was trouble %d times", n)
			}

			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			taken.bookEventually(t, caddy, "after")
			taken.checkOnce(t, server)
			caddy.Terminate()
			checkNothingWaits(t, path)
		})
	}
}

// waitRefused books until that is refused, as is due when the store does not
// work. Caddy may have looked at the disk a second ago.
func (b bookings) waitRefused(t *testing.T, caddy *caddytest.Caddy) {
	t.Helper()
	var answer caddytest.Answer
	caddytest.Eventually(t, "bookings are refused", func() bool {
		who := fmt.Sprintf("last%d", len(b))
		answer = caddy.PostJSON("/book", bookingOf(who))
		if answer.Status != http.StatusAccepted {
			return true
		}
		b[uidOf(t, answer.Body)] = addressOf(who)
		return false
	})
	if answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
		t.Errorf("the refusal is %d with Retry-After %q: %s", answer.Status, answer.Header.Get("Retry-After"), answer.Body)
	}
}

// bookEventually books as soon as bookings are taken.
func (b bookings) bookEventually(t *testing.T, caddy *caddytest.Caddy, who string) {
	t.Helper()
	caddytest.Eventually(t, "bookings are taken again", func() bool {
		answer := caddy.PostJSON("/book", bookingOf(who))
		if answer.Status != http.StatusAccepted {
			return false
		}
		b[uidOf(t, answer.Body)] = addressOf(who)
		return true
	})
}

// TestDiskRefusesWrites lets every write into a file fail, as on a disk that
// was remounted read-only, which cannot be done to one with open files from
// outside. What is sent meanwhile cannot be recorded: not more may be sent
// than there are connections, and nothing again.
func TestDiskRefusesWrites(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	door.close()
	caddy := hurriedHome(t).Start(t, deliverySite(door.addr, ""))
	taken := bookings{}
	taken.book(t, caddy, crowd("before", 10)...)

	before := refuseWrites(t, caddy.PID())
	taken.waitRefused(t, caddy)
	door.open()
	caddytest.Eventually(t, "deliveries cannot be recorded", func() bool { return len(entries(caddy, "outbox is in trouble")) >= 2 })
	taken.waitRefused(t, caddy)
	if n := len(server.Messages()); n > 4 {
		t.Errorf("%d messages were sent while nothing could be recorded", n)
	}

	allowWrites(t, caddy.PID(), before)
	taken.bookEventually(t, caddy, "after")
	taken.checkOnce(t, server)
	caddy.Terminate()
	checkNothingWaits(t, defaultStore(caddy.Home))
}

// refuseWrites makes a process's writes into files fail (EFBIG).
func refuseWrites(t *testing.T, pid int) (before unix.Rlimit) {
	t.Helper()
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &before); err != nil {
		t.Fatal(err)
	}
	allowWrites(t, pid, unix.Rlimit{Cur: 0, Max: before.Max})
	return before
}

func allowWrites(t *testing.T, pid int, limit unix.Rlimit) {
	t.Helper()
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnlyStore starts Caddy on a disk that is mounted read-only: it must
// not pretend to work.
func TestReadOnlyStore(t *testing.T) {
	disk := smallDisk(t)
	server := smtptest.Start(t, smtptest.Options{})
	path := filepath.Join(disk, "outbox.db")
	config := storeAt(path) + deliverySite(server.Addr, "")
	caddy := caddytest.Start(t, config)
	taken := bookings{}
	taken.book(t, caddy, "before")
	caddy.Terminate()

	remount(t, disk, unix.MS_RDONLY)
	r := caddy.Command(t, nil, "run", "--adapter", "caddyfile", "--config", caddy.WriteCaddyfile(t, config))
	if r.ExitCode == 0 || !strings.Contains(r.Stderr, path) || !strings.Contains(r.Stderr, "read-only file system") {
		t.Errorf("caddy ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
	remount(t, disk, 0)
	caddy = caddy.Home.Start(t, config)
	taken.book(t, caddy, "after")
	taken.checkOnce(t, server)
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|flags, "size=80m"); err != nil {
		t.Fatal(err)
	}
}
