package bolt

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// recordVersion is the first byte of every message record.
const recordVersion = 1

// errRecord says that a record cannot be read. It does not show the record.
var errRecord = errors.New("unreadable record")

// message is a stored message with what the store knows besides.
type message struct {
	store.Message

	// ordinal numbers messages in order of acceptance.
	ordinal uint64
}

// head is the front of a message record. It is apart from the JSON, so that
// opening and listing need not decode what they do not want.
type head struct {
	state   store.State
	ordinal uint64
	mailer  string
	json    []byte
}

// stateLetter is how a state is stored.
func stateLetter(s store.State) byte {
	switch s {
	case store.Queued:
		return 'q'
	case store.Deferred:
		return 'd'
	case store.Sent:
		return 's'
	case store.Failed:
		return 'f'
	default:
		return 'x'
	}
}

func letterState(b byte) (store.State, bool) {
	for _, s := range []store.State{store.Queued, store.Deferred, store.Sent, store.Failed, store.Superseded} {
		if stateLetter(s) == b {
			return s, true
		}
	}
	return "", false
}

// appendMessage makes a record of the front and the state's JSON.
func appendMessage(b []byte, s store.State, ordinal uint64, mailer string, state []byte) []byte {
	b = append(b, recordVersion, stateLetter(s))
	b = appendNumber(b, ordinal)
	b = appendText(b, mailer)
	return append(b, state...)
}

func encodeMessage(m *message) ([]byte, error) {
	state, err := json.Marshal(&m.Message)
	if err != nil {
		return nil, fmt.Errorf("encoding a message: %w", err)
	}
	return appendMessage(nil, m.State, m.ordinal, m.Mailer, state), nil
}

func decodeHead(v []byte) (head, error) {
	if len(v) < 2 || v[0] != recordVersion {
		return head{}, errRecord
	}
	var h head
	var ok bool
	if h.state, ok = letterState(v[1]); !ok {
		return head{}, errRecord
	}
	if h.ordinal, v, ok = readNumber(v[2:]); !ok {
		return head{}, errRecord
	}
	if h.mailer, h.json, ok = readText(v); !ok {
		return head{}, errRecord
	}
	return h, nil
}

// decodeMessage decodes a record. The front wins over the JSON, because it is
// what the indexes were made from.
func decodeMessage(id string, v []byte) (*message, error) {
	h, err := decodeHead(v)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", id, err)
	}
	m := &message{ordinal: h.ordinal}
	if err := json.Unmarshal(h.json, &m.Message); err != nil {
		// The decoder's error may quote an address.
		return nil, fmt.Errorf("message %s: %w", id, errRecord)
	}
	m.ID, m.Mailer, m.State = id, h.mailer, h.state
	return m, nil
}
