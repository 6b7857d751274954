package caddyicalmail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// smtpMailer delivers messages to one mail server.
type smtpMailer struct {
	host, port, helo   string
	tlsMode            string
	tlsConfig          *tls.Config
	mechanism          string // SASL mechanism, or empty for the first that is offered
	username, password string
	timeout            time.Duration
}

func (m *smtpMailer) describe() string { return "smtp " + net.JoinHostPort(m.host, m.port) }

// deliver sends one message over a connection of its own. It ends no later
// than ctx, or timeout after the server last said something.
func (m *smtpMailer) deliver(ctx context.Context, msg *store.NewMessage) error {
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.send(msg); err != nil {
		return err
	}
	s.quit()
	return nil
}

// session is an SMTP connection that is ready for a mail transaction.
type session struct {
	conn    net.Conn
	client  *smtp.Client
	timeout time.Duration
	unwatch func() bool
}

// open dials, encrypts and logs in. The steps are taken one by one on
// go-mail's smtp.Client rather than through its DialToSMTPClientWithContext,
// which leaks the socket when a step after the dial fails, ends with ctx only
// while dialing, and does not tell which step failed.
func (m *smtpMailer) open(ctx context.Context) (*session, error) {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	s := &session{conn: conn, timeout: m.timeout}
	// Closing the connection is what ends a read that the server leaves
	// hanging. It needs no lock of the client's.
	s.unwatch = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := m.greet(s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (m *smtpMailer) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, m.timeout)
	defer cancel()
	address := net.JoinHostPort(m.host, m.port)
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &deliveryError{Class: classTemporary, Err: fmt.Errorf("connecting: %w", err)}
	}
	if m.tlsMode != tlsImplicit {
		return conn, nil
	}
	encrypted := tls.Client(conn, m.tlsConfig)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, mailerError("TLS", err)
	}
	return encrypted, nil
}

// greet takes the session from the server's banner to a finished login.
func (m *smtpMailer) greet(s *session) error {
	s.extend()
	client, err := smtp.NewClient(s.conn, m.host)
	if err != nil {
		return mailerError("greeting", err)
	}
	s.client = client
	if err := client.Hello(m.heloFor(s.conn)); err != nil {
		return mailerError("EHLO", err)
	}
	if m.tlsMode == tlsStartTLS {
		if err := m.startTLS(s); err != nil {
			return err
		}
	}
	if m.username == "" {
		return nil
	}
	return m.login(s)
}

// heloFor is the name to say in EHLO (RFC 5321, sections 4.1.1.1 and 4.1.3).
func (m *smtpMailer) heloFor(conn net.Conn) string {
	if m.helo != "" {
		return m.helo
	}
	tcp, ok := conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return "[127.0.0.1]"
	}
	if ip4 := tcp.IP.To4(); ip4 != nil {
		return "[" + ip4.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

func (m *smtpMailer) startTLS(s *session) error {
	if ok, _ := s.client.Extension("STARTTLS"); !ok {
		return &deliveryError{Class: classMailer, Err: errors.New("the server does not offer STARTTLS")}
	}
	s.extend()
	if err := s.client.StartTLS(m.tlsConfig); err != nil {
		return mailerError("STARTTLS", err)
	}
	return nil
}

func (m *smtpMailer) login(s *session) error {
	_, offered := s.client.Extension("AUTH")
	auth, err := m.auth(strings.Fields(strings.ToUpper(offered)))
	if err != nil {
		return &deliveryError{Class: classMailer, Err: err}
	}
	s.extend()
	err = s.client.Auth(auth)
	if err == nil {
		return nil
	}
	return mailerError("AUTH", err)
}

// auth chooses the mechanism. What clear text could give away is ruled out
// when the config is loaded, so that the mechanisms need not check again.
func (m *smtpMailer) auth(offered []string) (smtp.Auth, error) {
	for _, known := range authMechanisms {
		if m.mechanism != "" && m.mechanism != known.mechanism {
			continue
		}
		if !slices.Contains(offered, known.mechanism) {
			continue
		}
		switch known.mechanism {
		case "PLAIN":
			return smtp.PlainAuth("", m.username, m.password, m.host, true), nil
		case "LOGIN":
			return smtp.LoginAuth(m.username, m.password, m.host, true), nil
		case "SCRAM-SHA-256":
			return smtp.ScramSHA256Auth(m.username, m.password), nil
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(m.username, m.password), nil
		}
	}
	return nil, errors.New("the server does not offer a login mechanism that may be used")
}

// extend gives the server another timeout to answer.
func (s *session) extend() { _ = s.conn.SetDeadline(time.Now().Add(s.timeout)) }

// send does one mail transaction (RFC 5321, section 3.3). It returns nil if
// and only if the server answered 250 to the final dot.
func (s *session) send(m *store.NewMessage) error {
	from := fmt.Sprintf("MAIL FROM:<%s>", m.From)
	if m.To.NeedsSMTPUTF8() || m.From.NeedsSMTPUTF8() {
		if ok, _ := s.client.Extension("SMTPUTF8"); !ok {
			return &deliveryError{Class: classPermanent, Err: errors.New("the server does not offer SMTPUTF8, which the address needs")}
		}
		// RFC 6531, section 3.4. BODY=8BITMIME goes with it, and is otherwise
		// not asked for because our messages are 7-bit.
		from += " BODY=8BITMIME SMTPUTF8"
	}
	if err := s.command("MAIL", 250, from); err != nil {
		return err
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
	s.extend()
	if _, _, err := s.client.Text.ReadResponse(250); err != nil {
		failed := replyError("final dot", err)
		failed.Reached = failed.Code == 0
		return failed
	}
	return nil
}

// command sends one line and reads its answer. Neither line can hold a line
// break: addresses were validated when they were parsed.
func (s *session) command(name string, want int, line string) error {
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

// quit says good-bye politely. Whatever comes of it, the message was taken.
func (s *session) quit() {
	s.extend()
	_ = s.command("QUIT", 221, "QUIT")
}

// close ends the connection at once.
func (s *session) close() {
	s.unwatch()
	_ = s.conn.Close()
}

// replyError classifies a failed step: a 5xx is for good, everything else,
// also no answer at all, may pass.
func replyError(step string, err error) *deliveryError {
	failed := &deliveryError{Class: classTemporary, Err: fmt.Errorf("%s: %w", step, err)}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return failed
	}
	failed.Code = reply.Code
	switch {
	case slices.Contains(loginReplies, reply.Code):
		failed.Class = classMailer
	case reply.Code >= 500 && reply.Code < 600:
		failed.Class = classPermanent
	}
	return failed
}

// loginReplies are the codes by which a server asks for encryption or for
// (another) login at whatever command (RFC 4954, section 6; RFC 3207).
var loginReplies = []int{530, 534, 535, 538}

// mailerError is replyError for the steps before a mail transaction: what is
// refused for good there says nothing about the message. Neither does a
// certificate that is not trusted, or an answer that makes no sense.
func mailerError(step string, err error) *deliveryError {
	failed := replyError(step, err)
	if failed.Class == classPermanent || failed.Code == 0 && !isNetworkError(err) {
		failed.Class = classMailer
	}
	return failed
}

// isNetworkError reports whether err is a connection's that broke or timed out.
func isNetworkError(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
