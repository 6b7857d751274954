package caddyicalmail

import (
	"net/http"
	"slices"
	"strings"
)

const (
	headerAllowOrigin = "Access-Control-Allow-Origin"

	// preflightAge is for how long a browser may remember the answer to a
	// preflight, in seconds; Chrome takes no more.
	preflightAge = "7200"
)

// named returns the request's origin if it is one of another site that may
// book, else an empty string.
func (h *Handler) named(r *http.Request) string {
	if h.Origin == nil {
		return ""
	}
	origins := r.Header.Values("Origin")
	if len(origins) != 1 || !h.Origin.allowed[origins[0]] {
		return ""
	}
	return origins[0]
}

// allowOrigin lets the pages of the named origins read an answer (Fetch
// Standard, section 3.2.3). It changes nothing if there are none, or if
// somebody else has decided already, and may be called twice.
func (h *Handler) allowOrigin(header http.Header, r *http.Request) {
	if h.Origin == nil || len(h.Origin.allowed) == 0 {
		return
	}
	if !varies(header, "Origin") {
		header.Add("Vary", "Origin")
	}
	origin := h.named(r)
	if origin == "" || header.Get(headerAllowOrigin) != "" {
		return
	}
	header.Set(headerAllowOrigin, origin)
	header.Add("Access-Control-Expose-Headers", "Retry-After")
}

// varies reports whether the Vary header names a field.
func varies(header http.Header, field string) bool {
	for _, value := range header.Values("Vary") {
		if slices.ContainsFunc(strings.Split(value, ","), func(s string) bool {
			s = strings.TrimSpace(s)
			return s == "*" || strings.EqualFold(s, field)
		}) {
			return true
		}
	}
	return false
}

// isPreflight reports whether a browser asks on behalf of another site whether
// it may send something.
func (h *Handler) isPreflight(r *http.Request) bool {
	return h.Origin != nil && r.Method == http.MethodOptions &&
		r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// servePreflight answers a preflight.
func (h *Handler) servePreflight(w http.ResponseWriter, r *http.Request) error {
	header := w.Header()
	if h.named(r) == "" {
		h.allowOrigin(header, r) // for Vary
		w.WriteHeader(http.StatusForbidden)
		return nil
	}
	h.allowOrigin(header, r)
	methods := http.MethodPost
	if h.PassThru != nil {
		methods = "POST, PUT, PATCH, DELETE"
	}
	header.Set("Access-Control-Allow-Methods", methods)
	header.Set("Access-Control-Allow-Headers", "Content-Type, Idempotency-Key")
	header.Set("Access-Control-Max-Age", preflightAge)
	header.Del("Access-Control-Expose-Headers") // there is nothing to read
	w.WriteHeader(http.StatusNoContent)
	return nil
}
