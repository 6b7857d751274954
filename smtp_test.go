package caddyicalmail

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/emersion/go-smtp"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// newTestSMTP provisions a mailer for a server with a self-made certificate.
func newTestSMTP(t *testing.T, c SMTP, authority []byte) *smtpMailer {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = caddy.Duration(5 * time.Second)
	}
	made, _, err := newSMTPMailer(&c, caddy.NewReplacer())
	if err != nil {
		t.Fatal(err)
	}
	m := made.(*smtpMailer)
	t.Cleanup(m.close)
	if authority != nil {
		m.tlsConfig.RootCAs = x509.NewCertPool()
		m.tlsConfig.RootCAs.AppendCertsFromPEM(authority)
	}
	return m
}

func sampleMessage(t *testing.T, to string) *store.NewMessage {
	t.Helper()
	return &store.NewMessage{
		ID: "1", UID: "u", From: mustAddress(t, "booking@example.com"), To: mustAddress(t, to),
		Raw: []byte("Subject: x\r\n\r\n.a line that begins with a dot\r\n..\r\nend\r\n"),
	}
}

func TestSMTPLogins(t *testing.T) {
	t.Setenv("TEST_SMTP_PASSWORD", "s3cret, \"quoted\"")
	server, authority := smtptest.Certificate(t)
	for _, tt := range []struct {
		name, tls, auth string
		offered         []string
	}{
		{"starttls plain", "starttls", "plain", []string{"PLAIN", "LOGIN"}},
		{"starttls login", "starttls", "login", []string{"PLAIN", "LOGIN"}},
		{"starttls cram-md5", "starttls", "cram-md5", []string{"CRAM-MD5"}},
		{"starttls scram", "starttls", "scram-sha-256", []string{"SCRAM-SHA-256"}},
		{"starttls, only login offered", "starttls", "", []string{"LOGIN"}},
		{"implicit plain", "implicit", "plain", []string{"PLAIN"}},
		{"loopback in clear text", "off", "", []string{"PLAIN"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := smtptest.Start(t, smtptest.Options{
				TLS: server, Implicit: tt.tls == "implicit", Mechanisms: tt.offered,
				Users: map[string]string{"user": "s3cret, \"quoted\""},
			})
			m := newTestSMTP(t, SMTP{
				Address: s.Addr, TLS: tt.tls, Auth: tt.auth, Username: "user", Password: "{env.TEST_SMTP_PASSWORD}",
			}, authority)
			msg := sampleMessage(t, "ada@example.net")
			if err := m.Deliver(t.Context(), msg); err != nil {
				t.Fatal(err)
			}
			got := s.Messages()
			if len(got) != 1 || got[0].User != "user" || got[0].TLS != (tt.tls != "off") || got[0].UTF8 ||
				got[0].From != "booking@example.com" || got[0].To != "ada@example.net" || !bytes.Equal(got[0].Data, msg.Raw) {
				t.Errorf("got %+v", got)
			}
			if helo := got[0].HELO; !strings.Contains(helo, ".") {
				t.Errorf("EHLO %q is not fully qualified", helo)
			}
		})
	}
}

func TestSMTPUTF8OnlyWhenNeeded(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{})
	m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off"}, nil)
	for _, to := range []string{"ada@xn--mller-kva.example.net", "jörg@example.net"} {
		if err := m.Deliver(t.Context(), sampleMessage(t, to)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Messages(); got[0].UTF8 || !got[1].UTF8 {
		t.Errorf("SMTPUTF8 asked for: %v, %v; want false, true", got[0].UTF8, got[1].UTF8)
	}
	old := smtptest.Start(t, smtptest.Options{NoUTF8: true})
	err := newTestSMTP(t, SMTP{Address: old.Addr, TLS: "off"}, nil).Deliver(t.Context(), sampleMessage(t, "jörg@example.net"))
	checkClass(t, err, outbox.Permanent, 0, false)
}

func checkClass(t *testing.T, err error, class outbox.Class, code int, reached bool) {
	t.Helper()
	var failed *outbox.Failure
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a delivery error", err)
	}
	if failed.Class != class || failed.Code != code || failed.Reached != reached {
		t.Errorf("got %s, code %d, reached %v (%v); want %s, %d, %v",
			failed.Class, failed.Code, failed.Reached, failed.Err, class, code, reached)
	}
}

func replyWith(code int) error { return &smtp.SMTPError{Code: code, Message: "no"} }

// TestSMTPFailures tells what each kind of failure means for the message.
func TestSMTPFailures(t *testing.T) {
	for _, tt := range []struct {
		name    string
		step    smtptest.Step
		fault   error
		class   outbox.Class
		code    int
		reached bool
		taken   int
	}{
		{"421 at EHLO", smtptest.StepConnect, replyWith(421), outbox.Unreachable, 421, false, 0},
		{"554 at EHLO", smtptest.StepConnect, replyWith(554), outbox.Refused, 554, false, 0},
		{"dropped at EHLO", smtptest.StepConnect, smtptest.ErrDrop, outbox.Unreachable, 0, false, 0},
		{"451 at MAIL", smtptest.StepMail, replyWith(451), outbox.Temporary, 451, false, 0},
		{"530 at MAIL", smtptest.StepMail, replyWith(530), outbox.Refused, 530, false, 0},
		{"450 at RCPT, greylisted", smtptest.StepRcpt, replyWith(450), outbox.Temporary, 450, false, 0},
		{"550 at RCPT", smtptest.StepRcpt, replyWith(550), outbox.Permanent, 550, false, 0},
		{"dropped at RCPT", smtptest.StepRcpt, smtptest.ErrDrop, outbox.Temporary, 0, false, 0},
		{"552 for the message", smtptest.StepDot, replyWith(552), outbox.Permanent, 552, false, 1},
		{"452 for the message", smtptest.StepDot, replyWith(452), outbox.Temporary, 452, false, 1},
		{"dropped in the message", smtptest.StepDataMid, smtptest.ErrDrop, outbox.Temporary, 0, true, 0},
		{"dropped before the 250", smtptest.StepDot, smtptest.ErrDrop, outbox.Temporary, 0, true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
				if e.Step == tt.step {
					return tt.fault
				}
				return nil
			}})
			m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off"}, nil)
			checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), tt.class, tt.code, tt.reached)
			if got := len(s.Messages()); got != tt.taken {
				t.Errorf("the server has %d messages, want %d", got, tt.taken)
			}
		})
	}
}

func TestSMTPLoginRefused(t *testing.T) {
	t.Setenv("TEST_SMTP_PASSWORD", "wrong")
	s := smtptest.Start(t, smtptest.Options{Users: map[string]string{"user": "right"}})
	m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off", Username: "user", Password: "{env.TEST_SMTP_PASSWORD}"}, nil)
	err := m.Deliver(t.Context(), sampleMessage(t, "ada@example.net"))
	checkClass(t, err, outbox.Refused, 535, false)
	if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the error holds the password: %v", err)
	}
	m.mechanism = "CRAM-MD5"
	checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), outbox.Refused, 0, false)
}

func TestSMTPEncryptionRequired(t *testing.T) {
	plain := smtptest.Start(t, smtptest.Options{})
	m := newTestSMTP(t, SMTP{Address: plain.Addr}, nil)
	checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), outbox.Refused, 0, false)

	server, _ := smtptest.Certificate(t)
	for _, mode := range []string{"starttls", "implicit"} {
		untrusted := smtptest.Start(t, smtptest.Options{TLS: server, Implicit: mode == "implicit"})
		m := newTestSMTP(t, SMTP{Address: untrusted.Addr, TLS: mode}, nil)
		checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), outbox.Refused, 0, false)
		if len(untrusted.Messages()) > 0 {
			t.Error("mail was handed to a server with an untrusted certificate")
		}
	}
}

// TestSMTPContextEnds shows that a silent server does not hold a delivery
// longer than its context, at whichever step it falls silent.
func TestSMTPContextEnds(t *testing.T) {
	for _, step := range []smtptest.Step{smtptest.StepConnect, smtptest.StepRcpt, smtptest.StepDot} {
		t.Run(string(step), func(t *testing.T) {
			reached, release := make(chan struct{}), make(chan struct{})
			s := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
				if e.Step == step {
					close(reached)
					<-release
				}
				return nil
			}})
			defer close(release)
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-reached; cancel() }()
			m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off", Timeout: caddy.Duration(time.Minute)}, nil)
			class := outbox.Temporary
			if step == smtptest.StepConnect {
				class = outbox.Unreachable
			}
			checkClass(t, m.Deliver(ctx, sampleMessage(t, "ada@example.net")), class, 0, step == smtptest.StepDot)
		})
	}
}

// TestSMTPSilentBanner is a server that accepts the connection and says nothing.
func TestSMTPSilentBanner(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	m := newTestSMTP(t, SMTP{Address: listener.Addr().String(), TLS: "off", Timeout: caddy.Duration(50 * time.Millisecond)}, nil)
	checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), outbox.Unreachable, 0, false)
}

func TestSMTPConfig(t *testing.T) {
	t.Setenv("TEST_SMTP_PASSWORD", "x")
	const password = "{env.TEST_SMTP_PASSWORD}"
	for _, tt := range []struct {
		name   string
		config SMTP
		want   string // part of the error, or the key if there is none
	}{
		{"minimal", SMTP{Address: "mail.example.com:587"}, "smtp:mail.example.com:587:"},
		{"with user", SMTP{Address: "mail.example.com:465", Username: "u", Password: password}, "smtp:mail.example.com:465:u"},
		{"IPv6", SMTP{Address: "[::1]:25", TLS: "off", Username: "u", Password: password}, "smtp:[::1]:25:u"},
		{"no port", SMTP{Address: "mail.example.com"}, "not host:port"},
		{"bad port", SMTP{Address: "mail.example.com:smtpx"}, "is not a port"},
		{"clear text login", SMTP{Address: "mail.example.com:25", TLS: "off", Username: "u", Password: password}, "clear text"},
		{"literal password", SMTP{Address: "mail.example.com:25", Username: "u", Password: "hunter2"}, "must be a placeholder"},
		{"unset password", SMTP{Address: "mail.example.com:25", Username: "u", Password: "{env.TEST_NOT_SET}"}, "TEST_NOT_SET"},
		{"missing file", SMTP{Address: "mail.example.com:25", Username: "u", Password: "{file./does/not/exist}"}, "/does/not/exist"},
		{"user without password", SMTP{Address: "mail.example.com:25", Username: "u"}, "go together"},
		{"unknown auth", SMTP{Address: "mail.example.com:25", Username: "u", Password: password, Auth: "ntlm"}, "not \"ntlm\""},
		{"unknown tls", SMTP{Address: "mail.example.com:25", TLS: "maybe"}, "not \"maybe\""},
		{"helo without a dot", SMTP{Address: "mail.example.com:25", HELO: "vm"}, "fully qualified"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, key, err := newSMTPMailer(&tt.config, caddy.NewReplacer())
			got := key
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, tt.want) || strings.Contains(got, "hunter2") {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}
