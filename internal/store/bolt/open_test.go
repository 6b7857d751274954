package bolt

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

func TestOpenCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "er", "outbox.db")
	s := openTest(t, path)
	if !s.Opening().Created || s.Opening().Unclean {
		t.Errorf("got %+v", s.Opening())
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s: mode %s, want %s", name, info.Mode(), want)
		}
	}
}

func TestOpenTwice(t *testing.T) {
	path := testPath(t)
	openTest(t, path)
	begin := time.Now()
	_, err := Open(path, Options{Timeout: 200 * time.Millisecond})
	wantError(t, err, ErrInUse)
	if !strings.Contains(err.Error(), path) || time.Since(begin) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}

// TestOpenWaits makes sure that a reload which comes while the old process
// still closes the file gets it in the end.
func TestOpenWaits(t *testing.T) {
	path := testPath(t)
	old := openTest(t, path)
	time.AfterFunc(200*time.Millisecond, func() { _ = old.Close() })
	openTest(t, path)
}

func TestOpenNewerLayout(t *testing.T) {
	path := testPath(t)
	_ = openTest(t, path).Close()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(metaLayout, []byte("7")) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path, Options{})
	if err == nil || !strings.Contains(err.Error(), "version 7") || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("got %v", err)
	}
}

// TestOpenDamaged opens all kinds of files that are no outbox, and makes sure
// that they stay as they are.
func TestOpenDamaged(t *testing.T) {
	good := goodFile(t)
	foreign := foreignFile(t)
	files := map[string][]byte{
		"text":      bytes.Repeat([]byte("this is no database\n"), 1000),
		"short":     []byte("x"),
		"zeros":     make([]byte, 1<<16),
		"foreign":   foreign,
		"truncated": good[:len(good)/2],
		"one page":  good[:4096],
		"two pages": good[:8192],
		"no meta":   append(make([]byte, 8192), good[8192:]...),
		"no pages":  append(bytes.Clone(good[:8192]), make([]byte, len(good)-8192)...),
	}
	for name, content := range files {
		path := testPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path, Options{})
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v", name, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(after, content) {
			t.Errorf("%s: the file was changed: %v", name, err)
		}
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a directory was opened")
	}
}

// goodFile is the content of a store with some messages.
func goodFile(t testing.TB) []byte {
	t.Helper()
	path := testPath(t)
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		a := withSlot(testAcceptance(t, strings.Repeat("u", i+1)))
		if i%2 == 0 {
			a.Hold = &store.Hold{Until: testStart, SlotsUntil: testStart, Max: 100}
		}
		mustAccept(t, s, a)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// foreignFile is a bbolt file of somebody else.
func foreignFile(t testing.TB) []byte {
	t.Helper()
	path := testPath(t)
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("acme"))
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// use does a bit of everything with a store that may be damaged. Errors are
// fine, panics are not.
func use(t testing.TB, s *Store) {
	ctx := context.Background()
	jobs, _ := s.Claim(ctx, testMailer, testStart.Add(time.Hour), 5, time.Minute)
	for _, j := range jobs {
		_ = s.Settle(ctx, outcome(j, "sent"))
	}
	_, _ = s.Accept(ctx, withSlot(testAcceptance(t, "another")))
	_, _ = s.Accept(ctx, &store.Acceptance{Now: testStart, Event: booking.Event{UID: "uuu"}, Confirm: true})
	_, _ = s.Keep(ctx, "name", []byte("value"))
	_, _ = s.Stats(ctx)
	_, _, _ = s.Event(ctx, "uuu")
	_, _ = s.Erase(ctx, testAddress(t, "nobody@nowhere.example"))
	_, _ = s.Sweep(ctx, testStart, testStart.Add(-time.Hour))
	_, _ = s.Sweep(ctx, testStart, testStart.Add(24*time.Hour))
	_, _ = s.NextDue(ctx, testMailer)
	_, _ = s.Move(ctx, testMailer, "other")
	_ = s.Close()
}

// FuzzOpen flips bytes of a good file.
func FuzzOpen(f *testing.F) {
	good := goodFile(f)
	for i := range 150 {
		f.Add(uint32(i*7919), byte(i), uint32(i*104729), byte(3*i))
	}
	// The header, and the counts and pointers of the first pages.
	for at := uint32(4096); at < 1<<16; at += 4096 {
		f.Add(at+8, byte(1), at+10, byte(0xFF))
		f.Add(at+16, byte(4), at+20, byte(1))
		f.Add(at+24, byte(2), at+28, byte(9))
	}
	f.Fuzz(func(t *testing.T, a uint32, va byte, b uint32, vb byte) {
		content := bytes.Clone(good)
		content[int(a)%len(content)] ^= va
		content[int(b)%len(content)] ^= vb
		path := testPath(t)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(path, Options{Timeout: time.Second})
		if err == nil {
			use(t, s)
		}
	})
}

// TestTruncatedWhileOpen cuts the file under a running store: the memory map
// faults, which must be an error.
func TestTruncatedWhileOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file cannot be cut")
	}
	path := testPath(t)
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		mustAccept(t, s, testAcceptance(t, strings.Repeat("v", i+1)))
	}
	if err := os.Truncate(path, 3*4096); err != nil {
		t.Fatal(err)
	}
	_, err = s.Claim(context.Background(), testMailer, testStart, 100, time.Minute)
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("claim: got %v", err)
	}
	if _, err := s.Accept(context.Background(), testAcceptance(t, "late")); err == nil {
		t.Error("accept: no error")
	}
	_ = s.Close() // it must not hang
}
