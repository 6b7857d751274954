// Package store says what a durable store of events and messages can do. The
// implementations are in sub-packages; all of them pass the contract suite in
// storetest.
package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// Errors that callers act upon. Everything else that a Store returns means
// that the store did not do its work, and that nothing was changed.
var (
	// ErrKeyReused means that the idempotency key was used before with other
	// content (HTTP status 422).
	ErrKeyReused = errors.New("idempotency key was used with other content")

	// ErrStale means that the stored event is not at the expected SEQUENCE:
	// somebody else changed it meanwhile, or it is gone. Read it, render
	// again, try again.
	ErrStale = errors.New("event was changed meanwhile")

	// ErrNotFound means that there is no such event, message or key.
	ErrNotFound = errors.New("not found")

	// ErrLeaseLost means that the lease ran out and somebody else took the
	// message, or that it was settled or erased: what the caller knows about
	// it is void. A lease that merely ran out can still be settled or
	// extended, because its holder knows best what became of the delivery.
	ErrLeaseLost = errors.New("lease lost")

	// ErrNoSpace means that the disk is too full to take on new work safely.
	// Deliveries are still recorded.
	ErrNoSpace = errors.New("not enough free disk space")

	// ErrSlotTaken means that another event occupies a part of the wanted time
	// (HTTP status 409).
	ErrSlotTaken = errors.New("slot is taken")

	// ErrClosed means that the store was closed.
	ErrClosed = errors.New("store is closed")
)

// LimitError refuses an Acceptance because one of its limits is reached. Of
// several it is the one that lasts longest.
type LimitError struct {
	// Name is the limit's name, never the counted address.
	Name string

	// RetryAfter is how long it takes until one more would be accepted.
	RetryAfter time.Duration
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("limit %s reached, free again in %s", e.Name, e.RetryAfter)
}

// State is where a message is on its way.
type State string

// The states of a message. A leased message is Queued or Deferred in the
// store: who holds the lease is known to the claimer only.
const (
	Queued     State = "queued"     // never attempted
	Deferred   State = "deferred"   // to be tried again at Due
	Sent       State = "sent"       // the server's 250 after the final dot
	Failed     State = "failed"     // refused for good, or out of time
	Superseded State = "superseded" // replaced by a newer message before it was attempted
)

// Terminal reports whether a message in state s is never attempted again.
func (s State) Terminal() bool { return s == Sent || s == Failed || s == Superseded }

// NewMessage is one finished mail to one recipient: complete bytes that are
// sent as they are, however often they are tried.
type NewMessage struct {
	// ID identifies the message and sorts by time (UUIDv7).
	ID string `json:"id"`

	UID      string       `json:"uid"`
	Sequence int          `json:"sequence"`
	Method   string       `json:"method"` // the iTIP method: REQUEST or CANCEL
	Role     booking.Role `json:"role"`

	// Mailer is the key of the mailer that sends it.
	Mailer string `json:"mailer"`

	// From and To are the SMTP envelope.
	From booking.Address `json:"from"`
	To   booking.Address `json:"to"`

	// Due is when it may be sent first, and Expires when it is given up.
	Due     time.Time `json:"due"`
	Expires time.Time `json:"expires"`

	// Raw is the RFC 5322 message. It is kept apart from the state.
	Raw []byte `json:"-"`
}

// Message is a stored message without its bytes.
type Message struct {
	NewMessage
	State    State     `json:"state"`
	Attempts int       `json:"attempts"`
	Accepted time.Time `json:"accepted"`
	Settled  time.Time `json:"settled,omitzero"`

	// Attempted is set once a delivery may have come as far as DATA, so that
	// the recipient may know of the event.
	Attempted bool `json:"attempted,omitempty"`

	// Code and Error are the last SMTP reply's code (0: there was none) and
	// class of failure, for logs and the admin API.
	Code  int    `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// Lease is the right to deliver one message until Until.
type Lease struct {
	MessageID string
	Token     uint64
	Until     time.Time
}

// Job is a claimed message with its bytes.
type Job struct {
	Message
	Lease Lease
}

// Outcome tells how a delivery ended.
type Outcome struct {
	Lease Lease

	// State is Sent, Deferred, Failed or Queued. Queued gives the message
	// back as it was, without counting an attempt.
	State State

	// Now is when it ended, and Due when to try again (Deferred, Queued).
	Now, Due time.Time

	// Attempted is true if the delivery may have come as far as DATA.
	Attempted bool

	Code  int
	Error string
}

// Filter selects messages to List. Its zero value selects all.
type Filter struct {
	State  State
	Mailer string
	UID    string

	// After is the ID of the last message of the page before.
	After string
	Limit int // default and maximum 1000
}

// MailerStats are the figures of one mailer.
type MailerStats struct {
	Queued, Deferred, Failed int

	// Oldest is when the oldest message that is not yet settled was accepted.
	Oldest time.Time
}

// Stats are the figures of the whole store.
type Stats struct {
	Mailers map[string]MailerStats // by mailer key, also those that no config has
	Events  int
	Bytes   int64 // size on disk
}

// Store keeps events and messages. All methods are safe for concurrent use.
// A method that writes returns only when what it wrote would survive a loss
// of power, or returns an error and has changed nothing. When ctx ends while
// a write is under way the outcome may be unknown to the caller: the error is
// then ctx's, and the write may or may not have happened.
type Store interface {
	// Accept commits a. See Acceptance for the checks; their order is Key,
	// Unique, event and ID, Slots, held slots, Limits, space.
	Accept(ctx context.Context, a *Acceptance) (Receipt, error)

	// Claim leases at most max messages of a mailer that are due at now,
	// longest due first. Of one event and recipient it hands out one message
	// at a time, in order of SEQUENCE.
	Claim(ctx context.Context, mailer string, now time.Time, max int, lease time.Duration) ([]Job, error)

	// Extend renews a lease that is still held.
	Extend(ctx context.Context, l Lease, until time.Time) (Lease, error)

	// Settle ends leases. It is all or nothing for one call, except that
	// outcomes whose lease is lost are skipped and make it return
	// ErrLeaseLost after the others were written.
	Settle(ctx context.Context, outcomes ...Outcome) error

	// NextDue is when the next message of a mailer can be claimed; the zero
	// time means that there is none. A leased message counts from the end of
	// its lease, so that one whose holder is lost is found.
	NextDue(ctx context.Context, mailer string) (time.Time, error)

	// Changed returns a channel that is closed at the next change that may
	// have made a message due, or when the store is closed. Take it before
	// looking for work, so that no change is missed.
	Changed() <-chan struct{}

	// Event finds an event by UID, EventByID by scope and the booking's own
	// id. The messages are in order of acceptance.
	Event(ctx context.Context, uid string) (booking.Event, []Message, error)
	EventByID(ctx context.Context, scope, id string) (booking.Event, []Message, error)

	// Reply finds the reply of an idempotency key that has not expired.
	Reply(ctx context.Context, key string, now time.Time) (fingerprint [32]byte, reply []byte, err error)

	// List returns messages in order of their ID.
	List(ctx context.Context, f Filter) ([]Message, error)

	// Move hands all unsettled messages of one mailer to another and returns
	// how many there were. It works in small bounded transactions: after an
	// error some may have been moved, and calling it again moves the rest.
	Move(ctx context.Context, from, to string) (int, error)

	// Erase removes every trace of an address: the events that it is the
	// client or a guest of, or was before an update, with their messages (also
	// unsent ones), ids and keys. What they occupied stays occupied until it is
	// over, because the appointment is still in the host's calendar; a slot
	// says nothing about who booked it. A held event frees its slots, because
	// nobody was told of it yet. It returns the number of events. It works in
	// bounded transactions as Move does.
	Erase(ctx context.Context, a booking.Address) (int, error)

	// Sweep forgets events whose end is before the given time, with their
	// messages, ids and keys, held events whose time is up at now, also with
	// their slots, slots that ended before the given time, and expired keys and
	// counters. An event with
	// unsettled messages is kept as it is until they are settled, or their
	// Expires is before the given time too: those wait for a mailer that is
	// gone. It works in small bounded transactions.
	Sweep(ctx context.Context, now, endedBefore time.Time) (events int, err error)

	// Keep returns the value that was kept first under a name, which is the
	// given one if there was none. All processes that share a store get the
	// same.
	Keep(ctx context.Context, name string, value []byte) ([]byte, error)

	Stats(ctx context.Context) (Stats, error)

	// Close waits for writes under way and releases the store. Methods called
	// later return ErrClosed.
	Close() error
}
