package caddyicalmail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

const (
	// idleTime is how long an unused connection is kept, and maxPerSession how
	// many messages go over one: servers end both at limits of their own, and
	// it is better to be the one who decides.
	idleTime      = 45 * time.Second
	maxPerSession = 100
)

// smtpMailer delivers messages to one mail server, over connections that it
// keeps for a while. How many there are at once is the caller's affair.
type smtpMailer struct {
	host, port, helo   string
	tlsMode            string
	tlsConfig          *tls.Config
	mechanism          string // SASL mechanism, or empty for the first that is offered
	username, password string
	timeout            time.Duration

	mu     sync.Mutex
	idle   []*session // the most recently used one is the last
	reaper *time.Timer
	closed bool
}

func (m *smtpMailer) describe() string { return "smtp " + net.JoinHostPort(m.host, m.port) }

// Deliver sends one message and returns nil if and only if the server answered
// 250 to the final dot. A connection on which anything failed is not used
// again.
func (m *smtpMailer) Deliver(ctx context.Context, msg *store.NewMessage) error {
	if s := m.take(); s != nil {
		err := m.send(ctx, s, msg)
		if !wasStale(err) {
			return err
		}
		// The server had closed the connection while it was idle, or closes
		// it now because it has served enough: that is no failure.
	}
	s, err := m.open(ctx)
	if err != nil {
		return err
	}
	return m.send(ctx, s, msg)
}

// send uses s for one message and then keeps or closes it.
func (m *smtpMailer) send(ctx context.Context, s *session, msg *store.NewMessage) error {
	unwatch := s.watch(ctx)
	err := s.send(msg)
	unwatch()
	if err != nil {
		s.close()
		return err
	}
	m.keep(s)
	return nil
}

// errBeforeMail marks the failure of a transaction's first command.
type errBeforeMail struct{ *outbox.Failure }

func (e errBeforeMail) Unwrap() error { return e.Failure }

// wasStale reports whether a kept connection turned out to be unusable before
// the server heard anything of the message.
func wasStale(err error) bool {
	var first errBeforeMail
	return errors.As(err, &first) && (first.Code == 0 || first.Code == 421)
}

// take returns an idle connection, or nil.
func (m *smtpMailer) take() *session {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.idle) == 0 {
		return nil
	}
	last := len(m.idle) - 1
	s := m.idle[last]
	m.idle = m.idle[:last]
	return s
}

// keep puts a connection back, unless it has served its time.
func (m *smtpMailer) keep(s *session) {
	s.idle = time.Now()
	m.mu.Lock()
	full := m.closed || s.sent >= maxPerSession
	if !full {
		m.idle = append(m.idle, s)
		if m.reaper == nil {
			m.reaper = time.AfterFunc(idleTime, m.reap)
		}
	}
	m.mu.Unlock()
	if full {
		go s.quit() // the message was taken: its sender need not wait for this
	}
}

// reap closes the connections that were idle for too long.
func (m *smtpMailer) reap() {
	m.mu.Lock()
	var old []*session
	for len(m.idle) > 0 && time.Since(m.idle[0].idle) >= idleTime {
		old, m.idle = append(old, m.idle[0]), m.idle[1:]
	}
	m.reaper = nil
	if len(m.idle) > 0 {
		m.reaper = time.AfterFunc(max(idleTime-time.Since(m.idle[0].idle), time.Second), m.reap)
	}
	m.mu.Unlock()
	for _, s := range old {
		s.quit()
	}
}

// close ends all idle connections, and those in use after their message. It
// does not wait for the servers' answers to the good-byes.
func (m *smtpMailer) close() {
	m.mu.Lock()
	idle := m.idle
	m.idle, m.closed = nil, true
	if m.reaper != nil {
		m.reaper.Stop()
	}
	m.mu.Unlock()
	for _, s := range idle {
		go s.quit()
	}
}
