package bolt

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// lease is a hold on a message. One that ran out stays until somebody else
// takes the message, because until then its holder is the only one who can
// know what became of the delivery.
type lease struct {
	token  uint64
	mailer string
	until  time.Time

	// busy is set while the writer decides about the message: nobody may
	// take it then.
	busy bool
}

// leases are kept in memory. The file lock makes this process the only one,
// and after a crash everything unsettled is due anyway.
type leases struct {
	mu   sync.Mutex
	held map[string]*lease // by message ID
	last uint64            // token given out last
}

// init starts the tokens at a random number, so that one of an earlier
// process is not taken for one of ours.
func (l *leases) init() {
	var b [8]byte
	rand.Read(b[:]) // never fails
	l.last = binary.BigEndian.Uint64(b[:]) >> 2
	l.held = make(map[string]*lease)
}

// free says whether a message can be leased at now. The caller holds mu.
func (l *leases) free(id string, now time.Time) bool {
	h := l.held[id]
	return h == nil || !h.busy && !h.until.After(now)
}

// take leases a message that is free. The caller holds mu.
func (l *leases) take(id, mailer string, until time.Time) store.Lease {
	l.last++
	l.held[id] = &lease{token: l.last, mailer: mailer, until: until}
	return store.Lease{MessageID: id, Token: l.last, Until: until}
}

// begin starts settling: it makes a lease busy if it is still held.
func (l *leases) begin(want store.Lease) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[want.MessageID]
	if h == nil || h.busy || h.token != want.Token {
		return false
	}
	h.busy = true
	return true
}

// end ends settling. A lease whose outcome was not written is still held.
func (l *leases) end(id string, written bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.held[id]
	switch {
	case h == nil:
	case written:
		delete(l.held, id)
	default:
		h.busy = false
	}
}

// reserve keeps everybody from leasing a message. It fails if the message was
// leased and nobody told what became of it.
func (l *leases) reserve(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[id] != nil {
		return false
	}
	l.held[id] = &lease{busy: true}
	return true
}

// drop ends holds for good.
func (l *leases) drop(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.held, id)
	}
}

// rename tells the leases that messages have another mailer.
func (l *leases) rename(ids []string, mailer string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if h := l.held[id]; h != nil {
			h.mailer = mailer
		}
	}
}

func (l *leases) none() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held) == 0
}

// Extend renews a lease that is still held. One that ran out can be renewed
// as long as nobody else took the message.
func (s *Store) Extend(ctx context.Context, l store.Lease, until time.Time) (store.Lease, error) {
	if err := ctx.Err(); err != nil {
		return store.Lease{}, err
	}
	if err := s.gate.enter(); err != nil {
		return store.Lease{}, err
	}
	defer s.gate.leave()
	s.leases.mu.Lock()
	defer s.leases.mu.Unlock()
	h := s.leases.held[l.MessageID]
	if h == nil || h.busy || h.token != l.Token {
		return store.Lease{}, store.ErrLeaseLost
	}
	h.until = until
	l.Until = until
	return l, nil
}
