package caddytest

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// commandTimeout bounds commands that are expected to end at once.
const commandTimeout = time.Minute

// Result is what a command that has ended said.
type Result struct {
	Stdout, Stderr string
	ExitCode       int
}

// Command runs a caddy subcommand until it ends. Its working directory is the
// checkout's root.
func (h *Home) Command(t testing.TB, env []string, args ...string) Result {
	t.Helper()
	return h.CommandInput(t, env, "", args...)
}

// CommandInput is Command with something on standard input.
func (h *Home) CommandInput(t testing.TB, env []string, input string, args ...string) Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = h.environ(env)
	cmd.Dir = root
	cmd.Stdin = strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("caddy %v: %v\n%s", args, err, &stderr)
	}
	return Result{Stdout: stdout.String(), Stderr: stderr.String(), ExitCode: cmd.ProcessState.ExitCode()}
}
