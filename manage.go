package caddyicalmail

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/token"
)

// Manage gives the client and the host of each booking a link in their mails,
// by which they see, move and cancel it without an account. The link is the
// key: who has it may act. It never acts by being followed.
type Manage struct {
	// The path below which the links lie. Required.
	Path string `json:"path,omitempty"`

	// The site's own back end, which is asked first. Without the one or the
	// other, a handler with `pass_thru` or `verify` does not offer that action.
	Upstream
}

// setManage checks the configuration of the links.
func (h *Handler) setManage(repl *caddy.Replacer) error {
	if h.Manage == nil {
		return nil
	}
	if h.Manage.Path == "" {
		return errors.New("manage needs a path such as /appointments")
	}
	if err := checkPath(h.Manage.Path, "manage"); err != nil {
		return err
	}
	if err := h.Manage.provision(repl); err != nil {
		return fmt.Errorf("manage: %w", err)
	}
	return nil
}

// Why a link leads nowhere.
var (
	errLinkInvalid = errors.New("the link is not valid")
	errLinkExpired = errors.New("the link has expired")
	errLinkUnknown = errors.New("the booking is not known any more")
)

// visit is somebody who followed a link to an event.
type visit struct {
	handler *Handler // whose event it is, which need not be whose page it is
	store   store.Store
	event   *booking.Event
	role    booking.Role

	// sequence is the event's SEQUENCE when the link was made.
	sequence int
}

// visit finds what a link leads to. Release has to be called if there is no
// error.
func (h *Handler) visit(ctx context.Context, text string, purposes ...token.Purpose) (v *visit, release func(), err error) {
	s, release, err := h.app.running.acquire(ctx)
	if err != nil {
		return nil, nil, &unavailableError{err}
	}
	v, err = h.visitOn(ctx, s, text, purposes)
	if err != nil {
		release()
		return nil, nil, err
	}
	return v, release, nil
}

func (h *Handler) visitOn(ctx context.Context, s store.Store, text string, purposes []token.Purpose) (*visit, error) {
	t, err := h.keys().Verify(text, h.now(), purposes...)
	switch {
	case errors.Is(err, token.ErrExpired):
		return nil, errLinkExpired
	case err != nil:
		return nil, errLinkInvalid
	}
	v := &visit{store: s, sequence: t.Sequence, role: booking.RoleClient}
	if t.Purpose == token.ManageHost {
		v.role = booking.RoleHost
	}
	if err := v.load(ctx, t.Subject); err != nil {
		return nil, err
	}
	if v.isSomebodyElses(&t) {
		return nil, errLinkUnknown
	}
	v.handler = h.app.handlerOf(h, v.event.Scope, t.Purpose)
	if v.handler == nil {
		return nil, errLinkUnknown
	}
	return v, nil
}

// isSomebodyElses reports whether the event has become another's since the link
// was made: the back end gave the appointment to another client or host, or
// used its id again once the one before was erased. Who had it before neither
// sees nor changes it now.
func (v *visit) isSomebodyElses(t *token.Token) bool {
	since := v.event.ClientSince
	if v.role == booking.RoleHost {
		since = v.event.HostSince
	}
	return t.Sequence < since || t.Issued.Before(v.event.Created.Truncate(time.Second))
}

// load reads the event as it is now.
func (v *visit) load(ctx context.Context, uid string) error {
	e, _, err := v.store.Event(ctx, uid)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errLinkUnknown
	case err != nil:
		return &unavailableError{err}
	}
	v.event = &e
	return nil
}

// handlerOf finds the handler of an event: the one whose page it is, if it has
// the event's scope, else another one that has, and that serves such links
// itself. Handlers may share a path.
func (a *App) handlerOf(h *Handler, scope string, purpose token.Purpose) *Handler {
	if h.scope() == scope {
		return h
	}
	for _, other := range a.byScope[scope] {
		if other.serves(purpose) {
			return other
		}
	}
	if len(a.byScope[scope]) == 0 {
		// The config that made it has changed: an event outlives that, and the
		// link is signed all the same.
		return h
	}
	return nil
}

// serves reports whether there is a page of the handler's for links of a
// purpose.
func (h *Handler) serves(purpose token.Purpose) bool {
	if purpose == token.Confirm {
		return h.Confirm != nil
	}
	return h.Manage != nil
}

// state is what the event is to who looks at it.
func (v *visit) state() pageState {
	switch now := v.handler.now(); {
	case v.event.Status == booking.Cancelled:
		return stateCancelled
	case v.event.Status == booking.Pending && !now.Before(v.event.Expires):
		return statePast
	case v.event.Status == booking.Pending:
		return statePending
	case !now.Before(v.event.LastEnd()):
		return statePast
	default:
		return stateConfirmed
	}
}

// refuseLink answers a link that leads nowhere.
func (h *Handler) refuseLink(w http.ResponseWriter, r *http.Request, err error) error {
	p := &page{Title: "This link does not work"}
	status := http.StatusGone
	switch {
	case errors.Is(err, errLinkInvalid):
		status = http.StatusNotFound
		p.Detail = "The link is not complete, or not one of ours. Please open it from the mail once more, and copy all of it."
	case errors.Is(err, errLinkExpired):
		p.Detail = "The time in which this link works is over. If there is a newer mail about the appointment, its link works."
	case errors.Is(err, errLinkUnknown):
		p.Detail = "There is no such appointment, or not any more: details are erased some time after an appointment is over."
	default:
		return h.refuse(w, r, err)
	}
	h.noteRefused(err, status)
	return h.pages.write(w, "page_link.html", status, p)
}

// refuseForm answers a form of one of our pages that cannot be read, or was not
// sent from there.
func (h *Handler) refuseForm(w http.ResponseWriter, err error) error {
	status := statusOf(err)
	h.noteRefused(err, status)
	if status >= http.StatusInternalServerError {
		return caddyhttp.Error(status, err)
	}
	detail, _ := h.explain(err)
	return h.pages.write(w, "page_link.html", status, &page{Title: "That did not work", Detail: sentence(detail)})
}

// sentence makes a sentence of what errors say.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(s[size:], ".") + "."
}

// withTimeout bounds the work for one visit.
func withTimeout(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), acceptTimeout)
}

// movesPerDay bounds how often an event can be moved by links, because
// everybody who is invited gets a mail each time.
const movesPerDay = 20

func moveLimit(e *booking.Event) []store.Limit {
	return []store.Limit{{Name: limitMoves, Counter: limitMoves + "\x00" + e.UID, Max: movesPerDay, Window: 24 * time.Hour}}
}
