package bolt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// maxName bounds identifiers, because they become keys of the file.
const maxName = 2048

// prepared is an Acceptance made ready in the caller's goroutine, so that the
// writer, of which there is one, has little to do. It shares no memory with
// the caller: one whose context ends goes on while the write is under way.
type prepared struct {
	now       time.Time
	event     booking.Event
	eventJSON []byte
	id        string
	oldScope  string
	expect    int
	keys      []*acceptKey // in the order in which they are looked up
	owner     owner
	slots     []span // nil: as they are
	hold      *hold
	confirm   bool
	limits    []limit
	supersede bool
	messages  []newMessage
}

// newMessage is a message with its state as JSON.
type newMessage struct {
	store.NewMessage
	json []byte
	body []byte
}

func (s *Store) prepare(a *store.Acceptance) (*accept, error) {
	if err := checkAcceptance(a); err != nil {
		return nil, err
	}
	o := &accept{s: s, prepared: prepared{
		now: a.Now, event: a.Event, id: a.ID, expect: a.Expect,
		keys: prepareKeys(a.Key, a.Unique), limits: prepareLimits(a.Limits), supersede: a.Supersede,
		owner: ownerOf(a.Event.UID), slots: prepareSlots(a.Slots), hold: prepareHold(a.Hold), confirm: a.Confirm,
	}}
	if a.Event.Status == booking.Cancelled {
		o.slots = []span{}
	}
	var err error
	if o.eventJSON, err = json.Marshal(&a.Event); err != nil {
		return nil, fmt.Errorf("encoding the event: %w", err)
	}
	for i := range a.Messages {
		m := store.Message{NewMessage: a.Messages[i], State: store.Queued, Accepted: a.Now}
		state, err := json.Marshal(&m)
		if err != nil {
			return nil, fmt.Errorf("encoding a message: %w", err)
		}
		n := newMessage{NewMessage: m.NewMessage, json: state, body: bytes.Clone(m.Raw)}
		n.Raw = nil
		o.prepared.messages = append(o.prepared.messages, n)
	}
	return o, nil
}

// checkAcceptance finds mistakes of the caller. The answers name no values.
func checkAcceptance(a *store.Acceptance) error {
	if err := checkName("event UID", a.Event.UID); err != nil {
		return err
	}
	if a.Event.Sequence < 0 || a.Event.Sequence < a.Expect {
		return errors.New("SEQUENCE must not fall")
	}
	if len(a.ID) > maxName || len(a.Event.Scope) > maxName || !utf8.ValidString(a.ID+a.Event.Scope) {
		return errors.New("booking id or scope is too long or not UTF-8")
	}
	seen := make(map[string]bool, len(a.Messages))
	for i := range a.Messages {
		m := &a.Messages[i]
		if err := checkName("message ID", m.ID); err != nil {
			return err
		}
		if m.UID != a.Event.UID || m.Sequence < 0 {
			return errors.New("message is not of this event")
		}
		if seen[m.ID] {
			return errors.New("two messages have the same ID")
		}
		seen[m.ID] = true
		if len(m.Mailer) > maxName || !utf8.ValidString(m.Mailer) || len(m.To.String()) > maxName {
			return errors.New("mailer or recipient is too long or not UTF-8")
		}
	}
	return a.CheckSlots()
}

func checkName(what, name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%s is empty, too long or not UTF-8", what)
	}
	return nil
}
