package caddyicalmail

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// startWait is how long a request waits for the app: Caddy starts its apps in
// random order, so that HTTP may be served first.
const startWait = 5 * time.Second

// mailerName is what a mailer may be called. A colon would make it look like
// the key of an inline mailer.
var mailerName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// retryScale multiplies all retry delays if it is set when the program is
// linked, which only tests do.
var retryScale string

var (
	errNotStarted = errors.New("the outbox is not ready yet")
	errReplaced   = errors.New("the configuration was replaced")
)

// generation is the running part of one config: its reference to the store
// and its workers. Generations overlap during a reload.
type generation struct {
	ready  chan struct{} // closed by start
	reopen func() (store.Store, func(), error)
	life   *lifetime
	store  store.Store
	outbox *outbox.Outbox
	keys   *token.Keyring // nil if nothing is signed
}

func newGeneration() *generation { return &generation{ready: make(chan struct{})} }

func (g *generation) start(a *App) error {
	var scale float64
	if retryScale != "" {
		if _, err := fmt.Sscan(retryScale, &scale); err != nil {
			return fmt.Errorf("reading the retry scale: %w", err)
		}
	}
	s, release, err := openStore(a.storePath, a.observer.logger)
	if err != nil {
		return err
	}
	keys, err := a.keyring(context.Background(), s)
	if err != nil {
		release()
		return err
	}
	g.keys = keys
	lanes := make(map[string]outbox.Lane, len(a.transports))
	for key, t := range a.transports {
		lanes[key] = outbox.Lane{Mailer: t.mailer, Connections: t.connections}
	}
	reportBacklog(a, s)
	g.store = s
	g.reopen = func() (store.Store, func(), error) { return shareStore(a.storePath, a.observer.logger) }
	g.life = newLifetime(func() {
		for _, t := range a.transports {
			t.close()
		}
		release()
	})
	g.outbox = outbox.Start(s, outbox.Options{
		Lanes:    lanes,
		Workers:  a.Workers,
		Retain:   time.Duration(a.Retain),
		Now:      a.now,
		Scale:    scale,
		Observer: a.observer,
	})
	close(g.ready)
	return nil
}

// reportBacklog logs what waits in the store, and loudly what waits for a
// mailer that this config does not have.
func reportBacklog(a *App, s store.Store) {
	stats, err := s.Stats(context.Background())
	if err != nil {
		a.observer.Trouble("", "counting the messages", err)
		return
	}
	for key, m := range stats.Mailers {
		waiting := m.Queued + m.Deferred
		if waiting == 0 {
			continue
		}
		fields := []zap.Field{zap.String("mailer", key), zap.Int("messages", waiting), zap.Time("oldest", m.Oldest)}
		if _, ok := a.transports[key]; ok {
			a.observer.logger.Info("messages wait in the outbox", fields...)
		} else {
			a.observer.logger.Error("messages wait for a mailer that the config does not have", fields...)
		}
	}
}

// stop ends the claiming of messages. On exit it waits a little for the
// deliveries under way, on a reload they go on in the background.
func (g *generation) stop() {
	if g.outbox == nil {
		return
	}
	g.outbox.Stop()
	if !caddy.Exiting() {
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), replaced.deadline())
	defer cancel()
	g.outbox.Wait(ctx)
}

// cleanup gives the store back, in the background unless the process exits.
func (g *generation) cleanup() {
	if g.outbox == nil {
		return
	}
	g.outbox.Stop()
	finish := func(ctx context.Context) {
		g.outbox.Wait(ctx)
		g.life.leave()
	}
	if !caddy.Exiting() {
		replaced.begin(reloadDrain, finish)
		return
	}
	ctx, cancel := context.WithDeadline(context.Background(), replaced.deadline())
	defer cancel()
	finish(ctx)
}

// acquire returns the store, which stays open until release is called.
func (g *generation) acquire(ctx context.Context) (s store.Store, release func(), err error) {
	if err := g.await(ctx); err != nil {
		return nil, nil, err
	}
	if !g.life.enter() {
		// This request has outlived its config. The next one usually has the
		// same store, and delivers what is put into it.
		return g.reopen()
	}
	return g.store, g.life.leave, nil
}

// await waits a little for start.
func (g *generation) await(ctx context.Context) error {
	select {
	case <-g.ready:
		return nil
	default: // no timer is made in the usual case
	}
	timer := time.NewTimer(startWait)
	defer timer.Stop()
	select {
	case <-g.ready:
		return nil
	case <-timer.C:
		return errNotStarted
	case <-ctx.Done():
		return ctx.Err()
	}
}

// findEvents keeps Caddy's events app, which is there in every config.
func (a *App) findEvents(ctx caddy.Context) error {
	loaded, err := ctx.App("events")
	if err != nil {
		return fmt.Errorf("loading the events app: %w", err)
	}
	events, ok := loaded.(*caddyevents.App)
	if !ok {
		return fmt.Errorf("app events is a %T", loaded)
	}
	a.observer.events = events
	return nil
}
