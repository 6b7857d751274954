package integration_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// TestDamagedStore starts Caddy on files that are no store any more. It has to
// say so, end, and leave the file as it is for somebody who can repair it.
func TestDamagedStore(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	door := newGate(t, server.Addr)
	door.close()
	good := backlogFile(t, door.addr, 20)
	noise := rand.New(rand.NewPCG(1, 2))
	for name, damage := range map[string]func(file []byte) []byte{
		"truncated":   func(file []byte) []byte { return file[:len(file)/2] },
		"first page":  func(file []byte) []byte { return file[:4096] },
		"overwritten": func(file []byte) []byte { return scribble(noise, file, 8192, len(file)) },
		"no header":   func(file []byte) []byte { return scribble(noise, file, 0, 8192) },
		"other file":  func([]byte) []byte { return bytes.Repeat([]byte("These are my diaries.\n"), 1000) },
	} {
		t.Run(name, func(t *testing.T) { checkDamaged(t, door.addr, damage(bytes.Clone(good))) })
	}
}

func scribble(noise *rand.Rand, file []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		file[i] = byte(noise.Uint32())
	}
	return file
}

// backlogFile is the store of a Caddy that could not deliver n bookings.
func backlogFile(t *testing.T, server string, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outbox.db")
	caddy := caddytest.Start(t, storeAt(path)+deliverySite(server, ""))
	bookings{}.book(t, caddy, crowd("client", n)...)
	caddy.Terminate()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func checkDamaged(t *testing.T, server string, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outbox.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	home := caddytest.NewHome(t)
	r := home.Command(t, nil, "run", "--adapter", "caddyfile",
		"--config", home.WriteCaddyfile(t, storeAt(path)+deliverySite(server, "")))
	if r.ExitCode == 0 || !strings.Contains(r.Stderr, path) || !strings.Contains(r.Stderr, "damaged") {
		t.Errorf("caddy ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
	for _, sign := range []string{"panic", "goroutine ", "SIGBUS", "SIGSEGV"} {
		if strings.Contains(r.Stderr, sign) {
			t.Errorf("caddy has crashed (%s):\n%s", sign, r.Stderr)
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(after, file) {
		t.Errorf("the damaged file was changed (%v)", err)
	}
	beside, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(beside) != 1 {
		t.Errorf("there is more than the file: %v (%v)", beside, err)
	}
}

// TestDamagedReload loads a config whose store is damaged into a Caddy that
// runs: it must refuse and go on.
func TestDamagedReload(t *testing.T) {
	t.Parallel()
	server := smtptest.Start(t, smtptest.Options{})
	path := filepath.Join(t.TempDir(), "outbox.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("noise\n"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	caddy := caddytest.Start(t, deliverySite(server.Addr, ""))
	r := caddy.Reload(storeAt(path) + deliverySite(server.Addr, ""))
	if r.ExitCode == 0 || !strings.Contains(r.Stderr, path) {
		t.Errorf("caddy reload ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
	taken := bookings{}
	taken.book(t, caddy, "ada")
	taken.checkOnce(t, server)
}
