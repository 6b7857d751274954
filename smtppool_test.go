package caddyicalmail

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/smtptest"
)

func TestConnectionIsReused(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{})
	m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off"}, nil)
	for range 250 {
		if err := m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Connections(); n != 3 || len(s.Messages()) != 250 {
		t.Errorf("%d messages over %d connections, want 250 over 3", len(s.Messages()), n)
	}
}

// TestServerClosesAfterMessages: a server may end the connection after some
// messages, in whatever way. That is no failure of the next message.
func TestServerClosesAfterMessages(t *testing.T) {
	for name, fault := range map[string]error{"dropped": smtptest.ErrDrop, "421": replyWith(421)} {
		t.Run(name, func(t *testing.T) {
			s := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
				if e.Step == smtptest.StepMail && e.Message > 3 {
					return fault
				}
				return nil
			}})
			m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off"}, nil)
			for range 10 {
				if err := m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")); err != nil {
					t.Fatal(err)
				}
			}
			if n := s.Connections(); n != 4 {
				t.Errorf("%d connections, want 4", n)
			}
		})
	}
}

// TestConnectionWithAnErrorIsNotReused: go-mail's client would send the next
// MAIL inside the failed transaction.
func TestConnectionWithAnErrorIsNotReused(t *testing.T) {
	s := smtptest.Start(t, smtptest.Options{Hook: func(e smtptest.Event) error {
		if e.Step == smtptest.StepRcpt && e.To == "nobody@example.net" {
			return replyWith(550)
		}
		return nil
	}})
	m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: "off"}, nil)
	for _, to := range []string{"ada@example.net", "nobody@example.net", "ada@example.net"} {
		_ = m.Deliver(t.Context(), sampleMessage(t, to))
	}
	if got := s.Messages(); len(got) != 2 || got[0].Connection != 1 || got[1].Connection != 2 {
		t.Errorf("got %+v", got)
	}
}

// TestNoLeaks: every socket and goroutine is gone after close, whatever went
// wrong before.
func TestNoLeaks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	t.Run("deliveries", func(t *testing.T) {
		server, _ := smtptest.Certificate(t)
		for _, o := range []smtptest.Options{{}, {TLS: server}, {Hook: func(e smtptest.Event) error {
			if e.Step == smtptest.StepConnect {
				return replyWith(554)
			}
			return nil
		}}} {
			s := smtptest.Start(t, o)
			for _, mode := range []string{"off", "starttls"} {
				m := newTestSMTP(t, SMTP{Address: s.Addr, TLS: mode}, nil)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() { _ = m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")) })
				}
				wg.Wait()
				m.close()
			}
		}
	})
}

func TestFailedSessionClosesItsSocket(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	closed := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("220 mail.test\r\n"))
		buffer := make([]byte, 1024)
		_, _ = conn.Read(buffer)
		_, _ = conn.Write([]byte("250 mail.test\r\n")) // no STARTTLS
		for err == nil {
			_, err = conn.Read(buffer)
		}
		closed <- nil
	}()
	m := newTestSMTP(t, SMTP{Address: listener.Addr().String()}, nil)
	if err := m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")); err == nil {
		t.Error("delivered without encryption")
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestEHLORefusedForNow: a server that is busy at EHLO is not one without
// extensions, even if it would take HELO.
func TestEHLORefusedForNow(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte("220 mail.test\r\n"))
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			reply := "250 mail.test\r\n"
			if strings.HasPrefix(lines.Text(), "EHLO") {
				reply = "451 busy\r\n"
			}
			_, _ = conn.Write([]byte(reply))
		}
	}()
	m := newTestSMTP(t, SMTP{Address: listener.Addr().String()}, nil)
	checkClass(t, m.Deliver(t.Context(), sampleMessage(t, "ada@example.net")), outbox.Unreachable, 451, false)
}
