package caddyicalmail

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// maxDotWait is the longest wait for the verdict on a message, which is what
// RFC 5321, section 4.5.3.2.6, asks for.
const maxDotWait = 10 * time.Minute

// session is an SMTP connection that is ready for a mail transaction. It is
// used by one goroutine at a time.
type session struct {
	conn    net.Conn
	client  *smtp.Client
	timeout time.Duration
	sent    int       // messages taken so far
	idle    time.Time // since when it waits in the pool
}

// watch closes the connection when ctx ends, which is what ends a read that
// the server leaves hanging. The returned function ends the watch.
func (s *session) watch(ctx context.Context) func() {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	return func() { stop() }
}

// extend gives the server another timeout to answer.
func (s *session) extend() { _ = s.conn.SetDeadline(time.Now().Add(s.timeout)) }

// send does one mail transaction (RFC 5321, section 3.3). It returns nil if
// and only if the server answered 250 to the final dot.
func (s *session) send(m *store.NewMessage) error {
	from := fmt.Sprintf("MAIL FROM:<%s>", m.From)
	if m.To.NeedsSMTPUTF8() || m.From.NeedsSMTPUTF8() {
		if ok, _ := s.client.Extension("SMTPUTF8"); !ok {
			return &outbox.Failure{Class: outbox.Permanent, Err: errors.New("the server does not offer SMTPUTF8, which the address needs")}
		}
		// RFC 6531, section 3.4. BODY=8BITMIME goes with it, and is otherwise
		// not asked for because our messages are 7-bit.
		from += " BODY=8BITMIME SMTPUTF8"
	}
	if err := s.command("MAIL", 250, from); err != nil {
		return errBeforeMail{err}
	}
	if err := s.command("RCPT", 25, fmt.Sprintf("RCPT TO:<%s>", m.To)); err != nil {
		return err
	}
	if err := s.command("DATA", 354, "DATA"); err != nil {
		return err
	}
	return s.data(m.Raw)
}

// data sends the message's bytes and waits for the verdict. From here on a
// missing answer means that the message may have been taken.
func (s *session) data(raw []byte) error {
	s.extend()
	w := s.client.Text.DotWriter()
	if _, err := w.Write(raw); err != nil {
		// The dot is not sent: closing w now would hand over half a message.
		return replyError("message", err)
	}
	if err := w.Close(); err != nil {
		failed := replyError("message", err)
		failed.Reached = true
		return failed
	}
	// Giving up here sends the message twice, so that the server gets more
	// time than for other answers.
	_ = s.conn.SetDeadline(time.Now().Add(min(10*s.timeout, maxDotWait)))
	if _, _, err := s.client.Text.ReadResponse(250); err != nil {
		failed := replyError("final dot", err)
		failed.Reached = failed.Code == 0
		return failed
	}
	s.sent++
	return nil
}

// command sends one line and reads its answer. Neither line can hold a line
// break: addresses were validated when they were parsed.
func (s *session) command(name string, want int, line string) *outbox.Failure {
	s.extend()
	text := s.client.Text
	id, err := text.Cmd("%s", line)
	if err != nil {
		return replyError(name, err)
	}
	text.StartResponse(id)
	defer text.EndResponse(id)
	if _, _, err := text.ReadResponse(want); err != nil {
		return replyError(name, err)
	}
	return nil
}

// quitTimeout is how long to wait for the answer to a good-bye.
const quitTimeout = 2 * time.Second

// quit says good-bye and closes. Nothing depends on the answer.
func (s *session) quit() {
	s.timeout = min(s.timeout, quitTimeout)
	_ = s.command("QUIT", 221, "QUIT")
	s.close()
}

// close ends the connection at once. go-mail's own Close would first send
// QUIT, and leak the socket if that fails.
func (s *session) close() { _ = s.conn.Close() }
