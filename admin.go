package caddyicalmail

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func init() {
	caddy.RegisterModule(adminAPI{})
}

const (
	// pathErase is where the admin API erases an address.
	pathErase = "/ical_invite/erase"

	// maxAdminBody is ample for a JSON object with an address, in bytes.
	maxAdminBody = 4096

	// eraseTimeout bounds the walk through a large store.
	eraseTimeout = 10 * time.Minute
)

// What the admin API's clients get to hear. The texts are fixed, because an
// error is logged, and an address must not be.
var (
	errAdminMethod  = errors.New("only POST is allowed here")
	errAdminType    = errors.New("the Content-Type must be application/json")
	errAdminBody    = errors.New(`the body must be a JSON object like {"address":"name@example.com"}, and nothing else`)
	errAdminAddress = errors.New("the address is not an e-mail address")
	errAdminApp     = errors.New("the running config does not use ical_invite")
	errAdminStore   = errors.New("the store does not work at the moment: something may be left, try again")
)

// adminAPI is the part of Caddy's admin API that works on the bookings of the
// running config. An address is taken from a request's body only, so that no
// URL and no log ever holds it.
type adminAPI struct{}

// CaddyModule returns the Caddy module information.
func (adminAPI) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "admin.api.ical_invite",
		New: func() caddy.Module { return new(adminAPI) },
	}
}

// Routes returns the routes of the admin API.
func (a adminAPI) Routes() []caddy.AdminRoute {
	return []caddy.AdminRoute{
		{Pattern: pathErase, Handler: caddy.AdminHandlerFunc(a.erase)},
	}
}

// erased is the answer to a request to erase an address.
type erased struct {
	// Events is how many events are gone, with all that belonged to them.
	Events int `json:"events"`
}

// erase removes every event of a client or guest from the store of the running
// config.
func (adminAPI) erase(w http.ResponseWriter, r *http.Request) error {
	address, err := readAddress(w, r)
	if err != nil {
		return err
	}
	app, err := activeApp()
	if err != nil {
		return err
	}
	// Whoever asked may leave, but what was begun is to be completed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), eraseTimeout)
	defer cancel()
	events, err := app.erase(ctx, address)
	if err != nil {
		return caddy.APIError{HTTPStatus: http.StatusServiceUnavailable, Err: err, Message: errAdminStore.Error()}
	}
	return writeJSON(w, http.StatusOK, "application/json", erased{Events: events})
}

// erase removes the events of an address and returns how many there were.
func (a *App) erase(ctx context.Context, address booking.Address) (int, error) {
	var events int
	err := a.withStore(ctx, func(s store.Store) (err error) {
		events, err = s.Erase(ctx, address)
		return err
	})
	// The log proves that it was done, and does not say for whom.
	a.observer.logger.Info("an address was erased", zap.Int("events", events), zap.Bool("completed", err == nil))
	return events, err
}

// withStore lends the store of a running app.
func (a *App) withStore(ctx context.Context, use func(store.Store) error) error {
	s, release, err := a.running.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	return use(s)
}

// activeApp finds the app of the running config.
func activeApp() (*App, error) {
	loaded, err := caddy.ActiveContext().AppIfConfigured("ical_invite")
	app, ok := loaded.(*App)
	if err != nil || !ok {
		return nil, apiError(http.StatusNotFound, errAdminApp)
	}
	return app, nil
}

// readAddress reads a request that names an address.
func readAddress(w http.ResponseWriter, r *http.Request) (booking.Address, error) {
	var wanted struct {
		Address string `json:"address"`
	}
	if err := readAdminBody(w, r, &wanted); err != nil {
		return booking.Address{}, err
	}
	address, err := booking.ParseAddress(wanted.Address)
	if err != nil {
		return booking.Address{}, apiError(http.StatusBadRequest, errAdminAddress)
	}
	return address, nil
}

// readAdminBody decodes the only JSON value of a POST. What is wrong with it
// is not repeated, because decoders quote what they read.
func readAdminBody(w http.ResponseWriter, r *http.Request, into any) error {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return apiError(http.StatusMethodNotAllowed, errAdminMethod)
	}
	// A page in the operator's browser could send any other type without
	// being asked for permission first.
	if !booking.IsJSON(r.Header.Get("Content-Type")) {
		return apiError(http.StatusUnsupportedMediaType, errAdminType)
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAdminBody))
	decoder.DisallowUnknownFields()
	if decoder.Decode(into) != nil {
		return apiError(http.StatusBadRequest, errAdminBody)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return apiError(http.StatusBadRequest, errAdminBody)
	}
	return nil
}

func apiError(status int, err error) error {
	return caddy.APIError{HTTPStatus: status, Err: err}
}

// Interface guards
var _ caddy.AdminRouter = (*adminAPI)(nil)
