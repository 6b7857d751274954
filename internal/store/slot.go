package store

import (
	"errors"
	"time"
	"unicode/utf8"
)

// MaxSlots bounds the slots of one Acceptance, because all of them are checked
// while everybody else waits.
const MaxSlots = 2000

// maxResource bounds a resource's name in bytes.
const maxResource = 2048

// Slot is a span of time in which one event has a resource to itself, such as
// a host or a room: from Start up to, and without, End. Resources mean the same
// to all events of a store. Times count to the microsecond.
type Slot struct {
	Resource   string
	Start, End time.Time
}

// Hold makes a new event a held one: it is there for the time being, and
// forgotten unless a later Acceptance with Confirm makes it firm.
type Hold struct {
	// Until is when the event is forgotten.
	Until time.Time

	// SlotsUntil is until when its slots are kept from others. It is not after
	// Until.
	SlotsUntil time.Time

	// Counter and Max bound how many held events may keep slots at a time:
	// one more is refused with a LimitError of the name LimitHeld. It counts
	// events with slots only, until their SlotsUntil or until they are firm.
	Counter string
	Max     int
}

// LimitHeld is the Name of the LimitError about too many held slots.
const LimitHeld = "held"

// Slots of other times than these cannot be told apart by every store.
var (
	firstSlot = time.Unix(1, 0)
	lastSlot  = time.Date(2262, time.January, 1, 0, 0, 0, 0, time.UTC)
)

// CheckSlots finds mistakes of the caller about Slots, Hold and Confirm. Stores
// call it before they do anything. The answers name no values.
func (a *Acceptance) CheckSlots() error {
	if len(a.Slots) > MaxSlots {
		return errors.New("too many slots")
	}
	for i := range a.Slots {
		if err := a.Slots[i].check(); err != nil {
			return err
		}
	}
	switch {
	case a.Hold == nil:
		return nil
	case a.Confirm:
		return errors.New("an event is either held or confirmed")
	case a.Expect != New:
		return errors.New("only a new event can be held")
	case a.Hold.SlotsUntil.After(a.Hold.Until):
		return errors.New("slots are held for longer than their event")
	}
	return nil
}

func (s *Slot) check() error {
	if s.Resource == "" || len(s.Resource) > maxResource || !utf8.ValidString(s.Resource) {
		return errors.New("resource of a slot is empty, too long or not UTF-8")
	}
	if !s.End.After(s.Start) {
		return errors.New("slot ends before it begins")
	}
	if s.Start.Before(firstSlot) || s.End.After(lastSlot) {
		return errors.New("slot is out of range")
	}
	return nil
}
