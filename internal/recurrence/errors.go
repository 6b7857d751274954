package recurrence

import "errors"

// What Parse returns matches exactly one of these with errors.Is, so that the
// caller can name the field. The error's own text is a short phrase that stands
// behind that name ("has neither COUNT nor UNTIL") and never holds what a user
// sent.
var (
	// ErrRule means that the rule, or its start, is at fault.
	ErrRule = errors.New("bad recurrence rule")

	// ErrExdate means that the rule is good and one of its exceptions is not.
	ErrExdate = errors.New("bad exception date")
)

// problem is a phrase about a field.
type problem struct {
	field  error
	phrase string
}

func (p *problem) Error() string { return p.phrase }

// Unwrap tells the field.
func (p *problem) Unwrap() error { return p.field }

func badRule(phrase string) error { return &problem{ErrRule, phrase} }

func badExdate(phrase string) error { return &problem{ErrExdate, phrase} }
