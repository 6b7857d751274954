package bolt

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestEraseLeavesNothing looks for an erased person in every key and value.
func TestEraseLeavesNothing(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, testPath(t))
	for i := range 30 {
		uid := fmt.Sprint("uid-", i)
		a := testAcceptance(t, uid)
		a.Key.Key, a.ID = "ann.secret@client.example "+uid, "ann.secret@client.example "+uid
		a.Limits = []store.Limit{{Name: "recipient", Counter: "ann.secret@client.example", Max: 100, Window: 1 << 40}}
		if i%2 == 0 {
			a.Event.Client.Address = testAddress(t, "zoe@client.example")
			a.Event.Guests = []booking.Person{{Address: testAddress(t, "Ann.Secret@client.example"), Name: "Ann Very Secret"}}
		}
		if i%3 > 0 {
			a.Unique = &store.Key{Key: "ann.secret@client.example at ten " + uid, Expires: a.Key.Expires, Reply: a.Key.Reply}
		}
		if withSlot(a); i%3 == 1 {
			a.Hold = &store.Hold{Until: a.Event.Start, SlotsUntil: a.Event.Start, Counter: "ann.secret", Max: 100}
		}
		mustAccept(t, s, a)
	}
	for i, j := range mustClaim(t, s, testStart, 20) {
		state := []store.State{store.Sent, store.Failed, store.Deferred, store.Queued}[i%4]
		if err := s.Settle(ctx, outcome(j, state)); err != nil {
			t.Fatal(err)
		}
	}
	if n := found(t, s, "ann", "secret"); n == 0 {
		t.Fatal("the search finds nothing")
	}
	n, err := s.Erase(ctx, testAddress(t, "ann.SECRET@client.example"))
	if err != nil || n != 30 {
		t.Fatalf("erased %d: %v", n, err)
	}
	if n := found(t, s, "ann", "secret", "zoe", "uid-"); n > 0 {
		t.Errorf("%d traces are left", n)
	}
	checkIndexes(t, s)
	if len(takenBy(t, s, "uid-3")) != 1 || len(takenBy(t, s, "uid-4")) != 0 {
		t.Error("the firm slot is gone, or the held one is still there")
	}
}

// found counts the records that hold one of the words.
func found(t *testing.T, s *Store, words ...string) (n int) {
	t.Helper()
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				record := bytes.ToLower(append(append([]byte{}, k...), v...))
				for _, word := range words {
					if strings.Contains(string(record), word) {
						n++
					}
				}
				return nil
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
