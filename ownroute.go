package caddyicalmail

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

func init() {
	caddy.RegisterModule(new(Pages))
}

// Pages serves what an `ical_invite` handler has on paths of its own: the pages
// behind the links in its mails, and the tokens of its forms. In a Caddyfile
// the `ical_invite` directive adds it by itself, on a route of its own; in JSON
// it needs a route that matches the paths of `manage`, `confirm`, `form_token`
// and the captcha's challenge, with everything below them. Requests for other
// paths go on to the next handler.
type Pages struct {
	// The `name` of the `ical_invite` handler. Required.
	For string `json:"for,omitempty"`

	// handler finds the handler that is meant, once: it may be provisioned
	// after this one, and requests may come before the app starts.
	handler func() *Handler
}

// CaddyModule returns the Caddy module information.
func (*Pages) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.ical_invite_pages",
		New: func() caddy.Module { return new(Pages) },
	}
}

// Provision notes which handler is meant. The app looks for it when it starts,
// because it may be set up after this one.
func (p *Pages) Provision(ctx caddy.Context) error {
	app, err := loadApp(ctx)
	if err != nil {
		return err
	}
	app.wanted = append(app.wanted, p.For)
	p.handler = sync.OnceValue(func() *Handler { return app.handlers[p.For] })
	return nil
}

// ServeHTTP serves a page, or hands the request on.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h := p.handler()
	if h == nil { // the app will refuse to start
		return caddyhttp.Error(http.StatusServiceUnavailable, errNotStarted)
	}
	serve := h.ownPage(r.URL.Path)
	if serve == nil {
		return next.ServeHTTP(w, r)
	}
	return serve(w, r)
}

// setOwn sets up what belongs to bookings by strangers and to their pages.
func (h *Handler) setOwn(repl *caddy.Replacer) error {
	for _, set := range []func(*caddy.Replacer) error{
		h.setBaseURL, h.setManage, h.setConfirm, h.setFormToken, h.setExclusive, h.setWindow,
	} {
		if err := set(repl); err != nil {
			return err
		}
	}
	return nil
}

// checkOwnPaths refuses pages that would hide each other.
func (h *Handler) checkOwnPaths() error {
	var bases []string
	for _, pattern := range h.ownPaths() {
		base := strings.ToLower(strings.TrimSuffix(pattern, "/*"))
		for _, other := range bases {
			_, within := below(base, other)
			_, around := below(other, base)
			if base == other || within || around {
				return fmt.Errorf("manage, confirm, form_token and captcha need paths of their own: %s and %s overlap", other, base)
			}
		}
		bases = append(bases, base)
	}
	return nil
}

// ownPage finds what serves a path, nil if it is none of ours.
func (h *Handler) ownPage(path string) func(http.ResponseWriter, *http.Request) error {
	if h.Captcha.isProof() && strings.EqualFold(path, h.Captcha.Path) {
		return h.serveChallenge
	}
	if h.FormToken != nil && strings.EqualFold(path, h.FormToken.Path) {
		return h.serveFormToken
	}
	if h.Confirm != nil {
		if text, ok := below(path, h.Confirm.Path); ok {
			return func(w http.ResponseWriter, r *http.Request) error { return h.serveConfirm(w, r, text) }
		}
	}
	if h.Manage != nil {
		if text, ok := below(path, h.Manage.Path); ok {
			return func(w http.ResponseWriter, r *http.Request) error { return h.serveManage(w, r, text) }
		}
	}
	return nil
}

// ownPaths are the path patterns of all that ownPage serves.
func (h *Handler) ownPaths() []string {
	var paths []string
	if h.Manage != nil {
		paths = append(paths, h.Manage.Path+"/*")
	}
	if h.Confirm != nil {
		paths = append(paths, h.Confirm.Path+"/*")
	}
	if h.FormToken != nil {
		paths = append(paths, h.FormToken.Path)
	}
	if h.Captcha.isProof() {
		paths = append(paths, h.Captcha.Path)
	}
	return paths
}

// register makes the handler known to its pages, and to links that lead to
// another handler's page.
func (a *App) register(h *Handler) error {
	if len(h.ownPaths()) > 0 {
		a.signs = true
	}
	a.byScope[h.scope()] = append(a.byScope[h.scope()], h)
	if h.Name == "" {
		return nil
	}
	known, ok := a.handlers[h.Name]
	if ok && known.config != h.config {
		return fmt.Errorf("two different ical_invite handlers have the name %q", h.Name)
	}
	if !ok {
		a.handlers[h.Name] = h
	}
	return nil
}

// checkWanted refuses pages of handlers that do not exist, and warns of
// handlers whose pages nobody serves, which happens in JSON configs only.
func (a *App) checkWanted() error {
	for _, handlers := range a.byScope {
		for _, h := range handlers {
			if paths := h.ownPaths(); len(paths) > 0 && !slices.Contains(a.wanted, h.Name) {
				a.observer.logger.Warn("no ical_invite_pages handler serves the pages of an ical_invite handler: "+
					"links in its mails lead nowhere, unless its own route matches them", zap.Strings("paths", paths))
			}
		}
	}
	for _, name := range a.wanted {
		if _, ok := a.handlers[name]; !ok {
			return fmt.Errorf("ical_invite_pages: there is no ical_invite handler with the name %q", name)
		}
	}
	return nil
}

func loadApp(ctx caddy.Context) (*App, error) {
	loaded, err := ctx.App("ical_invite")
	if err != nil {
		return nil, fmt.Errorf("loading the ical_invite app: %w", err)
	}
	app, ok := loaded.(*App)
	if !ok {
		return nil, fmt.Errorf("app ical_invite is a %T", loaded)
	}
	return app, nil
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Pages)(nil)
	_ caddyhttp.MiddlewareHandler = (*Pages)(nil)
)
