package caddyicalmail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"slices"
	"strings"

	"github.com/wneessen/go-mail/smtp"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
)

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
	defer s.watch(ctx)()
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
		return nil, &outbox.Failure{Class: outbox.Unreachable, Err: fmt.Errorf("connecting: %w", err)}
	}
	if m.tlsMode != tlsImplicit {
		return conn, nil
	}
	encrypted := tls.Client(conn, m.tlsConfig)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, sessionError("TLS", err)
	}
	return encrypted, nil
}

// greet takes the session from the server's banner to a finished login.
func (m *smtpMailer) greet(s *session) error {
	s.extend()
	client, err := smtp.NewClient(ehloOnly{s.conn}, m.host)
	if err != nil {
		return sessionError("greeting", err)
	}
	s.client = client
	if err := client.Hello(m.heloFor(s.conn)); err != nil {
		return sessionError("EHLO", err)
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

// ehloOnly keeps go-mail from falling back to HELO when EHLO is refused for
// the moment: the session would come about, but without the extensions that
// encryption and login need, and it would look as if the server had none.
type ehloOnly struct{ net.Conn }

var errEHLO = errors.New("the server refuses EHLO")

// Write implements net.Conn. A command is written in one piece.
func (c ehloOnly) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("HELO ")) {
		return 0, errEHLO
	}
	return c.Conn.Write(p)
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
		return &outbox.Failure{Class: outbox.Refused, Err: errors.New("the server does not offer STARTTLS")}
	}
	s.extend()
	if err := s.client.StartTLS(m.tlsConfig); err != nil {
		return sessionError("STARTTLS", err)
	}
	return nil
}

func (m *smtpMailer) login(s *session) error {
	_, offered := s.client.Extension("AUTH")
	auth, err := m.auth(strings.Fields(strings.ToUpper(offered)))
	if err != nil {
		return &outbox.Failure{Class: outbox.Refused, Err: err}
	}
	s.extend()
	err = s.client.Auth(auth)
	if err == nil {
		return nil
	}
	return sessionError("AUTH", err)
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

// replyError classifies a failed step of a mail transaction: a 5xx is for
// good, everything else, also no answer at all, may pass.
func replyError(step string, err error) *outbox.Failure {
	failure := &outbox.Failure{Class: outbox.Temporary, Err: fmt.Errorf("%s: %w", step, err)}
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return failure
	}
	failure.Code = reply.Code
	switch {
	case slices.Contains(loginReplies, reply.Code):
		failure.Class = outbox.Refused
	case reply.Code >= 500 && reply.Code < 600:
		failure.Class = outbox.Permanent
	}
	return failure
}

// loginReplies are the codes by which a server asks for encryption or for
// (another) login at whatever command (RFC 4954, section 6; RFC 3207).
var loginReplies = []int{530, 534, 535, 538}

// sessionError classifies a failed step before the first mail transaction:
// what is refused for good there is refused to all messages. So is a
// certificate that is not trusted, or an answer that makes no sense.
func sessionError(step string, err error) *outbox.Failure {
	failure := replyError(step, err)
	switch {
	case failure.Class != outbox.Temporary, failure.Code == 0 && !isNetworkError(err):
		failure.Class = outbox.Refused
	default:
		failure.Class = outbox.Unreachable
	}
	return failure
}

// isNetworkError reports whether err is a connection's that broke or timed out.
func isNetworkError(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
