package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// fromText makes a file of records that were written down: a line names a
// bucket and its sequence, or has a key and a value.
func fromText(t *testing.T, text string) (path string) {
	t.Helper()
	path = testPath(t)
	f, err := os.Open(text)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	db, err := bbolt.Open(path, fileMode, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		var b *bbolt.Bucket
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			if b, err = addLine(tx, b, lines.Text()); err != nil {
				return err
			}
		}
		return lines.Err()
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func addLine(tx *bbolt.Tx, b *bbolt.Bucket, line string) (*bbolt.Bucket, error) {
	if name, ok := strings.CutPrefix(line, "bucket "); ok {
		name, sequence, _ := strings.Cut(name, " ")
		n, err := strconv.ParseUint(sequence, 10, 64)
		if err != nil {
			return nil, err
		}
		if b, err = tx.CreateBucket([]byte(name)); err != nil {
			return nil, err
		}
		return b, b.SetSequence(n)
	}
	var k, v string
	if _, err := fmt.Sscanf(line, "%q %q", &k, &v); err != nil {
		return nil, err
	}
	return b, b.Put([]byte(k), []byte(v))
}

// records lists all records of some buckets.
func records(t *testing.T, path string, names [][]byte) (all []string) {
	t.Helper()
	db, err := bbolt.Open(path, fileMode, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for _, name := range names {
			b := tx.Bucket(name)
			all = append(all, fmt.Sprintf("%s %d", name, b.Sequence()))
			err := b.ForEach(func(k, v []byte) error {
				all = append(all, fmt.Sprintf("%s %q %q", name, k, v))
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestMigrate opens a file that layout 1 wrote: three bookings, of which one
// was sent, one deferred and one is queued. All of it must stay, to the byte,
// and work.
func TestMigrate(t *testing.T) {
	ctx := context.Background()
	path := fromText(t, "testdata/layout1.txt")
	before := records(t, path, buckets(1))
	if err := openTest(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	after := records(t, path, buckets(1))
	version := slices.Index(after, `meta "layout" "2"`)
	if version < 0 {
		t.Fatal("the layout is not the new one")
	}
	after[version] = `meta "layout" "1"`
	if !slices.Equal(before, after) {
		t.Errorf("records changed:\n%s\nbefore:\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}

	s := openTest(t, path)
	for uid, state := range map[string]store.State{"sent": store.Sent, "deferred": store.Deferred, "queued": store.Queued} {
		_, messages, err := s.EventByID(ctx, "s", "id "+uid)
		if err != nil || len(messages) != 1 || messages[0].State != state {
			t.Errorf("%s: %+v, %v", uid, messages, err)
		}
		again := testAcceptance(t, uid)
		if r, err := s.Accept(ctx, again); err != nil || !r.Replayed {
			t.Errorf("%s: key: %+v, %v", uid, r, err)
		}
	}
	full := testAcceptance(t, "fourth")
	full.Limits = []store.Limit{{Name: "recipient", Counter: "ann", Max: 3, Window: 24 * time.Hour}}
	var limit *store.LimitError
	if _, err := s.Accept(ctx, full); !errors.As(err, &limit) {
		t.Errorf("counter: %v", err)
	}
	jobs := mustClaim(t, s, testStart.Add(time.Hour), 10)
	if len(jobs) != 2 || !strings.HasSuffix(string(jobs[0].Raw), "queued\r\n") {
		t.Errorf("claimed %d", len(jobs))
	}
	mustAccept(t, s, withSlot(testAcceptance(t, "new")))
	move := withSlot(testAcceptance(t, "sent"))
	move.Key, move.Messages, move.Expect, move.Event.Sequence = nil, nil, 0, 1
	mustAccept(t, s, move)
	checkIndexes(t, s)
}

// TestMigrateDamaged makes sure that a file in which something is missing is
// not taken for an older one.
func TestMigrateDamaged(t *testing.T) {
	for _, test := range []struct{ version, missing string }{{"1", "chain"}, {"1", "key"}, {"2", "slot"}, {"2", "kept"}} {
		path := fromText(t, "testdata/layout1.txt")
		if test.version == "2" {
			_ = openTest(t, path).Close()
		}
		db, err := bbolt.Open(path, fileMode, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(test.missing)) })
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		_, err = Open(path, Options{})
		wantError(t, err, ErrDamaged)
		if got := records(t, path, [][]byte{bucketMeta}); !slices.Contains(got, fmt.Sprintf("meta %q %q", "layout", test.version)) {
			t.Errorf("without %s: the layout was changed: %v", test.missing, got)
		}
	}
}
