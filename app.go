package caddyicalmail

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func init() {
	caddy.RegisterModule(new(App))
}

const (
	defaultRetryFor = caddy.Duration(72 * time.Hour)
	defaultRetain   = caddy.Duration(30 * 24 * time.Hour)
)

// App is what all `ical_invite` handlers of a config share: the defaults for
// organizer and transport, the mailers that handlers choose by name, the store
// of events and messages, and the outbox that delivers them. It may be left
// out, when every handler says everything itself.
//
// These events are emitted, with ids and classes of failures, but without
// addresses: `ical_invite.queued`, `ical_invite.pending`, `ical_invite.cancelled`, `ical_invite.sent`,
// `ical_invite.deferred`, `ical_invite.failed`, `ical_invite.suspended`,
// `ical_invite.resumed`, and `ical_invite.lost` when a back end took a booking
// whose invitation could not be committed.
type App struct {
	// The organizer of handlers that name none.
	Organizer *Mailbox `json:"organizer,omitempty"`

	// Where the messages of handlers go that name no mailer.
	Transport

	// Further mailers, by the name with which handlers choose them.
	Mailers map[string]*Transport `json:"mailers,omitempty"`

	// Where events and messages are kept until they are sent, and after.
	Store *StoreConfig `json:"store,omitempty"`

	// How many messages are delivered at once, over all mailers. Default: as
	// many as the mailers have connections.
	Workers int `json:"workers,omitempty"`

	// For how long a message is retried, but never past the event's end.
	// Default: 72h.
	RetryFor caddy.Duration `json:"retry_for,omitempty"`

	// How long an event is kept after its end. Default: 30d.
	Retain caddy.Duration `json:"retain,omitempty"`

	// The keys that sign links and forms, as placeholders of at least 32
	// characters: the first signs, all are good for what was signed before.
	// The word `stored` stands for a key that is made once and kept in the
	// store. Default: `stored`.
	Keys []string `json:"keys,omitempty"`

	// Whether logs may hold the addresses of clients, guests and hosts, and what
	// mail servers reply to the letter. Default: false.
	LogPII bool `json:"log_pii,omitempty"`

	now       func() time.Time
	observer  *observer
	organizer *booking.Person
	transport *transport // the default, or nil

	// transports holds every mailer of the config by its key, also the inline
	// ones of the handlers.
	transports map[string]*transport
	storePath  string
	running    *generation

	// keys are the resolved keys, nil for the stored one; signs tells whether
	// any handler needs them.
	keys  [][]byte
	signs bool

	// handlers are those that have a name, byScope all, and wanted the names
	// that pages asked for.
	handlers map[string]*Handler
	byScope  map[string][]*Handler
	wanted   []string
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "ical_invite",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision checks the shared configuration. It opens nothing, because
// `caddy validate` runs it too, beside a Caddy that has the store open.
func (a *App) Provision(ctx caddy.Context) error {
	if a.RetryFor == 0 {
		a.RetryFor = defaultRetryFor
	}
	if a.Retain == 0 {
		a.Retain = defaultRetain
	}
	a.now = time.Now
	a.observer = &observer{ctx: ctx, logger: ctx.Logger(), pii: a.LogPII}
	if err := registerMetrics(ctx.GetMetricsRegistry()); err != nil {
		return err
	}
	if err := a.findEvents(ctx); err != nil {
		return err
	}
	a.transports = make(map[string]*transport)
	a.handlers, a.byScope = make(map[string]*Handler), make(map[string][]*Handler)
	a.running = newGeneration()
	repl := caddy.NewReplacer()
	var err error
	if a.storePath, err = a.Store.resolve(repl); err != nil {
		return err
	}
	if a.Organizer != nil {
		organizer, err := a.Organizer.person(repl, "organizer")
		if err != nil {
			return err
		}
		a.organizer = &organizer
	}
	if err := a.resolveKeys(repl); err != nil {
		return err
	}
	return a.setMailers(repl)
}

func (a *App) setMailers(repl *caddy.Replacer) error {
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
		if !mailerName.MatchString(name) {
			return fmt.Errorf("the name of mailer %q must be letters, digits, dots, hyphens and underscores", name)
		}
		t, err := config.provision(repl, name)
		if err != nil {
			return fmt.Errorf("setting up mailer %q: %w", name, err)
		}
		a.transports[name] = t
	}
	return nil
}

// Validate implements caddy.Validator.
func (a *App) Validate() error {
	switch {
	case a.Workers < 0:
		return errors.New("workers must be positive")
	case a.RetryFor < 0:
		return errors.New("retry_for must be positive")
	case a.Retain < 0:
		return errors.New("retain must be positive")
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

// Start opens the store and begins to deliver.
func (a *App) Start() error {
	if err := a.checkWanted(); err != nil {
		return err
	}
	if err := a.running.start(a); err != nil {
		return fmt.Errorf("starting the outbox: %w", err)
	}
	a.reportReady(a.observer.ctx)
	return nil
}

// Stop ends the delivering of further messages. Bookings are still accepted,
// because the HTTP app may stop after this one.
func (a *App) Stop() error {
	a.running.stop()
	return nil
}

// Cleanup gives the store back once the last request and the last delivery of
// this config have ended.
func (a *App) Cleanup() error {
	if a.running != nil { // it is nil if Provision failed
		a.running.cleanup()
	}
	return nil
}

// Interface guards
var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.Validator    = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
