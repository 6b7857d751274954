package integration_test

import (
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

const (
	secretUser = "mailer"
	secret     = "Kf7-unique-Qz"
)

// secretSite logs in to a mail server with a password from a placeholder, and
// logs as much as Caddy can.
func secretSite(server, placeholder string) string {
	return "{\n\tdebug\n}\n" + site(`log
	ical_invite {
		organizer booking@example.com
		host grace@example.org
		smtp `+server+` {
			username `+secretUser+`
			password `+placeholder+`
			tls off
		}
	}`)
}

// TestSecretsStayPlaceholders looks for a password everywhere that a config
// and a log can be read, after it was used.
func TestSecretsStayPlaceholders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, placeholder := range map[string]string{"env": "{env.TEST_PASSWORD}", "file": "{file." + file + "}"} {
		t.Run(name, func(t *testing.T) {
			server := smtptest.Start(t, smtptest.Options{Users: map[string]string{secretUser: secret}})
			config := secretSite(server.Addr, placeholder)
			env := []string{"TEST_PASSWORD=" + secret}
			home := caddytest.NewHome(t)
			adapted := home.Command(t, env, "adapt", "--config", home.WriteCaddyfile(t, config), "--adapter", "caddyfile")
			caddy := home.Start(t, config, env...)
			if a := caddy.PostJSON("/book", jsonBooking("Ada")); a.Status != http.StatusAccepted {
				t.Fatalf("booking: %d %s", a.Status, a.Body)
			}
			caddytest.Eventually(t, "both mails are sent", func() bool { return len(server.Messages()) == 2 })
			autosave, err := os.ReadFile(caddy.Autosave())
			if err != nil {
				t.Fatal(err)
			}
			running := caddy.Config()
			caddy.Terminate()
			for where, text := range map[string]string{
				"caddy adapt": adapted.Stdout + adapted.Stderr, "the admin API": running, "the autosave file": string(autosave),
			} {
				if !strings.Contains(text, placeholder) {
					t.Errorf("%s does not show the placeholder: %s", where, text)
				}
				checkNoSecret(t, where, text)
			}
			checkNoSecret(t, "the log", caddy.Output())
		})
	}
}

// checkNoSecret looks for the password, and for the forms in which SMTP
// carries it.
func checkNoSecret(t *testing.T, where, text string) {
	t.Helper()
	forms := []string{
		secret,
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("\x00" + secretUser + "\x00" + secret)),
	}
	for _, form := range forms {
		if strings.Contains(text, form) {
			t.Errorf("%s shows the password as %s", where, form)
		}
	}
}

// TestMissingSecret: a config whose password is not there must not be loaded,
// because it would only fail when the first client books.
func TestMissingSecret(t *testing.T) {
	for _, tt := range []struct{ name, placeholder, want string }{
		{"variable", "{env.NO_SUCH_PASSWORD}", "env.NO_SUCH_PASSWORD"},
		{"file", "{file./no/such/password}", "file./no/such/password"},
		{"literal", "swordfish-7", "must be a placeholder"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := caddytest.NewHome(t)
			config := home.WriteCaddyfile(t, secretSite("127.0.0.1:25", tt.placeholder))
			r := home.Command(t, nil, "validate", "--config", config, "--adapter", "caddyfile")
			if r.ExitCode == 0 || !strings.Contains(r.Stderr, tt.want) {
				t.Errorf("caddy validate ended with status %d, want an error with %q:\n%s", r.ExitCode, tt.want, r.Stderr)
			}
			// Caddy's own debug log shows the config that was asked for, but
			// our explanation, which is the last line, must not repeat it.
			last := afterLast(strings.TrimSpace(r.Stderr), "\n")
			if tt.name == "literal" && strings.Contains(last, tt.placeholder) {
				t.Errorf("the error shows the password:\n%s", last)
			}
		})
	}
}
