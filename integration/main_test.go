package integration_test

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/browsertest"
	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
)

func TestMain(m *testing.M) { os.Exit(caddytest.Main(m)) }

// site is a Caddyfile with one site on the home's socket.
func site(body string) string {
	return "http:// {\n\tbind {$SITE}\n" + body + "\n}\n"
}

// fileSite is a site that books for Grace and writes its mails into files.
func fileSite(options string) string {
	return site(`ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		file {$MAIL_DIR}
		` + options + `
	}`)
}

// booked is a time in the future to make appointments for: in a month, at a
// time of day that no daylight saving rule touches.
func booked() time.Time {
	day := time.Now().UTC().AddDate(0, 1, 0)
	return time.Date(day.Year(), day.Month(), day.Day(), 10, 30, 0, 0, time.UTC)
}

// jsonBooking is what a script posts.
func jsonBooking(name string) map[string]string {
	return map[string]string{
		"name":  name,
		"email": "ada@example.net",
		"start": booked().Format(time.RFC3339),
	}
}

// programs are the external programs that tests use, and how to see whether
// they are there.
var programs = map[string]func() error{
	"axe-core": func() error { _, err := browsertest.FindAxe(); return err },
	"chromium": func() error { _, err := browsertest.Find(); return err },
	"curl":     func() error { _, err := exec.LookPath("curl"); return err },
	"node":     func() error { _, err := exec.LookPath("node"); return err },
	"postfix": func() error {
		if os.Geteuid() != 0 {
			return os.ErrPermission // its master process has to be root
		}
		_, err := exec.LookPath("postfix")
		return err
	},
	// Another python3 may come first in PATH, which lacks Debian's packages.
	"python3":           func() error { return exec.Command(python, "--version").Run() },
	"python3-icalendar": func() error { return exec.Command(python, "-c", "import icalendar").Run() },
	"python3-dateutil":  func() error { return exec.Command(python, "-c", "import dateutil").Run() },
}

const python = "/usr/bin/python3"

// need skips a test on a machine that lacks a program, unless the environment
// variable CADDYICALMAIL_REQUIRE lists it, as it does in CI, where a test that
// quietly does not run would be worse than one that fails.
func need(t *testing.T, program string) {
	t.Helper()
	err := programs[program]()
	if err == nil {
		return
	}
	required := strings.Split(os.Getenv("CADDYICALMAIL_REQUIRE"), ",")
	if slices.Contains(required, program) {
		t.Fatalf("%s is required: %v", program, err)
	}
	t.Skipf("%s cannot be used here: %v", program, err)
}

// freeAddress is a loopback address at which nobody listens at the moment.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
