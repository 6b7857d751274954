// Package caddyicalmail is a Caddy plugin that turns the POST of a booking
// form or booking API into calendar invitations (iMIP, RFC 6047), which mail
// clients show with Yes, Maybe and No, in the client's calendar and in the
// host's.
package caddyicalmail

import (
	"fmt"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

func init() {
	caddy.RegisterModule(new(Handler))
}

const (
	defaultDuration  = caddy.Duration(time.Hour)
	defaultMaxSize   = 64 << 10 // bytes
	defaultMaxGuests = 10
)

// Handler takes the POSTs of a booking form or booking API and sends an
// invitation to the client and to the host of each. All other requests go on
// to the next handler, untouched.
//
// It answers by itself: JSON clients get `202` with the event's `uid`, forms
// are redirected or get a small page. A body that cannot become an
// appointment is refused with a status that tells why and names the fields.
//
// These placeholders are set for later handlers and for access logs:
//
// Placeholder | Description
// ------------|-------------
// `{http.ical_invite.uid}` | The event's UID
// `{http.ical_invite.sequence}` | The event's SEQUENCE
// `{http.ical_invite.status}` | What became of the booking: `queued`, `duplicate`, `updated`, `cancelled`, `pending`, `confirmed`, `skipped`, `failed` or `refused`
type Handler struct {
	// The mailbox that sends the invitations. It does not take part in the
	// meeting and must differ from every host. Required, here or in the app.
	Organizer *Mailbox `json:"organizer,omitempty"`

	// The person who is booked. Required, unless there are `hosts`.
	Host *Mailbox `json:"host,omitempty"`

	// The people among whom the form's `host` field chooses.
	Hosts []HostChoice `json:"hosts,omitempty"`

	// Where this handler's messages go. Default: where the app's go.
	Transport

	// The name of one of the app's mailers, instead of `smtp` or `file`.
	Mailer string `json:"mailer,omitempty"`

	// What separates this handler's bookings from those of other handlers.
	// Default: the organizer's and the host's address.
	Scope string `json:"scope,omitempty"`

	// The event's title. It may use all of Caddy's placeholders and
	// `{http.ical_invite.name}`, `.start`, `.end` and `.host` (the host's
	// name). Default: a title with the client's and the host's name.
	Summary string `json:"summary,omitempty"`

	// Where the event takes place: an address, or the URL of a video call.
	// Placeholders as in the summary.
	Location string `json:"location,omitempty"`

	// What everybody who is invited gets to read. Placeholders as in the summary.
	Description string `json:"description,omitempty"`

	// The IANA name of the zone in which a time without an offset is meant,
	// and in which the host reads times. Without it, such times are refused,
	// and the host reads UTC.
	Timezone string `json:"timezone,omitempty"`

	// How long an event is when the form sends neither an end nor a duration.
	// Default: 1h.
	Duration caddy.Duration `json:"duration,omitempty"`

	// Which form field, dotted JSON path or JSON pointer holds which property.
	// Two fields are joined with a space between them. The properties are
	// `name`, `email`, `start`, `end`, `duration`, `timezone`, `description`,
	// `locale` and `host`, which default to the fields of the same name, and
	// `summary`, `location`, `guests`, `rrule` and `exdate`, which exist only
	// if mapped. With `verify` there are also `id` and `action`.
	Fields map[string][]string `json:"fields,omitempty"`

	// Further answers of the form, for the host's mail only.
	Extra []ExtraField `json:"extra,omitempty"`

	// Checkboxes that a stranger must tick, such as the one that says that the
	// privacy notice was read. What was agreed to is kept with its time.
	Consents []ConsentField `json:"consents,omitempty"`

	// How many guests a booking may bring. Default: 10.
	MaxGuests int `json:"max_guests,omitempty"`

	// Where a form's client is sent after booking, with status 303, instead of
	// getting the built-in page. Placeholders are escaped for use in a URL.
	Redirect string `json:"redirect,omitempty"`

	// Templates that replace the built-in mails and pages.
	Template *TemplateFiles `json:"template,omitempty"`

	// Who answers a refused booking: `builtin` (this handler) or
	// `handle_errors` (the site's error routes). Default: builtin.
	// Failures of the server are always left to the error routes.
	Errors string `json:"errors,omitempty"`

	// The largest body that is read, in bytes. Default: 65536.
	MaxSize int64 `json:"max_size,omitempty"`

	// The booking's own id, as a placeholder such as
	// `{http.request.uri.path.1}`. It is trusted once the back end of
	// `pass_thru` has answered 2xx.
	ID string `json:"id,omitempty"`

	// Ask the site's own booking back end first.
	PassThru *PassThru `json:"pass_thru,omitempty"`

	// Take only signed webhooks.
	Verify *Verify `json:"verify,omitempty"`

	// Of the signed webhooks, take only those with one of some values.
	When *When `json:"when,omitempty"`

	// How many bookings are taken, per recipient and in total.
	Limit *Limits `json:"limit,omitempty"`

	Guards
	Links
	Availability

	app       *App
	logger    *zap.Logger
	organizer booking.Person
	hosts     map[string]booking.Person // by key; the single host has the key ""
	zone      *time.Location
	rules     *booking.Rules
	mails     *mailTemplates
	pages     *pages
	transport *transport
	now       func() time.Time

	bodyTimeout time.Duration
	config      string // a digest of it, as it was given
}

// CaddyModule returns the Caddy module information.
func (*Handler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.ical_invite",
		New: func() caddy.Module { return new(Handler) },
	}
}

// Provision resolves and checks the configuration. It opens no connection and
// writes no file, because `caddy validate` runs it too.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.logger = ctx.Logger()
	h.now = time.Now
	var err error
	if h.config, err = h.digest(); err != nil {
		return err
	}
	h.setDefaults()
	app, err := loadApp(ctx)
	if err != nil {
		return err
	}
	h.app = app

	repl := caddy.NewReplacer()
	for _, set := range []func(*caddy.Replacer) error{
		h.setPeople, h.setTransport, h.setRules, h.setTrust, h.setOwn, h.setGuards, h.setTexts, h.setTemplates,
	} {
		if err := set(repl); err != nil {
			return err
		}
	}
	return app.register(h)
}

// setTransport finds out where messages go.
func (h *Handler) setTransport(repl *caddy.Replacer) (err error) {
	h.transport, err = h.app.lookup(h.Transport, h.Mailer, repl)
	return err
}

// setTexts checks the placeholders of the operator's texts.
func (h *Handler) setTexts(repl *caddy.Replacer) error {
	if err := checkPlaceholders(repl, h.Summary, h.Location, h.Description, h.Redirect); err != nil {
		return err
	}
	return checkRedirect(repl, h.Redirect)
}

// setTemplates parses the templates of pages and mails.
func (h *Handler) setTemplates(repl *caddy.Replacer) (err error) {
	if h.pages, err = loadPages(h.Template, repl); err != nil {
		return err
	}
	if h.mails, err = loadMailTemplates(h.Template, repl); err != nil {
		return err
	}
	h.mails.place = fixedText(h.Location)
	return nil
}

func (h *Handler) setDefaults() {
	if h.Duration == 0 {
		h.Duration = defaultDuration
	}
	if h.MaxSize == 0 {
		h.MaxSize = defaultMaxSize
	}
	if h.MaxGuests == 0 {
		h.MaxGuests = defaultMaxGuests
	}
	if h.Errors == "" {
		h.Errors = errorsBuiltin
	}
}

// Validate checks what needs no placeholders resolved.
func (h *Handler) Validate() error {
	if h.Duration < 0 || time.Duration(h.Duration) > booking.MaxLength {
		return fmt.Errorf("duration must be positive and at most %s", booking.MaxLength)
	}
	if h.MaxSize < 0 {
		return fmt.Errorf("max_size must be positive")
	}
	if h.MaxGuests < 0 {
		return fmt.Errorf("max_guests must be positive")
	}
	if err := h.Limit.validate(); err != nil {
		return err
	}
	if h.Errors != errorsBuiltin && h.Errors != errorsHandle {
		return fmt.Errorf("errors is %s or %s, not %q", errorsBuiltin, errorsHandle, h.Errors)
	}
	return nil
}

// ServeHTTP takes a booking, or hands the request on.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	stripControl(r.Header)
	// They have a route of their own, but this one's may cover it.
	if serve := h.ownPage(r.URL.Path); serve != nil {
		return serve(w, r)
	}
	switch {
	case h.isPreflight(r):
		return h.servePreflight(w, r)
	case h.PassThru != nil && isOrder(r.Method):
		return h.passThru(w, r, next)
	case h.PassThru != nil:
		return next.ServeHTTP(newStripper(w), r)
	case r.Method == http.MethodPost:
		return h.serveOrder(w, r)
	default:
		return next.ServeHTTP(w, r)
	}
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
