package integration_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/integration/internal/caddytest"
	"github.com/caddyicalmail/caddyicalmail/internal/lint"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

// trust writes a certificate authority into a file, and returns the
// environment in which a process trusts it.
func trust(t *testing.T, authority []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(path, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	return "SSL_CERT_FILE=" + path
}

// smtpSite is a site that mails through a server with STARTTLS and login.
func smtpSite(server string) string {
	return site(`ical_invite {
		organizer booking@example.com "Practice Dr. Hopper"
		host grace@example.org "Dr. Grace Hopper"
		smtp ` + server + ` {
			username booking
			password {env.SMTP_PASSWORD}
		}
	}`)
}

func TestSTARTTLS(t *testing.T) {
	config, authority := smtptest.Certificate(t)
	server := smtptest.Start(t, smtptest.Options{TLS: config, Users: map[string]string{"booking": "open sesame"}})
	caddy := caddytest.Start(t, smtpSite(server.Addr), "SMTP_PASSWORD=open sesame", trust(t, authority))

	if a := caddy.PostJSON("/book", jsonBooking("Lovelace, Ada")); a.Status != http.StatusAccepted {
		t.Fatalf("booking: %d %s", a.Status, a.Body)
	}
	caddytest.Eventually(t, "both mails are there", func() bool { return len(server.Messages()) == 2 })
	got := map[string]bool{}
	for _, m := range server.Messages() {
		if !m.TLS || m.User != "booking" || m.UTF8 {
			t.Errorf("%s's mail came with TLS %t, as user %q, with SMTPUTF8 %t", m.To, m.TLS, m.User, m.UTF8)
		}
		if m.From != "booking@example.com" {
			t.Errorf("the sender is %s", m.From)
		}
		got[m.To] = true
		inv := checkInvitation(t, m.Data, lint.Options{Sender: m.From, Recipient: m.To})
		inv.checkTimes(t, booked(), booked().Add(time.Hour))
		inv.checkAttendees(t, map[string]string{"ada@example.net": "Lovelace, Ada", "grace@example.org": "Dr. Grace Hopper"})
	}
	if !got["ada@example.net"] || !got["grace@example.org"] {
		t.Errorf("the mails went to %v", got)
	}
}

// TestSTARTTLSUntrusted: a mail server that cannot prove who it is gets
// neither the password nor the mail.
func TestSTARTTLSUntrusted(t *testing.T) {
	config, _ := smtptest.Certificate(t)
	server := smtptest.Start(t, smtptest.Options{TLS: config, Users: map[string]string{"booking": "open sesame"}})
	caddy := caddytest.Start(t, smtpSite(server.Addr), "SMTP_PASSWORD=open sesame")
	caddy.PostJSON("/book", jsonBooking("Ada"))
	caddytest.Eventually(t, "the log tells of the certificate", func() bool {
		return strings.Contains(caddy.Output(), "certificate signed by unknown authority")
	})
	if n := len(server.Messages()); n != 0 {
		t.Errorf("the server has %d mails", n)
	}
}
