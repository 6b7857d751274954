package store

import (
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// Key makes an Acceptance idempotent.
type Key struct {
	// Key is unique within the store: the caller puts the scope into it.
	Key string

	// Fingerprint is a hash of the whole content of the booking.
	Fingerprint [32]byte

	// Expires is when the key is forgotten.
	Expires time.Time

	// UnlessCancelled makes a known key void once the event that it stands
	// for was cancelled, so that the same slot can be booked again.
	UnlessCancelled bool

	// WhileHeld makes a known key void unless the event that it stands for is
	// a held one whose time is not up: once it is firm, or gone, the same can be
	// asked for again.
	WhileHeld bool

	// Reply is kept with the key and handed out when the key comes again.
	Reply []byte
}

// Limit lets at most Max acceptances with the same Counter through in any
// span of Window. The span is measured in coarse ticks, and errs on the side
// of refusing. An acceptance counts once, however often it names a Counter, and
// the same Counter with another Window is another one.
type Limit struct {
	Name    string // for messages, e.g. "recipient"
	Counter string // what is counted, e.g. a hash of scope and address
	Max     int
	Window  time.Duration
}

// New is the Expect of an Acceptance whose event must not exist yet.
const New = -1

// Acceptance is everything that becomes durable together.
type Acceptance struct {
	Now   time.Time
	Event booking.Event

	// ID is the booking's own id, unique in the event's scope; it may be
	// empty. An ID that stands for another UID already makes Accept fail
	// with ErrStale.
	ID string

	// Expect is the SEQUENCE that the stored event must have, or New.
	Expect int

	// Key, if not nil, is looked up before anything else, and Unique after it
	// in the same way: whichever is known first answers for the whole.
	Key, Unique *Key

	// Slots are what the event occupies from now on, in place of what it
	// occupied before. Another event's slot that overlaps one of them makes
	// Accept fail with ErrSlotTaken; slots that touch do not overlap, and
	// those of a held event count until its SlotsUntil. Nil leaves things as
	// they are, and an empty slice frees all. A cancelled event occupies
	// nothing, whatever is said here.
	Slots []Slot

	// Hold, if not nil, makes the event, which must be new, a held one. Later
	// acceptances without Confirm leave it held: slots that they give it are
	// kept until the Hold's SlotsUntil, and are not checked against its Max.
	Hold *Hold

	// Confirm makes a held event firm. If the stored event is not held, or its
	// Hold has run out at Now, Accept fails with ErrStale. With Slots nil it
	// keeps what it held, and as others may have taken that after SlotsUntil,
	// it is checked as Slots are.
	Confirm bool

	// Limits are checked, and counted only if all of them pass.
	Limits []Limit

	// Supersede replaces older messages of the event that were certainly
	// never attempted as far as DATA: for every recipient of Messages an older
	// one is superseded. Where the event's REQUESTs to a recipient were all
	// superseded this way, a CANCEL to that recipient is dropped as well,
	// because the recipient never heard of the event. Messages that were
	// claimed and not settled, and those of a process that died, may have been
	// attempted.
	Supersede bool

	Messages []NewMessage
}

// Receipt says what an Accept did.
type Receipt struct {
	// Replayed means that the key was known: nothing was written, and Reply is
	// the first answer.
	Replayed bool
	Reply    []byte

	// Queued and Superseded count messages.
	Queued, Superseded int
}
