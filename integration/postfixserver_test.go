package integration_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// postfix is a Postfix with a configuration, a queue and mailboxes of its own.
type postfix struct {
	dir, addr string
	users     []string        // the addresses that have a mailbox
	authority []byte          // the certificate that its clients have to trust
	taken     map[string]bool // mail files that take has returned
}

// startPostfix runs Debian's Postfix, with mailboxes for these addresses, on a
// loopback port until the test ends.
func startPostfix(t *testing.T, users ...string) *postfix {
	t.Helper()
	// Not t.TempDir: Postfix's users have to get through every directory on
	// the way.
	dir, err := os.MkdirTemp("/tmp", "postfix-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	p := &postfix{dir: dir, users: users, taken: map[string]bool{}}
	p.makeDirectories(t)
	p.writeCertificate(t)
	// Between the choice of a port and its use another program may take it.
	for range 5 {
		p.addr = freeAddress(t)
		if p.configure(t); p.start(t) {
			return p
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	t.Fatalf("postfix does not start:\n%s", log)
	return nil
}

func (p *postfix) makeDirectories(t *testing.T) {
	t.Helper()
	for name, owner := range map[string]int{"etc": 0, "queue": 0, "data": p.uid(t, "postfix"), "mail": mailboxOwner} {
		path := filepath.Join(p.dir, name)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, owner, -1); err != nil {
			t.Fatal(err)
		}
	}
}

// writeCertificate gives the server a key and a certificate.
func (p *postfix) writeCertificate(t *testing.T) {
	t.Helper()
	config, authority := smtptest.Certificate(t)
	p.authority = authority
	key, err := x509.MarshalPKCS8PrivateKey(config.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	chain := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: config.Certificates[0].Certificate[0]})...)
	p.write(t, "etc/chain.pem", chain)
}

// write writes a file that Postfix's users can read, because each of its
// programs runs as another one.
func (p *postfix) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// start runs the master process, and reports whether its server answers.
func (p *postfix) start(t *testing.T) bool {
	t.Helper()
	etc := filepath.Join(p.dir, "etc")
	// This makes the queue's directories.
	if out, err := exec.CommandContext(t.Context(), "postfix", "-c", etc, "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v\n%s", err, out)
	}
	master := exec.Command(filepath.Join(p.setting(t, "daemon_directory"), "master"), "-c", etc, "-d")
	// The master ends its children by ending its process group, so it needs
	// one that is not the test's.
	master.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := master.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = master.Wait() // SIGTERM is how it ends
	}()
	t.Cleanup(func() {
		_ = master.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
		<-done
	})
	return caddytest.Poll(30*time.Second, func() bool { return isClosed(done) || p.answers() }) && !isClosed(done)
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// answers reports whether the server greets.
func (p *postfix) answers() bool {
	conn, err := net.DialTimeout("tcp", p.addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, 4)
	_, err = conn.Read(greeting)
	return err == nil && string(greeting) == "220 "
}

// take waits for the next mail in a mailbox. It returns it with the line ends
// of the network, which Postfix does not keep in files.
func (p *postfix) take(t *testing.T, address string) []byte {
	t.Helper()
	var file string
	arrived := func() bool {
		files, _ := filepath.Glob(filepath.Join(p.dir, "mail", address, "new", "*"))
		i := slices.IndexFunc(files, func(f string) bool { return !p.taken[f] })
		if i >= 0 {
			file = files[i]
		}
		return i >= 0
	}
	if !caddytest.Poll(30*time.Second, arrived) {
		log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
		t.Fatalf("there is no mail for %s:\n%s", address, log)
	}
	p.taken[file] = true
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))
}

// setting asks for the value of one of Postfix's parameters.
func (p *postfix) setting(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "postconf", "-c", filepath.Join(p.dir, "etc"), "-h", name).Output()
	if err != nil {
		t.Fatalf("postconf: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func (p *postfix) uid(t *testing.T, name string) int {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "id", "-u", name).Output()
	if err != nil {
		t.Fatalf("the user %s: %v", name, err)
	}
	var uid int
	if _, err := fmt.Sscan(string(out), &uid); err != nil {
		t.Fatal(err)
	}
	return uid
}
