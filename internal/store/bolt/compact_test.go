package bolt

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// TestCompact drains a backlog and opens the file again. It also leaves the
// remains of a compaction that was cut short.
func TestCompact(t *testing.T) {
	if !canReplace {
		t.Skip("files are not compacted here")
	}
	path := testPath(t)
	s := openTest(t, path)
	for i := range 200 {
		mustAccept(t, s, withSlot(testAcceptance(t, fmt.Sprint("u", i))))
	}
	for _, j := range mustClaim(t, s, testStart, 190) {
		if err := s.Settle(context.Background(), outcome(j, store.Sent)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Close(), os.WriteFile(compactPath(path), []byte("half"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err = Open(path, Options{CompactAbove: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Opening()
	if got.CompactErr != nil || got.CompactedFrom == 0 || after.Size() > before.Size()/2 || after.Mode().Perm() != fileMode {
		t.Errorf("%+v: from %d to %d bytes, mode %s", got, before.Size(), after.Size(), after.Mode())
	}
	if _, err := os.Stat(compactPath(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other file: %v", err)
	}
	if _, err := Open(path, Options{Timeout: 100 * time.Millisecond}); !errors.Is(err, ErrInUse) {
		t.Errorf("the lock after a compaction: %v", err)
	}
	if n := len(mustClaim(t, s, testStart, 1000)); n != 10 {
		t.Errorf("claimed %d, want 10", n)
	}
	_, messages, err := s.Event(context.Background(), "u7")
	if err != nil || len(messages) != 1 {
		t.Errorf("event: %v", err)
	}
	checkIndexes(t, s)
	mustAccept(t, s, testAcceptance(t, "after"))
}

// TestReplacedWhileWaiting makes sure that who waited for a file that was
// compacted does not go on with the one that lost its name.
func TestReplacedWhileWaiting(t *testing.T) {
	path := testPath(t)
	_ = openTest(t, path).Close()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	wantError(t, samePath(f, path), ErrInUse)
}
