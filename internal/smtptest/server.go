// Package smtptest is a real SMTP server for tests, on a loopback port of its
// own, which can be told to misbehave in the ways that mail servers do.
package smtptest

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Step is a place in a mail transaction at which a Hook is asked.
type Step string

// The steps of a mail transaction.
const (
	StepConnect Step = "connect" // after EHLO
	StepAuth    Step = "auth"    // instead of checking the login
	StepMail    Step = "mail"
	StepRcpt    Step = "rcpt"
	StepData    Step = "data"     // before the message is read
	StepDataMid Step = "data-mid" // after some of the message was read
	StepDot     Step = "dot"      // after the message was taken, before the 250
)

// Event is what a Hook is told.
type Event struct {
	Step       Step
	Connection int // counts connections, from 1
	Message    int // counts messages of the connection, from 1
	From, To   string
	conn       *smtp.Conn
}

// ErrDrop makes the server close the connection without another word.
var ErrDrop = errors.New("drop the connection")

// Hook decides what happens at a step: nil goes on, an *smtp.SMTPError is
// answered to the client, ErrDrop closes the connection. A hook may block.
type Hook func(Event) error

// Message is a mail that the server took.
type Message struct {
	From, To, User, HELO string
	TLS, UTF8            bool
	Connection           int
	Data                 []byte
}

// Options describe a server. The zero value takes every mail, without TLS or
// login, and knows SMTPUTF8.
type Options struct {
	TLS      *tls.Config
	Implicit bool

	// Users maps names to passwords; if it is not nil, a login is required.
	Users map[string]string

	// Mechanisms are offered for login. Default: PLAIN.
	Mechanisms []string

	NoUTF8 bool
	Hook   Hook
}

// Server is a running mail server.
type Server struct {
	Addr string

	options     Options
	server      *smtp.Server
	mu          sync.Mutex
	connections int
	messages    []Message
}

// Start runs a server until the test ends.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s := &Server{options: o}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = listener.Addr().String()
	if o.Implicit {
		listener = tls.NewListener(listener, o.TLS)
	}
	s.server = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.server.Domain = "mail.test"
	s.server.AllowInsecureAuth = true
	s.server.EnableSMTPUTF8 = !o.NoUTF8
	s.server.ErrorLog = discard{}
	if !o.Implicit {
		s.server.TLSConfig = o.TLS
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = s.server.Close()
		<-done
	})
	return s
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// Messages returns the mails taken so far, oldest first.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.messages)
}

// Connections returns how many connections came as far as EHLO.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	s.connections++
	n := s.connections
	s.mu.Unlock()
	session := &session{server: s, conn: c, connection: n}
	if err := session.ask(StepConnect); err != nil {
		return nil, err
	}
	if s.options.Users != nil {
		return &authSession{session: session}, nil
	}
	return session, nil
}

// session is one connection. Its fields are used by the connection's own
// goroutine only.
type session struct {
	server     *Server
	conn       *smtp.Conn
	connection int
	count      int
	user       string
	from, to   string
	utf8       bool
}

func (s *session) ask(step Step) error {
	hook := s.server.options.Hook
	if hook == nil {
		return nil
	}
	err := hook(Event{Step: step, Connection: s.connection, Message: s.count, From: s.from, To: s.to, conn: s.conn})
	if errors.Is(err, ErrDrop) {
		_ = s.conn.Conn().Close()
	}
	return err
}

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	if s.server.options.Users != nil && s.user == "" {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.count++
	s.from, s.utf8 = from, o != nil && o.UTF8
	return s.ask(StepMail)
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.ask(StepRcpt)
}

func (s *session) Data(r io.Reader) error {
	if err := s.ask(StepData); err != nil {
		return err
	}
	start := make([]byte, 64)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if err := s.ask(StepDataMid); err != nil {
		return err
	}
	rest, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	_, encrypted := s.conn.TLSConnectionState()
	m := Message{
		From: s.from, To: s.to, User: s.user, HELO: s.conn.Hostname(), TLS: encrypted, UTF8: s.utf8,
		Connection: s.connection, Data: append(start[:n:n], rest...),
	}
	s.server.mu.Lock()
	s.server.messages = append(s.server.messages, m)
	s.server.mu.Unlock()
	return s.ask(StepDot)
}

func (s *session) Reset()        { s.from, s.to = "", "" }
func (s *session) Logout() error { return nil }

// authSession is a session that wants a login.
type authSession struct{ *session }

func (s *authSession) AuthMechanisms() []string {
	if s.server.options.Mechanisms != nil {
		return s.server.options.Mechanisms
	}
	return []string{sasl.Plain}
}

func (s *authSession) Auth(mechanism string) (sasl.Server, error) {
	if err := s.ask(StepAuth); err != nil {
		return nil, err
	}
	server := newSASL(mechanism, s.server.options.Users, func(user string) { s.user = user })
	if server == nil {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return server, nil
}
