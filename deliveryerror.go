package caddyicalmail

import "fmt"

// errorClass tells what a failed delivery means for the message.
type errorClass string

const (
	// classTemporary: the same message may be taken later.
	classTemporary errorClass = "temporary"

	// classPermanent: this message will never be taken.
	classPermanent errorClass = "permanent"

	// classMailer: nothing is wrong with the message; the mail server's
	// certificate, its extensions or the login stand in the way of all of them.
	classMailer errorClass = "mailer"
)

// deliveryError is a delivery that did not end with the server's 250.
type deliveryError struct {
	Class errorClass

	// Code is the SMTP reply code, or 0 if there was no reply.
	Code int

	// Reached is true if the message was, or may have been, handed to the
	// server in full, so that it may be in the mailbox after all.
	Reached bool

	Err error
}

func (e *deliveryError) Error() string {
	return fmt.Sprintf("%s (%s)", e.Err, e.Class)
}

func (e *deliveryError) Unwrap() error { return e.Err }
