package booking

import (
	"errors"
	"strings"
	"unicode"
)

// Action is what a sender asks to be done with a booking.
type Action string

// The actions. ActionNone means that the sender did not say: then the request
// itself decides, by its method or by whether the event is known.
const (
	ActionNone   Action = ""
	ActionCreate Action = "create"
	ActionUpdate Action = "update"
	ActionCancel Action = "cancel"
	ActionSkip   Action = "skip"
)

// maxAction is longer than the name of any webhook's event, in octets.
const maxAction = 200

var errAction = errors.New("is not an action")

// ParseAction reads an action from a word or from the name of a webhook's
// event. Its last word decides, because that is where senders put the verb:
// "cancel", "invitee.canceled", "BOOKING_RESCHEDULED" and "bookingCreated" are
// all understood. Words are runs of letters; a capital after a small letter
// begins a new one. The error's text stands behind a field's name.
func ParseAction(s string) (Action, error) {
	if len(s) > maxAction {
		return ActionNone, errAction
	}
	switch strings.ToLower(lastWord(s)) {
	case "create", "created", "new", "book", "booked", "confirm", "confirmed",
		"schedule", "scheduled", "send":
		return ActionCreate, nil
	case "update", "updated", "reschedule", "rescheduled", "change", "changed",
		"modify", "modified", "move", "moved", "edit", "edited", "put", "patch":
		return ActionUpdate, nil
	case "cancel", "cancelled", "canceled", "delete", "deleted", "remove", "removed",
		"decline", "declined", "reject", "rejected":
		return ActionCancel, nil
	case "skip", "ignore":
		return ActionSkip, nil
	}
	return ActionNone, errAction
}

// lastWord returns the last word of s, empty if there is none.
func lastWord(s string) string {
	runes := []rune(strings.TrimRightFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }))
	for i := len(runes) - 1; i > 0; i-- {
		if beginsWord(runes, i) {
			return string(runes[i:])
		}
	}
	return string(runes)
}

// beginsWord reports whether a word begins at the letter i, which is not the
// first rune: after what is no letter, at a capital after a small letter, and
// at the last capital of several ("XMLCreated").
func beginsWord(runes []rune, i int) bool {
	before, r := runes[i-1], runes[i]
	switch {
	case !unicode.IsLetter(before):
		return true
	case !unicode.IsUpper(r):
		return false
	}
	return unicode.IsLower(before) || i+1 < len(runes) && unicode.IsLower(runes[i+1])
}

// action reads what is to be done, if anything says so.
func (d *decoder) action() Action {
	in := d.read(PropAction)
	if in.text == "" {
		return ActionNone
	}
	action, err := ParseAction(in.text)
	if err != nil {
		d.failInput(in, err.Error())
	}
	return action
}
