package caddytest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

const (
	// startTimeout is ample for a machine that is busy with other tests.
	startTimeout = time.Minute
	stopTimeout  = 30 * time.Second
)

// Caddy is a running process.
type Caddy struct {
	*Home

	t    testing.TB
	env  []string
	cmd  *exec.Cmd
	logs *logBuffer
	done chan struct{} // closed when the process has ended
}

// Start runs Caddy with a Caddyfile in a home of its own, and returns when it
// serves. The process is killed when the test ends.
func Start(t testing.TB, caddyfile string, env ...string) *Caddy {
	t.Helper()
	return NewHome(t).Start(t, caddyfile, env...)
}

// Start runs Caddy in the home, for example again after a crash.
func (h *Home) Start(t testing.TB, caddyfile string, env ...string) *Caddy {
	t.Helper()
	c, err := h.TryStartFile(t, h.WriteCaddyfile(t, caddyfile), env...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// WriteCaddyfile writes a Caddyfile under a new name and returns its path.
func (h *Home) WriteCaddyfile(t testing.TB, text string) string {
	t.Helper()
	f, err := os.CreateTemp(filepath.Dir(h.Site), "*.Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// TryStartFile is Start with a file. It returns an error if Caddy does not come
// up, for example because another program uses a port.
func (h *Home) TryStartFile(t testing.TB, path string, env ...string) (*Caddy, error) {
	t.Helper()
	c := &Caddy{Home: h, t: t, env: env, logs: new(logBuffer), done: make(chan struct{})}
	words := append(slices.Clone(h.Wrapper), h.program(t), "run", "--config", path, "--adapter", "caddyfile")
	c.cmd = exec.Command(words[0], words[1:]...)
	c.cmd.Env = h.environ(env)
	c.cmd.Dir = root
	c.cmd.Stdout, c.cmd.Stderr = c.logs, c.logs
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		_ = c.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(c.cleanup)
	up := func() bool { return c.ended() || c.logs.has("serving initial configuration") }
	if !Poll(startTimeout, up) || c.ended() {
		c.Kill()
		return nil, fmt.Errorf("caddy did not start:\n%s", c.logs)
	}
	return c, nil
}

// PID is the process id.
func (c *Caddy) PID() int { return c.cmd.Process.Pid }

func (c *Caddy) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// cleanup ends what is left of the process, and shows what it logged if the
// test has failed.
func (c *Caddy) cleanup() {
	c.Kill()
	if c.t.Failed() {
		c.t.Logf("caddy's log:\n%s", c.logs)
	}
}

// Kill ends the process without giving it a chance to notice, as a crash or
// the kernel's out-of-memory killer would.
func (c *Caddy) Kill() {
	_ = c.cmd.Process.Kill() // an error means that it has ended already
	<-c.done
}

// Terminate ends the process as a service manager does, and returns how long
// that took. It fails the test if Caddy does not end well.
func (c *Caddy) Terminate() time.Duration {
	c.t.Helper()
	begun := time.Now()
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatalf("ending caddy: %v", err)
	}
	select {
	case <-c.done:
	case <-time.After(stopTimeout):
		c.t.Fatalf("caddy still runs %s after SIGTERM", stopTimeout)
	}
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		c.t.Errorf("caddy ended with status %d", code)
	}
	return time.Since(begun)
}

// Reload loads another Caddyfile through the admin API, by `caddy reload`.
func (c *Caddy) Reload(caddyfile string) Result {
	c.t.Helper()
	return c.Command(c.t, c.env, "reload", "--config", c.WriteCaddyfile(c.t, caddyfile),
		"--adapter", "caddyfile", "--address", c.AdminAddress())
}

// MustReload is Reload that has to work.
func (c *Caddy) MustReload(caddyfile string) {
	c.t.Helper()
	if r := c.Reload(caddyfile); r.ExitCode != 0 {
		c.t.Fatalf("caddy reload ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
	// The old server may still be waiting for one more connection, which it
	// drops when it gets it.
	for range 2 {
		if conn, err := net.Dial("unix", c.Site); err == nil {
			_ = conn.Close()
		}
	}
}
