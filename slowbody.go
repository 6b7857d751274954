package caddyicalmail

import (
	"errors"
	"net/http"
	"os"
	"time"
)

// errSlowBody is a body that took too long (RFC 9110, section 15.5.9).
var errSlowBody = &guardError{
	reason: reasonTimeout, status: http.StatusRequestTimeout, detail: "The request took too long to arrive.",
}

// hurry gives the request's body a time until which it has to be there, so that
// nobody holds connections with bodies that trickle in. The returned function
// takes it back. A shorter time that the site's own settings give is left.
func (h *Handler) hurry(w http.ResponseWriter, r *http.Request) (calm func()) {
	server, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if server != nil && server.ReadTimeout > 0 && server.ReadTimeout <= h.bodyTimeout {
		return func() {}
	}
	c := http.NewResponseController(w)
	// A connection that knows no deadlines has none to exceed.
	if err := c.SetReadDeadline(time.Now().Add(h.bodyTimeout)); err != nil {
		return func() {}
	}
	return func() {
		if server != nil && server.ReadTimeout > 0 { // what it would have been, or a little more
			_ = c.SetReadDeadline(time.Now().Add(server.ReadTimeout))
			return
		}
		_ = c.SetReadDeadline(time.Time{})
	}
}

// isSlow reports whether a body was not read in time.
func isSlow(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
