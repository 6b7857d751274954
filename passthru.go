package caddyicalmail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// What is done when the back end took a booking and the invitation could not
// be committed.
const (
	onFailurePass  = "pass"
	onFailureError = "error"
)

// errNoID is a change or cancellation of nobody knows what.
var errNoID = errors.New("an update or a cancellation needs the booking's id")

// PassThru hands requests on to the site's own booking back end first, and
// sends invitations by what the back end answers.
type PassThru struct {
	// Which answers mean that the back end took the booking.
	// Default: those with a status of 2xx.
	Match *caddyhttp.ResponseMatcher `json:"match,omitempty"`

	// Which dotted JSON path or JSON pointer of the back end's answer holds
	// which property. The answer is then held back, up to `max_size`, until it
	// is complete. Its values win over the request's.
	Fields map[string][]string `json:"fields,omitempty"`

	// What to do if the invitation cannot be committed: `pass` lets the
	// answer through all the same, `error` answers 503. Default: pass.
	OnFailure string `json:"on_failure,omitempty"`

	fields map[booking.Property][]booking.Path
}

// provision compiles the fields and checks the rest.
func (p *PassThru) provision() (err error) {
	if p.OnFailure == "" {
		p.OnFailure = onFailurePass
	}
	if p.OnFailure != onFailurePass && p.OnFailure != onFailureError {
		return fmt.Errorf("pass_thru: on_failure is %s or %s, not %q", onFailurePass, onFailureError, p.OnFailure)
	}
	if p.Match == nil {
		p.Match = &caddyhttp.ResponseMatcher{StatusCode: []int{2}}
	}
	if p.fields, err = parseFields(p.Fields); err != nil {
		return fmt.Errorf("pass_thru: %w", err)
	}
	return nil
}

// passThru asks the back end, and settles what its answer means for the
// invitation before the answer's header is released.
func (h *Handler) passThru(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if err := h.checkOrigin(r); err != nil {
		return h.refuse(w, r, err)
	}
	body, err := h.readPassed(w, r)
	if errors.Is(err, errHoneypot) {
		h.allowOrigin(w.Header(), r)
		return h.pretendPassed(w, r, body)
	}
	if err != nil {
		return h.refuse(w, r, err)
	}
	return h.askBackEnd(w, r, next, body)
}

// readPassed reads the body and lets the guards look at it. What cannot be read
// counts as absent, unless there are guards who have to read it: they would be
// passed by a body that only the back end understands.
func (h *Handler) readPassed(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := h.tapBody(w, r)
	if errors.Is(err, errSlowBody) || err != nil && h.guardsBody(r) {
		return nil, err
	}
	return body, h.guardPassed(r, body)
}

// askBackEnd hands the request on, and settles what the answer means.
func (h *Handler) askBackEnd(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler, body []byte) error {
	// The reference is taken before the back end is asked and kept until the
	// commit, because this handler's config may be replaced meanwhile.
	s, release, unavailable := h.app.running.acquire(r.Context())
	if unavailable != nil && h.PassThru.OnFailure == onFailureError {
		return h.refuse(w, r, &unavailableError{unavailable})
	}
	if unavailable == nil {
		defer release()
	}
	// The id is read before the next handlers rewrite the request's path.
	id := h.expandID(r)
	ctx := detach(r.Context())
	defer ctx.end()
	g := newGate(w, h, &passed{request: r, body: body, id: id, store: s, unavailable: unavailable})
	g.released = ctx.relink
	// The proxy panics when the back end's answer breaks after its header;
	// what it has answered by then counts all the same.
	defer g.finish()

	if err := next.ServeHTTP(g, h.upstreamRequest(ctx, r)); err != nil {
		h.allowOrigin(w.Header(), r)
		return err
	}
	g.finish()
	if g.failure != nil {
		return h.refuse(w, r, &unavailableError{g.failure})
	}
	return nil
}

// upstreamRequest is the request as the back end gets it. If the answer is to
// be read, it must not be compressed.
func (h *Handler) upstreamRequest(ctx context.Context, r *http.Request) *http.Request {
	upstream := r.WithContext(ctx)
	if len(h.PassThru.fields) > 0 {
		upstream.Header = r.Header.Clone()
		upstream.Header.Del("Accept-Encoding")
	}
	return upstream
}

// tapBody reads the body up to max_size and puts it back for the next handler.
// One that is larger, breaks off or takes too long is an error, because what is
// only partly known is not understood.
func (h *Handler) tapBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	defer h.hurry(w, r)()
	body, err := tap(r, h.MaxSize)
	switch {
	case isSlow(err):
		w.Header().Set("Connection", "close") // the rest of the body is still to come
		return nil, errSlowBody
	case err != nil:
		return nil, errCutBody
	case int64(len(body)) > h.MaxSize:
		return nil, errTooLarge
	}
	return body, nil
}

// tap reads the body up to limit and puts it back for the next handler,
// bit for bit. If there is more, it returns one octet too many.
func tap(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	original := r.Body
	body, err := io.ReadAll(io.LimitReader(original, limit+1))
	rest := io.Reader(original)
	if err != nil {
		rest = failingReader{err}
	}
	if err == nil && int64(len(body)) <= limit {
		rest = strings.NewReader("")
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(strings.NewReader(string(body)), rest), original}
	return body, err
}

// failingReader repeats the error with which a body ended.
type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, f.err }

// passed is a request that the back end has seen.
type passed struct {
	request     *http.Request
	body        []byte
	id          booking.Line // by the operator's placeholder
	store       store.Store
	unavailable error // why there is no store
}

// follow does what the back end's answer means: it commits the invitation, or
// finds that there is nothing to send. Only a failure of ours is an error.
func (h *Handler) follow(p *passed, c *control, body []byte) (*taken, error) {
	o, err := h.passedOrder(p, c, body)
	if err == nil && o.action == booking.ActionSkip {
		return skipped(), nil
	}
	if err == nil && p.unavailable != nil {
		return nil, p.unavailable
	}
	var t *taken
	if err == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.request.Context()), acceptTimeout)
		defer cancel()
		t, err = h.executeOn(ctx, p.store, o)
	}
	var unavailable *unavailableError
	switch {
	case err == nil:
		return t, nil
	case errors.As(err, &unavailable):
		return nil, unavailable.cause
	case statusOf(err) >= http.StatusInternalServerError:
		return nil, err
	}
	h.logger.Warn("booking skipped: the back end took what cannot become an invitation", zap.Error(err))
	return skipped(), nil
}

func skipped() *taken { return &taken{answer: answer{Status: statusSkipped}} }

// passedOrder reads what is to be done from the request, the answer and the
// control headers; later ones win.
func (h *Handler) passedOrder(p *passed, c *control, body []byte) (*order, error) {
	if c.err != nil {
		return nil, c.err
	}
	if c.action == booking.ActionSkip {
		return &order{action: booking.ActionSkip}, nil
	}
	in := &booking.Input{
		ContentType:  p.request.Header.Get("Content-Type"),
		Body:         p.body,
		Lenient:      true,
		Partial:      true,
		Answer:       body,
		AnswerFields: h.PassThru.fields,
		Steer:        c.steering(p.request.Method),
	}
	b, err := in.Decode(h.rules, h.now())
	if err != nil {
		return nil, err
	}
	if h.Deny != nil || h.Allow != nil {
		// The answer may name others than the request.
		if err := h.checkBooked(b); err != nil {
			return nil, err
		}
	}
	if len(b.Ignored) > 0 {
		h.logger.Warn("part of a booking was not understood", zap.Strings("ignored", b.Ignored))
	}
	o := &order{request: p.request, booking: b, vouched: true, action: actionOf(p.request.Method)}
	if b.Action != booking.ActionNone {
		o.action = b.Action
	}
	// What the back end says is more than what the request's path does.
	o.id = cmp.Or(b.ID, p.id)
	if o.id == "" {
		o.key = h.contentKey(b)
	}
	return o, nil
}

// maxID is the length of an id, in characters.
const maxID = 255

// expandID is the booking's id by the operator's placeholder, for example a
// part of the path. It counts only once the back end has vouched for it.
func (h *Handler) expandID(r *http.Request) booking.Line {
	id := newExpansion(r, nil).raw(h.ID)
	if len(id) > maxID {
		return "" // it cannot be one of ours
	}
	return id
}

// actionOf is what a method means (RFC 9110, section 9.3).
func actionOf(method string) booking.Action {
	switch method {
	case http.MethodPut, http.MethodPatch:
		return booking.ActionUpdate
	case http.MethodDelete:
		return booking.ActionCancel
	}
	return booking.ActionCreate
}
