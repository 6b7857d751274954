package caddyicalmail

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
)

// Transport says where messages go. At most one of its fields may be set.
type Transport struct {
	// Send messages to an SMTP server.
	SMTP *SMTP `json:"smtp,omitempty"`

	// Write each message as an .eml file into this directory instead, for
	// trying out and for tests. The directory is made when it is first needed.
	File string `json:"file,omitempty"`
}

// mailer delivers messages. An implementation holds no resources before its
// first delivery, so that a config can be validated without touching network
// or disk.
type mailer interface {
	outbox.Mailer

	// describe names the destination for logs, without secrets.
	describe() string

	// close lets go of what is kept between deliveries. A delivery under way
	// is not disturbed.
	close()
}

// transport is a provisioned Transport.
type transport struct {
	mailer

	// key is the mailer's name or, for an inline one, its destination. Stored
	// messages refer to their mailer by it.
	key string

	// connections is how many deliveries may run at once.
	connections int

	// fingerprint tells apart two inline transports with one key.
	fingerprint string
}

func (t Transport) isZero() bool { return t.SMTP == nil && t.File == "" }

// provision checks the transport and makes its mailer. The key is the given
// name, or is derived from the destination if name is empty.
func (t Transport) provision(repl *caddy.Replacer, name string) (*transport, error) {
	if t.SMTP != nil && t.File != "" {
		return nil, errors.New("smtp and file exclude each other")
	}
	// A Transport holds nothing but strings and numbers, so that marshaling
	// it cannot fail, and no secrets, which are placeholders here.
	fingerprint, _ := json.Marshal(t)
	made := &transport{key: name, fingerprint: string(fingerprint)}

	var derived string
	var err error
	if t.SMTP != nil {
		made.connections = cmp.Or(t.SMTP.Connections, defaultConnections)
		made.mailer, derived, err = newSMTPMailer(t.SMTP, repl)
	} else {
		made.connections = 1
		made.mailer, derived, err = newFileMailer(t.File, repl)
	}
	if err != nil {
		return nil, err
	}
	if made.key == "" {
		made.key = derived
	}
	return made, nil
}

// newFileMailer returns a mailer that writes into dir, and its key.
func newFileMailer(dir string, repl *caddy.Replacer) (mailer, string, error) {
	expanded, err := repl.ReplaceOrErr(dir, true, true)
	if err != nil {
		return nil, "", fmt.Errorf("expanding the directory of file: %w", err)
	}
	if expanded == "" {
		return nil, "", errors.New("file needs a directory")
	}
	absolute, err := filepath.Abs(expanded)
	if err != nil {
		return nil, "", fmt.Errorf("resolving directory %q: %w", expanded, err)
	}
	return &fileMailer{dir: absolute}, "file:" + absolute, nil
}
