package outbox

import "fmt"

// Class tells what a failed delivery means, and for whom.
type Class string

// The classes of failures.
const (
	// Temporary: the same message may be taken later (4xx, time-out, reset).
	Temporary Class = "temporary"

	// Permanent: this message will never be taken (5xx).
	Permanent Class = "permanent"

	// Unreachable: no session came about, for a reason that may pass. It says
	// nothing about the message.
	Unreachable Class = "unreachable"

	// Refused: the server is there, but its certificate, its extensions or the
	// login stand in the way of all messages until somebody mends it.
	Refused Class = "refused"
)

// Failure is a delivery that did not end with the server's 250 after the
// final dot. Every error of a Mailer is one.
type Failure struct {
	Class Class

	// Code is the SMTP reply code (RFC 5321, section 4.2), 0 if there was none.
	Code int

	// Reached is true if the message was, or may have been, handed to the
	// server in full, so that it may be in the mailbox after all.
	Reached bool

	// Err is for the log. It must not hold addresses.
	Err error
}

func (f *Failure) Error() string { return fmt.Sprintf("%s (%s)", f.Err, f.Class) }

func (f *Failure) Unwrap() error { return f.Err }
