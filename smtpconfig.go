package caddyicalmail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"golang.org/x/net/idna"
)

// The TLS modes of an SMTP connection.
const (
	tlsStartTLS = "starttls"
	tlsImplicit = "implicit"
	tlsOff      = "off"
)

const (
	defaultConnections = 4
	maxConnections     = 16
	defaultSMTPTimeout = 30 * time.Second
	implicitTLSPort    = "465" // RFC 8314, section 3.3
)

// authMechanisms are the words of the `auth` option and the SASL mechanisms
// that they stand for. The order is the one in which a mechanism is chosen
// when the option is left out: over TLS the plain ones are as safe as the
// others and the best supported.
var authMechanisms = []struct{ word, mechanism string }{
	{"plain", "PLAIN"},
	{"login", "LOGIN"},
	{"scram-sha-256", "SCRAM-SHA-256"},
	{"cram-md5", "CRAM-MD5"},
}

// SMTP is a mail server that takes messages from authenticated or local
// clients (RFC 6409). All strings may hold placeholders that are known when
// the config is loaded.
type SMTP struct {
	// The server's `host:port`. Required.
	Address string `json:"address,omitempty"`

	// The user to log in as. Without one, nobody is logged in.
	Username string `json:"username,omitempty"`

	// The password, as a placeholder such as `{env.SMTP_PASSWORD}` or
	// `{file./run/secrets/smtp}`. A literal password is refused, because the
	// config can be read through the admin API.
	Password string `json:"password,omitempty"`

	// How to log in: `plain`, `login`, `cram-md5` or `scram-sha-256`.
	// Default: the first of plain, login, scram-sha-256, cram-md5 that the
	// server offers.
	Auth string `json:"auth,omitempty"`

	// How the connection is encrypted: `starttls` (required to succeed),
	// `implicit`, or `off`, which is only possible without credentials or to
	// a loopback address. Default: implicit on port 465, else starttls.
	TLS string `json:"tls,omitempty"`

	// The name to say in EHLO: a fully qualified domain name or an address
	// literal. Default: the machine's name if it is fully qualified, else the
	// connection's own address as a literal.
	HELO string `json:"helo,omitempty"`

	// How long to wait for a connection or for a single answer of the server.
	// Default: 30s.
	Timeout caddy.Duration `json:"timeout,omitempty"`

	// How many messages are delivered at once, each over a connection of its
	// own, from 1 to 16. Connections are kept for a while and used again.
	// Default: 4.
	Connections int `json:"connections,omitempty"`
}

// newSMTPMailer checks c and returns its mailer and key. It opens nothing.
func newSMTPMailer(c *SMTP, repl *caddy.Replacer) (mailer, string, error) {
	m := &smtpMailer{timeout: time.Duration(c.Timeout)}
	if m.timeout == 0 {
		m.timeout = defaultSMTPTimeout
	}
	if m.timeout < 0 {
		return nil, "", errors.New("smtp timeout must be positive")
	}
	if c.Connections < 0 || c.Connections > maxConnections {
		return nil, "", fmt.Errorf("smtp connections must be 1 to %d", maxConnections)
	}
	for _, step := range []func(*SMTP, *caddy.Replacer) error{m.setAddress, m.setHELO, m.setTLS, m.setLogin} {
		if err := step(c, repl); err != nil {
			return nil, "", fmt.Errorf("smtp: %w", err)
		}
	}
	return m, fmt.Sprintf("smtp:%s:%s", net.JoinHostPort(m.host, m.port), m.username), nil
}

func (m *smtpMailer) setAddress(c *SMTP, repl *caddy.Replacer) error {
	address, err := repl.ReplaceOrErr(c.Address, true, true)
	if err != nil {
		return fmt.Errorf("expanding the address: %w", err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%q is not host:port", address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("%q is not a port", port)
	}
	m.host, m.port = host, port
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if m.host, err = idna.Lookup.ToASCII(host); err != nil {
		return fmt.Errorf("%q is not a host name", host)
	}
	return nil
}

func (m *smtpMailer) setHELO(c *SMTP, repl *caddy.Replacer) error {
	helo, err := repl.ReplaceOrErr(c.HELO, true, true)
	if err != nil {
		return fmt.Errorf("expanding helo: %w", err)
	}
	if helo == "" {
		m.helo = defaultHELO()
		return nil
	}
	if strings.ContainsFunc(helo, func(r rune) bool { return r <= ' ' || r > '~' }) ||
		!strings.Contains(helo, ".") && !strings.HasPrefix(helo, "[") {
		return fmt.Errorf("helo %q is neither a fully qualified domain name nor an address literal", helo)
	}
	m.helo = helo
	return nil
}

// defaultHELO is the machine's name, or empty if it is not one that other
// servers accept: Postfix's reject_non_fqdn_helo_hostname answers a bare
// "localhost" with 504.
func defaultHELO() string {
	name, err := os.Hostname()
	if err != nil || !strings.Contains(name, ".") {
		return ""
	}
	name, err = idna.Lookup.ToASCII(name)
	if err != nil {
		return ""
	}
	return name
}

func (m *smtpMailer) setTLS(c *SMTP, _ *caddy.Replacer) error {
	m.tlsMode = c.TLS
	switch c.TLS {
	case tlsStartTLS, tlsImplicit:
	case tlsOff:
		if c.Username != "" && !isLoopback(m.host) {
			return errors.New("tls off would send the login in clear text: use starttls or implicit, " +
				"or leave out the username, or use a loopback address")
		}
	case "":
		m.tlsMode = tlsStartTLS
		if m.port == implicitTLSPort {
			m.tlsMode = tlsImplicit
		}
	default:
		return fmt.Errorf("tls is starttls, implicit or off, not %q", c.TLS)
	}
	m.tlsConfig = &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (m *smtpMailer) setLogin(c *SMTP, repl *caddy.Replacer) error {
	if (c.Username == "") != (c.Password == "") {
		return errors.New("username and password go together")
	}
	if c.Auth != "" {
		if c.Username == "" {
			return errors.New("auth needs a username and a password")
		}
		i := slices.IndexFunc(authMechanisms, func(a struct{ word, mechanism string }) bool { return a.word == c.Auth })
		if i < 0 {
			return fmt.Errorf("auth is plain, login, cram-md5 or scram-sha-256, not %q", c.Auth)
		}
		m.mechanism = authMechanisms[i].mechanism
	}
	if c.Username == "" {
		return nil
	}
	var err error
	if m.username, err = repl.ReplaceOrErr(c.Username, true, true); err != nil {
		return fmt.Errorf("expanding username: %w", err)
	}
	m.password, err = secret(repl, c.Password, "smtp password")
	return err
}
