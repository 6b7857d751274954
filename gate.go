package caddyicalmail

import (
	"bytes"
	"io"
	"maps"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// statusHeader tells the client's side what became of the invitation.
const statusHeader = "Ical-Invite-Status"

// gateState is how far the back end's answer has come.
type gateState int

const (
	gateWaiting   gateState = iota // no header yet
	gateHolding                    // header and body are held back
	gateOpen                       // header released, the rest streams through
	gateSwallowed                  // our own error is answered instead
)

// gate is the response writer that the back end writes to. It holds the
// header of a matching answer back until the invitation is committed, so that
// nobody sees a success without an invitation; other answers stream through.
type gate struct {
	*caddyhttp.ResponseWriterWrapper
	handler  *Handler
	passed   *passed
	before   http.Header // as it was when the back end was asked
	state    gateState
	status   int
	control  *control
	held     bytes.Buffer
	released func()
	failure  error // why the answer was swallowed
}

func newGate(w http.ResponseWriter, h *Handler, p *passed) *gate {
	return &gate{
		ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w},
		handler:               h,
		passed:                p,
		before:                w.Header().Clone(),
	}
}

// WriteHeader decides what the answer means, and releases the header unless
// the answer's body is needed for that.
func (g *gate) WriteHeader(status int) {
	if g.state != gateWaiting {
		return
	}
	informational := status >= 100 && status < 200
	if informational && status != http.StatusSwitchingProtocols {
		stripControl(g.Header()) // only the final answer steers
		g.ResponseWriter.WriteHeader(status)
		return
	}
	g.status = status
	g.control = takeControl(g.Header())
	if informational || !g.handler.PassThru.Match.Match(status, g.Header()) {
		g.release()
		return
	}
	if len(g.handler.PassThru.fields) == 0 {
		g.settle(nil)
		return
	}
	g.state = gateHolding
}

// settle commits the invitation and then lets the answer go, or swallows it.
func (g *gate) settle(body []byte) {
	t, err := g.handler.follow(g.passed, g.control, body)
	if err != nil {
		g.handler.app.observer.lost(err)
		if g.handler.PassThru.OnFailure == onFailureError {
			g.swallow(err)
			return
		}
		t = &taken{answer: answer{Status: statusFailed}}
	}
	countTaken(t.Status)
	setPlaceholders(g.passed.request, &t.answer)
	g.Header().Set(statusHeader, t.Status)
	g.release()
}

// release sends the header and what was held back.
func (g *gate) release() {
	g.state = gateOpen
	g.handler.allowOrigin(g.Header(), g.passed.request)
	g.ResponseWriter.WriteHeader(g.status)
	if g.held.Len() > 0 {
		_, _ = g.ResponseWriter.Write(g.held.Bytes())
		g.held = bytes.Buffer{}
	}
	g.released()
}

// swallow drops the back end's answer, so that an error can be answered.
func (g *gate) swallow(err error) {
	g.state, g.failure = gateSwallowed, err
	header := g.Header()
	clear(header)
	maps.Copy(header, g.before)
	g.held = bytes.Buffer{}
	g.released()
}

// Write holds the body back, lets it through, or drops it.
func (g *gate) Write(p []byte) (int, error) {
	if g.state == gateWaiting {
		g.WriteHeader(http.StatusOK)
	}
	switch g.state {
	case gateHolding:
		if int64(g.held.Len()+len(p)) > g.handler.MaxSize {
			// Too large to be understood: the request must do.
			g.handler.logger.Warn("the back end's answer is larger than max_size, its fields are not read")
			g.settle(nil)
			return g.Write(p)
		}
		return g.held.Write(p)
	case gateSwallowed:
		return len(p), nil
	default:
		return g.ResponseWriter.Write(p)
	}
}

// ReadFrom implements io.ReaderFrom, which only helps once the gate is open.
func (g *gate) ReadFrom(r io.Reader) (int64, error) {
	if g.state == gateOpen {
		return g.ResponseWriterWrapper.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{g}, r)
}

// FlushError flushes what may be sent. http.ResponseController finds it before
// it unwraps the writer, where a flush would send the header.
func (g *gate) FlushError() error {
	if g.state == gateWaiting {
		g.WriteHeader(http.StatusOK)
	}
	if g.state != gateOpen {
		return nil
	}
	return http.NewResponseController(g.ResponseWriter).Flush()
}

// Flush implements http.Flusher.
func (g *gate) Flush() { _ = g.FlushError() }

// finish settles an answer that was held back until its end, be it complete
// or broken off. It may be called twice.
func (g *gate) finish() {
	if g.state == gateHolding {
		g.settle(g.held.Bytes())
	}
}
