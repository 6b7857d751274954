package caddyicalmail

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// stripper removes control headers from an answer that is not about a booking,
// for example to a GET: a back end may set them on all of its answers.
type stripper struct {
	*caddyhttp.ResponseWriterWrapper
}

func newStripper(w http.ResponseWriter) *stripper {
	return &stripper{&caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
}

// WriteHeader implements http.ResponseWriter.
func (s *stripper) WriteHeader(status int) {
	stripControl(s.Header())
	s.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. It may be what sends the header.
func (s *stripper) Write(p []byte) (int, error) {
	stripControl(s.Header())
	return s.ResponseWriter.Write(p)
}

// ReadFrom implements io.ReaderFrom.
func (s *stripper) ReadFrom(r io.Reader) (int64, error) {
	stripControl(s.Header())
	return s.ResponseWriterWrapper.ReadFrom(r)
}

// FlushError flushes, which may be what sends the header.
func (s *stripper) FlushError() error {
	stripControl(s.Header())
	return http.NewResponseController(s.ResponseWriter).Flush()
}
