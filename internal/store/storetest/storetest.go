// Package storetest is the contract of store.Store as tests. Every
// implementation has to pass them.
package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Open returns an empty store. It registers what closes it.
type Open func(t *testing.T) store.Store

// Reopen closes a store and opens it again with what it holds.
type Reopen func(t *testing.T, s store.Store) store.Store

// Run runs the whole contract. Each test gets a store of its own.
func Run(t *testing.T, open Open, reopen Reopen) {
	tests := []struct {
		name string
		run  func(*suite)
	}{
		{"Accept", testAccept},
		{"AcceptRefusesNonsense", testNonsense},
		{"Key", testKey},
		{"KeyUnlessCancelled", testUnlessCancelled},
		{"KeyRace", testKeyRace},
		{"Unique", testUnique},
		{"UniqueUnlessCancelled", testUniqueUnlessCancelled},
		{"UniqueWhileHeld", testUniqueWhileHeld},
		{"CheckOrder", testCheckOrder},
		{"Expect", testExpect},
		{"ExpectRace", testExpectRace},
		{"ID", testID},
		{"Limit", testLimit},
		{"LimitsTogether", testLimitsTogether},
		{"LimitWindow", testLimitWindow},
		{"LimitRace", testLimitRace},
		{"SlotOverlap", testSlotOverlap},
		{"SlotRace", testSlotRace},
		{"SlotResources", testSlotResources},
		{"SlotMove", testSlotMove},
		{"SlotCancel", testSlotCancel},
		{"SlotSeries", testSlotSeries},
		{"SlotNonsense", testSlotNonsense},
		{"SlotsOutliveEvents", testSlotsOutlive},
		{"SlotRandom", testSlotRandom},
		{"HoldExpiry", testHoldExpiry},
		{"HoldConfirm", testHoldConfirm},
		{"HoldConfirmOnce", testHoldConfirmOnce},
		{"HoldRivals", testHoldRivals},
		{"HoldCap", testHoldCap},
		{"HoldCapRace", testHoldCapRace},
		{"HoldSweep", testHoldSweep},
		{"ClaimOrder", testClaimOrder},
		{"ClaimRace", testClaimRace},
		{"OneInFlight", testOneInFlight},
		{"LateOlder", testLateOlder},
		{"Lease", testLease},
		{"Extend", testExtend},
		{"Settle", testSettle},
		{"GiveBack", testGiveBack},
		{"Supersede", testSupersede},
		{"SupersedeClaimed", testSupersedeClaimed},
		{"SupersedeAttempted", testSupersedeAttempted},
		{"SupersedeCancel", testSupersedeCancel},
		{"SupersedeEachRecipient", testSupersedeEach},
		{"SupersedeRace", testSupersedeRace},
		{"NextDue", testNextDue},
		{"Changed", testChanged},
		{"Lookup", testLookup},
		{"List", testList},
		{"Move", testMove},
		{"Erase", testErase},
		{"EraseInFlight", testEraseInFlight},
		{"EraseFormerGuest", testEraseFormerGuest},
		{"Sweep", testSweep},
		{"SweepUnwanted", testSweepUnwanted},
		{"SweepKeysAndCounters", testSweepExpired},
		{"Stats", testStats},
		{"Closed", testClosed},
		{"Cancelled", testCancelledContext},
		{"Bodies", testBodies},
		{"Unicode", testUnicode},
		{"Random", testRandom},
		{"Keep", func(x *suite) { testKeep(x, reopen) }},
		{"KeepRace", testKeepRace},
		{"ReopenSlots", func(x *suite) { testReopenSlots(x, reopen) }},
		{"Reopen", func(x *suite) { testReopen(x, reopen) }},
		{"ReopenOutstanding", func(x *suite) { testOutstanding(x, reopen) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(&suite{T: t, s: open(t)}) })
	}
}

// start is the clock of the tests.
var start = time.Date(2027, 3, 5, 10, 0, 0, 0, time.UTC)

const mailer = "smtp:mail.example:587:booking"

// suite is a test with its store.
type suite struct {
	*testing.T
	s  store.Store
	id atomic.Int64
}

func (x *suite) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *suite) is(err, want error) {
	x.Helper()
	if !errors.Is(err, want) {
		x.Fatalf("got error %v, want %v", err, want)
	}
}

func (x *suite) equal(what string, got, want any) {
	x.Helper()
	if got != want {
		x.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// address makes an address of the tests; they are all valid.
func (x *suite) address(s string) booking.Address {
	x.Helper()
	a, err := booking.ParseAddress(s)
	x.ok(err)
	return a
}

// event makes an event of Ann with the host Hal.
func (x *suite) event(uid string, sequence int) booking.Event {
	x.Helper()
	return booking.Event{
		UID: uid, Sequence: sequence, Status: booking.Confirmed,
		Created: start, Modified: start, Start: start.Add(24 * time.Hour), End: start.Add(25 * time.Hour),
		ClientZone: "Europe/Berlin", HostZone: "UTC", Summary: "Consultation",
		Organizer: booking.Person{Address: x.address("booking@site.example")},
		Host:      booking.Person{Address: x.address("hal@site.example"), Name: "Hal"},
		Client:    booking.Person{Address: x.address("ann@client.example"), Name: "Ann"},
		Scope:     "consult", Mailer: mailer,
	}
}

// nextID makes IDs that sort by time, as UUIDv7 do.
func (x *suite) nextID() string { return fmt.Sprintf("01900000-0000-7000-8000-%012x", x.id.Add(1)) }

// mail makes a message of e that is due at once.
func (x *suite) mail(e booking.Event, to string) store.NewMessage {
	x.Helper()
	m := store.NewMessage{
		ID: x.nextID(), UID: e.UID, Sequence: e.Sequence, Method: "REQUEST", Role: booking.RoleClient,
		Mailer: e.Mailer, From: e.Organizer.Address, To: x.address(to),
		Due: start, Expires: start.Add(72 * time.Hour),
	}
	if e.Status == booking.Cancelled {
		m.Method = "CANCEL"
	}
	if m.To == e.Host.Address {
		m.Role = booking.RoleHost
	}
	m.Raw = []byte("Message-ID: <" + m.ID + ">\r\n\r\nfor " + to + "\r\n")
	return m
}

// acceptance makes the acceptance of a new event or of a change to it.
func (x *suite) acceptance(e booking.Event, to ...string) *store.Acceptance {
	x.Helper()
	a := &store.Acceptance{Now: start, Event: e, Expect: e.Sequence - 1}
	for _, recipient := range to {
		a.Messages = append(a.Messages, x.mail(e, recipient))
	}
	return a
}

func (x *suite) accept(a *store.Acceptance) store.Receipt {
	x.Helper()
	r, err := x.s.Accept(x.Context(), a)
	x.ok(err)
	return r
}

// refused makes sure that a is refused with an error and changes nothing.
func (x *suite) refused(a *store.Acceptance, want error) {
	x.Helper()
	before := x.dump()
	_, err := x.s.Accept(x.Context(), a)
	x.is(err, want)
	x.equal("store after a refusal", x.dump(), before)
}

func (x *suite) claim(now time.Time, max int) []store.Job {
	x.Helper()
	jobs, err := x.s.Claim(x.Context(), mailer, now, max, time.Minute)
	x.ok(err)
	return jobs
}

// claimOne makes sure that exactly one message can be claimed.
func (x *suite) claimOne(now time.Time) store.Job {
	x.Helper()
	jobs := x.claim(now, 10)
	if len(jobs) != 1 {
		x.Fatalf("claimed %d messages, want 1", len(jobs))
	}
	return jobs[0]
}

func (x *suite) claimNone(now time.Time) {
	x.Helper()
	if jobs := x.claim(now, 10); len(jobs) != 0 {
		x.Fatalf("claimed %d messages, want none (the first is %s)", len(jobs), jobs[0].ID)
	}
}

func (x *suite) settle(j store.Job, state store.State, now time.Time) {
	x.Helper()
	x.ok(x.s.Settle(x.Context(), store.Outcome{Lease: j.Lease, State: state, Now: now, Due: now.Add(time.Minute), Attempted: state == store.Sent}))
}

// messages returns the messages of an event.
func (x *suite) messages(uid string) []store.Message {
	x.Helper()
	_, all, err := x.s.Event(x.Context(), uid)
	x.ok(err)
	return all
}

// states are the states of an event's messages in order of acceptance.
func (x *suite) states(uid string) string {
	x.Helper()
	var states []string
	for _, m := range x.messages(uid) {
		states = append(states, string(m.State))
	}
	return strings.Join(states, " ")
}

// dump shows all messages and figures, to be compared.
func (x *suite) dump() string {
	x.Helper()
	all, err := x.s.List(x.Context(), store.Filter{})
	x.ok(err)
	stats, err := x.s.Stats(x.Context())
	x.ok(err)
	var b strings.Builder
	for _, m := range all {
		fmt.Fprintln(&b, m.ID, m.UID, m.Sequence, m.Mailer, m.State, m.Attempts, m.Attempted, m.Due.UnixNano(), m.Code, m.Error)
	}
	fmt.Fprintln(&b, stats.Events, stats.Mailers)
	return b.String()
}
