// Package caddyicalmail is a Caddy plugin that turns the POST of a booking
// form or booking API into calendar invitations (iMIP, RFC 6047), which mail
// clients show with Yes, Maybe and No, in the client's calendar and in the
// host's.
package caddyicalmail

import (
	"errors"
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
// `{http.ical_invite.status}` | What became of the booking: `queued`, `duplicate`, `updated`, `cancelled`, `pending`, `confirmed`, `skipped` or `failed`
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

	// The web address that links in mails begin with, such as
	// `https://example.com`, and a path if that is where the site's root is.
	// Required with `manage` and `confirm`.
	BaseURL string `json:"base_url,omitempty"`

	// Let the client and the host see, move and cancel a booking by links in
	// their mails.
	Manage *Manage `json:"manage,omitempty"`

	// Let the client confirm the address before anybody is invited.
	Confirm *Confirmation `json:"confirm,omitempty"`

	// Let the form prove how long it has been open.
	FormToken *FormToken `json:"form_token,omitempty"`

	// What a booking has to itself while it takes place: `host`, or the name
	// of a resource such as a room, which may use the placeholders of the
	// summary. Overlapping bookings are refused with status 409. A name means
	// the same to all handlers of a store.
	Exclusive []string `json:"exclusive,omitempty"`

	// How long before its start a booking must be made.
	Notice caddy.Duration `json:"notice,omitempty"`

	// How far ahead a booking may be. The day that this leads to is the last
	// one, and counts as a whole.
	Horizon caddy.Duration `json:"horizon,omitempty"`

	// What the handler of its own pages, `ical_invite_pages`, knows it by. A
	// Caddyfile sets it by itself.
	Name string `json:"name,omitempty"`

	// The form field, dotted JSON path or JSON pointer that people leave
	// empty, because they do not see it. A booking that fills it is answered as
	// if it had worked, and nothing is stored or sent.
	Honeypot string `json:"honeypot,omitempty"`

	// Refuse what browsers send from other sites.
	Origin *OriginGuard `json:"origin,omitempty"`

	// Addresses and domains that can neither book nor be invited as guests.
	Deny *AddressList `json:"deny,omitempty"`

	// The only addresses and domains that can. `deny` wins over it.
	Allow *AddressList `json:"allow,omitempty"`

	// Take only bookings with the response of a captcha.
	Captcha *Captcha `json:"captcha,omitempty"`

	honeypot    booking.Path
	bodyTimeout time.Duration

	app       *App
	logger    *zap.Logger
	organizer booking.Person
	hosts     map[string]booking.Person // by key; the single host has the key ""
	zone      *time.Location
	rules     *booking.Rules
	mails     *mailTemplates
	pages     *pages
	transport *transport
	baseURL   string
	now       func() time.Time
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
	h.setDefaults()
	app, err := loadApp(ctx)
	if err != nil {
		return err
	}
	h.app = app

	repl := caddy.NewReplacer()
	if err := h.setPeople(app, repl); err != nil {
		return err
	}
	if h.transport, err = app.lookup(h.Transport, h.Mailer, repl); err != nil {
		return err
	}
	if err := h.setRules(repl); err != nil {
		return err
	}
	if err := h.setTrust(repl); err != nil {
		return err
	}
	if err := h.setOwn(repl); err != nil {
		return err
	}
	if err := h.setGuards(repl); err != nil {
		return err
	}
	if err := checkPlaceholders(repl, h.Summary, h.Location, h.Description, h.Redirect); err != nil {
		return err
	}
	if err := checkRedirect(repl, h.Redirect); err != nil {
		return err
	}
	app.register(h)
	if h.pages, err = loadPages(h.Template, repl); err != nil {
		return err
	}
	if h.mails, err = loadMailTemplates(h.Template, repl); err != nil {
		return err
	}
	h.mails.place = fixedText(h.Location)
	return nil
}

// setOwn sets up what belongs to bookings by strangers and to their pages.
func (h *Handler) setOwn(repl *caddy.Replacer) error {
	if err := h.setBaseURL(repl); err != nil {
		return err
	}
	if err := h.setManage(repl); err != nil {
		return err
	}
	if err := h.setConfirm(); err != nil {
		return err
	}
	if err := h.setFormToken(); err != nil {
		return err
	}
	if err := h.setExclusive(repl); err != nil {
		return err
	}
	return h.setWindow()
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

// isOrder reports whether a request by this method may be about a booking.
func isOrder(method string) bool {
	switch method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	}
	return false
}

// serveOrder answers a booking, or a webhook about one, by itself.
func (h *Handler) serveOrder(w http.ResponseWriter, r *http.Request) error {
	h.allowOrigin(w.Header(), r)
	if err := h.checkOrigin(r); err != nil {
		return h.refuse(w, r, err)
	}
	o, err := h.readOrder(w, r)
	if err != nil {
		return h.refuse(w, r, err)
	}
	if o.action == booking.ActionSkip {
		countTaken(statusSkipped)
		return h.confirm(w, r, o, skipped())
	}
	if err := h.guard(o); errors.Is(err, errHoneypot) {
		return h.pretend(w, r, o)
	} else if err != nil {
		return h.refuse(w, r, err)
	}
	t, err := h.execute(o)
	if o.vouched && isSettled(err) {
		// A webhook's sender would only repeat what is refused.
		h.logger.Info("webhook skipped", zap.Error(err))
		t, err = skipped(), nil
	}
	if err != nil {
		return h.refuse(w, r, err)
	}
	countTaken(t.Status)
	return h.confirm(w, r, o, t)
}

// Interface guards
var (
	_ caddy.Provisioner           = (*Handler)(nil)
	_ caddy.Validator             = (*Handler)(nil)
	_ caddyhttp.MiddlewareHandler = (*Handler)(nil)
)
