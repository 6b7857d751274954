package caddyicalmail

import (
	"errors"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func init() {
	caddy.RegisterModule(new(App))
}

// App is what all `ical_invite` handlers of a config share: the defaults for
// organizer and transport, and the mailers that handlers choose by name. It
// may be left out, when every handler says everything itself.
type App struct {
	// The organizer of handlers that name none.
	Organizer *Mailbox `json:"organizer,omitempty"`

	// Where the messages of handlers go that name no mailer.
	Transport

	// Further mailers, by the name with which handlers choose them.
	Mailers map[string]*Transport `json:"mailers,omitempty"`

	logger    *zap.Logger
	organizer *booking.Person
	transport *transport // the default, or nil

	// transports holds every mailer of the config by its key, also the inline
	// ones of the handlers.
	transports map[string]*transport
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "ical_invite",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision checks the shared configuration. It opens nothing.
func (a *App) Provision(ctx caddy.Context) error {
	a.logger = ctx.Logger()
	a.transports = make(map[string]*transport)
	repl := caddy.NewReplacer()
	if a.Organizer != nil {
		organizer, err := a.Organizer.person(repl, "organizer")
		if err != nil {
			return err
		}
		a.organizer = &organizer
	}
	if !a.Transport.isZero() {
		t, err := a.adopt(a.Transport, repl)
		if err != nil {
			return fmt.Errorf("setting up the default mailer: %w", err)
		}
		a.transport = t
	}
	for name, config := range a.Mailers {
		if config == nil || config.isZero() {
			return fmt.Errorf("mailer %q needs smtp or file", name)
		}
		t, err := config.provision(repl, name)
		if err != nil {
			return fmt.Errorf("setting up mailer %q: %w", name, err)
		}
		a.transports[name] = t
	}
	return nil
}

// adopt provisions an inline transport, which it shares with others that go
// to the same destination in the same way.
func (a *App) adopt(config Transport, repl *caddy.Replacer) (*transport, error) {
	t, err := config.provision(repl, "")
	if err != nil {
		return nil, err
	}
	known, ok := a.transports[t.key]
	if !ok {
		a.transports[t.key] = t
		return t, nil
	}
	if known.fingerprint != t.fingerprint {
		return nil, fmt.Errorf("%s is set up in two different ways: make them mailers with names in the global block", t.key)
	}
	return known, nil
}

// lookup finds the transport of a handler: its own, the named one, or the
// default.
func (a *App) lookup(own Transport, name string, repl *caddy.Replacer) (*transport, error) {
	switch {
	case name != "" && !own.isZero():
		return nil, errors.New("mailer excludes smtp and file")
	case name != "":
		if _, ok := a.Mailers[name]; !ok {
			return nil, fmt.Errorf("there is no mailer %q in the global block", name)
		}
		return a.transports[name], nil
	case !own.isZero():
		return a.adopt(own, repl)
	case a.transport != nil:
		return a.transport, nil
	default:
		return nil, errors.New("there is nowhere to send to: add smtp <host:port>, file <dir> or mailer <name>")
	}
}

// Start implements caddy.App.
func (a *App) Start() error {
	for key, t := range a.transports {
		a.logger.Info("mailer ready", zap.String("mailer", key), zap.String("destination", t.describe()))
	}
	return nil
}

// Stop implements caddy.App.
func (a *App) Stop() error { return nil }

// Interface guards
var (
	_ caddy.App         = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
