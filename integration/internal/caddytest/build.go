// Package caddytest builds this repository's Caddy once, and runs it in
// processes of its own for tests: with a home directory, an admin socket and a
// site socket that belong to one test, so that tests need no fixed ports and
// never see each other.
package caddytest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

const mainPackage = "github.com/caddyicalmail/caddyicalmail/cmd/caddy"

var (
	// binary is the caddy that all tests run, set by Main or by the flag.
	binary string

	// root is the checkout's root directory. Caddy is run there, as the
	// examples tell their readers to do.
	root string

	// buildDir is where binaries are built.
	buildDir string
)

func init() {
	flag.StringVar(&binary, "caddy", "", "test this caddy binary instead of building one")
}

// Main builds Caddy, runs the tests and returns the exit status. A package
// calls it from TestMain.
func Main(m *testing.M) int {
	flag.Parse()
	var err error
	if root, err = findRoot(); err != nil {
		return failMain(err)
	}
	if buildDir, err = os.MkdirTemp("", "caddytest-"); err != nil {
		return failMain(err)
	}
	defer func() { _ = os.RemoveAll(buildDir) }()
	if binary != "" {
		return runWith(m, binary)
	}
	built := executable("caddy")
	if err := build(built); err != nil {
		return failMain(err)
	}
	return runWith(m, built)
}

// findRoot looks for go.mod above the working directory of the tests.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("there is no go.mod above the tests")
		}
		dir = parent
	}
}

// executable is the path of a binary to build.
func executable(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(buildDir, name)
}

// build compiles the way users do: without cgo.
func build(path string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build", "-o", path}, flags...), mainPackage)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building caddy: %w\n%s", err, out)
	}
	return nil
}

func runWith(m *testing.M, path string) int {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return failMain(err)
	}
	binary = absolute
	return m.Run()
}

func failMain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
