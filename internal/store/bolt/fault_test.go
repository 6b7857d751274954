package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func outcome(j store.Job, state store.State) store.Outcome {
	return store.Outcome{Lease: j.Lease, State: state, Now: testStart, Due: testStart.Add(time.Minute)}
}

var errDisk = errors.New("disk on fire")

// failAt makes a store fail at a stage while on is set. It is called before
// anything uses the store.
func failAt(s *Store, stage string, on *atomic.Bool) {
	s.fault = func(at string) error {
		if at == stage && on.Load() {
			return errDisk
		}
		return nil
	}
}

// TestFailedCommit makes sure that a failed commit changes nothing, on disk
// and in memory, and that the store goes on when the disk does.
func TestFailedCommit(t *testing.T) {
	ctx := context.Background()
	s := openTest(t, testPath(t))
	var on atomic.Bool
	failAt(s, "commit", &on)
	mustAccept(t, s, testAcceptance(t, "one"))
	job := mustClaim(t, s, testStart, 1)[0]
	update := testAcceptance(t, "one")
	update.Key, update.Expect, update.Supersede = nil, 0, true
	update.Event.Sequence, update.Messages[0].Sequence, update.Messages[0].ID = 1, 1, "m-update"

	on.Store(true)
	_, err := s.Accept(ctx, testAcceptance(t, "two"))
	wantError(t, err, errDisk)
	wantError(t, s.Settle(ctx, outcome(job, store.Sent)), errDisk)
	_, err = s.Accept(ctx, update)
	wantError(t, err, errDisk)
	if len(mustClaim(t, s, testStart, 10)) > 0 {
		t.Error("the lease was lost")
	}
	on.Store(false)

	_, _, err = s.Event(ctx, "two")
	wantError(t, err, store.ErrNotFound)
	stats, err := s.Stats(ctx)
	if err != nil || stats.Events != 1 || stats.Mailers[testMailer].Queued != 1 {
		t.Errorf("got %+v, %v", stats, err)
	}
	if err := s.Settle(ctx, outcome(job, store.Sent)); err != nil {
		t.Error(err)
	}
	mustAccept(t, s, testAcceptance(t, "two"))
	mustAccept(t, s, update)
}

// TestGuiltyAlone lets one operation of a batch fail.
func TestGuiltyAlone(t *testing.T) {
	s := openTest(t, testPath(t))
	var all []*request
	boom := &failingOp{}
	for i := range 10 {
		o, err := s.prepare(testAcceptance(t, fmt.Sprint("u", i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, request1(s, t, o))
		if i == 4 {
			all = append(all, request1(s, t, boom))
		}
	}
	stale, err := s.prepare(testAcceptance(t, "u3"))
	if err != nil {
		t.Fatal(err)
	}
	stale.keys = nil
	all = append(all, request1(s, t, stale))
	s.run(all)
	for i, r := range all {
		err := <-r.answer
		switch r.op {
		case op(boom):
			wantError(t, err, errDisk)
		case op(stale):
			wantError(t, err, store.ErrStale)
		default:
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
	}
	if n := len(mustClaim(t, s, testStart, 100)); n != 10 {
		t.Errorf("claimed %d, want 10", n)
	}
}

func request1(s *Store, t *testing.T, o op) *request {
	if err := s.gate.enter(); err != nil {
		t.Fatal(err)
	}
	return &request{ctx: context.Background(), op: o, answer: make(chan error, 1)}
}

// failingOp writes something and then fails.
type failingOp struct{}

func (*failingOp) check(*txn) (bool, error) { return true, nil }
func (*failingOp) write(t *txn) error {
	return errors.Join(t.meta.Put([]byte("half"), []byte("done")), errDisk)
}
func (*failingOp) done(bool) {}

// TestUnsureCommit lets the very last sync fail: the commit can be seen, and
// must become durable before anything else is written.
func TestUnsureCommit(t *testing.T) {
	ctx := context.Background()
	path := testPath(t)
	s := openTest(t, path)
	var committed, confirm atomic.Bool
	s.fault = func(at string) error {
		if at == "committed" && committed.Load() || at == "confirm" && confirm.Load() {
			return errDisk
		}
		return nil
	}
	committed.Store(true)
	mustAccept(t, s, testAcceptance(t, "confirmed at once"))
	confirm.Store(true)
	_, err := s.Accept(ctx, testAcceptance(t, "in doubt"))
	wantError(t, err, errUnsure)
	_, err = s.Accept(ctx, testAcceptance(t, "not even tried"))
	wantError(t, err, errUnsure)
	committed.Store(false)
	confirm.Store(false)
	mustAccept(t, s, testAcceptance(t, "later"))
	stats, err := s.Stats(ctx)
	if err != nil || stats.Events != 3 || stats.Mailers[testMailer].Queued != 3 {
		t.Errorf("got %+v, %v", stats, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stats, err = openTest(t, path).Stats(ctx)
	if err != nil || stats.Events != 3 || stats.Mailers[testMailer].Queued != 3 {
		t.Errorf("after reopening: got %+v, %v", stats, err)
	}
}

// TestFullDisk fills a small disk to the last byte, which the floor usually
// prevents, records deliveries on it, and goes on when there is space again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "none", dir).CombinedOutput(); err != nil {
		if strings.Contains(os.Getenv("CADDYICALMAIL_REQUIRE"), "mount") {
			t.Fatalf("mounting is required: %s", out)
		}
		t.Skipf("cannot mount a small disk: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", dir).Run() })
	ctx := context.Background()
	s, err := Open(filepath.Join(dir, "outbox.db"), Options{MinFree: Off})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	accepted := 0
	for err == nil {
		if _, err = s.Accept(ctx, testAcceptance(t, fmt.Sprint("u", accepted))); err == nil {
			accepted++
		}
	}
	wantError(t, err, store.ErrNoSpace)
	wantError(t, err, syscall.ENOSPC)
	jobs := mustClaim(t, s, testStart, 1000)
	if len(jobs) != accepted {
		t.Errorf("claimed %d of %d", len(jobs), accepted)
	}
	// Most deliveries find a free page in the file. One that does not is still
	// leased, and recorded when there is space again.
	var again []store.Job
	for _, j := range jobs {
		if err := s.Settle(ctx, outcome(j, store.Sent)); err != nil {
			wantError(t, err, syscall.ENOSPC)
			again = append(again, j)
		}
	}
	if len(again) == len(jobs) {
		t.Error("no delivery could be recorded on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	for _, j := range again {
		if err := s.Settle(ctx, outcome(j, store.Sent)); err != nil {
			t.Error(err)
		}
	}
	mustAccept(t, s, testAcceptance(t, "after"))
}

func TestFloor(t *testing.T) {
	s := openTest(t, testPath(t))
	mustAccept(t, s, testAcceptance(t, "one"))
	var free atomic.Uint64
	var asked atomic.Int32
	s.space.free = func() (uint64, bool) {
		asked.Add(1)
		return free.Load(), true
	}
	s.space.asked = time.Time{}
	for range 50 {
		_, err := s.Accept(context.Background(), testAcceptance(t, "two"))
		wantError(t, err, store.ErrNoSpace)
	}
	if n := asked.Load(); n > 5 {
		t.Errorf("the system was asked %d times", n)
	}
	if err := s.Settle(context.Background(), outcome(mustClaim(t, s, testStart, 1)[0], store.Sent)); err != nil {
		t.Error(err)
	}
	free.Store(1 << 40)
	s.space.asked = time.Time{}
	mustAccept(t, s, testAcceptance(t, "two"))
}

// TestCancelledWhileWaiting gives up calls while the writer is held up, and
// closes the store behind them.
func TestCancelledWhileWaiting(t *testing.T) {
	s := openTest(t, testPath(t))
	hold := make(chan struct{})
	s.fault = func(string) error {
		<-hold
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := s.Accept(ctx, testAcceptance(t, strings.Repeat("u", i+1)))
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	cancel()
	wg.Wait()
	close(hold)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
