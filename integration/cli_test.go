package integration_test

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

func TestListModules(t *testing.T) {
	r := caddytest.NewHome(t).Command(t, nil, "list-modules")
	modules := strings.Split(r.Stdout, "\n")
	for _, want := range []string{"ical_invite", "http.handlers.ical_invite"} {
		if !slices.Contains(modules, want) {
			t.Errorf("caddy list-modules does not list %s", want)
		}
	}
}

// shippedCaddyfiles are all the Caddyfiles that users are told to copy.
func shippedCaddyfiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "examples", "*", "Caddyfile"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples (%v)", err)
	}
	files = append(files, filepath.Join("..", "example.Caddyfile"))
	for i, file := range files {
		if files[i], err = filepath.Abs(file); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// eachCaddyfile runs a subtest for each Caddyfile that is shipped.
func eachCaddyfile(t *testing.T, test func(t *testing.T, path string)) {
	t.Helper()
	for _, path := range shippedCaddyfiles(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) { test(t, path) })
	}
}

// exampleEnv is the environment that the examples may want.
func exampleEnv(port string) []string {
	return []string{"PORT=" + port, "SPA_ORIGIN=" + appOrigin, "SMTP_PASSWORD=not used", "WEBHOOK_SECRET=" + exampleSecret}
}

// TestValidate makes sure that looking at a config has no effect, so that it
// can be done beside a running Caddy.
func TestValidate(t *testing.T) {
	eachCaddyfile(t, func(t *testing.T, path string) {
		home := caddytest.NewHome(t)
		// Caddy would fail if it tried to listen on a port that is taken.
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String())

		r := home.Command(t, exampleEnv(port), "validate", "--config", path, "--adapter", "caddyfile")
		if r.ExitCode != 0 {
			t.Fatalf("caddy validate ended with status %d:\n%s", r.ExitCode, r.Stderr)
		}
		checkUntouched(t, home)
	})
}

// checkUntouched fails the test if Caddy has left anything behind.
func checkUntouched(t *testing.T, home *caddytest.Home) {
	t.Helper()
	if files := home.Files(t); len(files) > 0 {
		t.Errorf("there are files now: %v", files)
	}
	if _, err := os.Stat(home.Admin); err == nil {
		t.Error("there is an admin socket now")
	}
}

func TestValidateDoesNotConnect(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{})
	home := caddytest.NewHome(t)
	config := home.WriteCaddyfile(t, site(`ical_invite {
		organizer booking@example.com
		host grace@example.org
		smtp `+server.Addr+` {
			tls off
		}
	}`))
	r := home.Command(t, nil, "validate", "--config", config, "--adapter", "caddyfile")
	if r.ExitCode != 0 {
		t.Fatalf("caddy validate ended with status %d:\n%s", r.ExitCode, r.Stderr)
	}
	if n := server.Connections(); n != 0 {
		t.Errorf("caddy validate has connected to the mail server %d times", n)
	}
	checkUntouched(t, home)
}

func TestFmt(t *testing.T) {
	eachCaddyfile(t, func(t *testing.T, path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if w, differs := caddyfile.FormattingDifference(path, text); differs {
			t.Errorf("line %d is not formatted: run caddy fmt --overwrite", w.Line)
		}
	})
}

func TestAdapt(t *testing.T) {
	eachCaddyfile(t, func(t *testing.T, path string) {
		r := caddytest.NewHome(t).Command(t, exampleEnv("8080"), "adapt", "--config", path, "--adapter", "caddyfile")
		if r.ExitCode != 0 {
			t.Fatalf("caddy adapt ended with status %d:\n%s", r.ExitCode, r.Stderr)
		}
		if strings.Contains(r.Stderr, `"level":"warn"`) {
			t.Errorf("caddy adapt warns:\n%s", r.Stderr)
		}
		if !strings.Contains(r.Stdout, `"handler":"ical_invite"`) {
			t.Errorf("the config does not use the plugin:\n%s", r.Stdout)
		}
	})
}
