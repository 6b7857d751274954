package booking

import (
	"errors"
	"fmt"
	"strings"
)

// Errors about the body as a whole. What Decode returns matches exactly one of
// them with errors.Is, or is a FieldErrors.
var (
	// ErrMalformed means that the body is not what its Content-Type says
	// (HTTP status 400).
	ErrMalformed = errors.New("malformed body")

	// ErrMediaType means that the body is of a kind that is not understood
	// (HTTP status 415).
	ErrMediaType = errors.New("unsupported media type")
)

// FieldError tells what is wrong with one field. It names the field as the
// form does, never the value, because answers and logs are read by others.
type FieldError struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

func (e FieldError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Detail) }

// FieldErrors are all fields that have to be mended (HTTP status 422).
type FieldErrors []FieldError

func (e FieldErrors) Error() string {
	details := make([]string, len(e))
	for i, f := range e {
		details[i] = f.Error()
	}
	return strings.Join(details, "; ")
}
