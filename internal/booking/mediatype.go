package booking

import (
	"mime"
	"strings"
)

// IsJSON reports whether a Content-Type means JSON (RFC 6839, section 3.1,
// for the +json suffix).
func IsJSON(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// IsForm reports whether a Content-Type is one that browsers give to forms.
func IsForm(contentType string) bool {
	kind, _, _ := mime.ParseMediaType(contentType)
	return kind == "application/x-www-form-urlencoded" || kind == "multipart/form-data"
}
