package bolt

import (
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
	"github.com/caddyicalmail/caddyicalmail/internal/store/storetest"
)

func TestContract(t *testing.T) {
	goleak.VerifyNone(t)
	storetest.Run(t,
		func(t *testing.T) store.Store {
			s := openTest(t, filepath.Join(t.TempDir(), "outbox.db"))
			t.Cleanup(func() { checkIndexes(t, s) })
			return s
		},
		func(t *testing.T, s store.Store) store.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			again := openTest(t, s.(*Store).path)
			t.Cleanup(func() { checkIndexes(t, again) })
			return again
		})
	goleak.VerifyNone(t)
}

// openTest opens a store and closes it after the test.
func openTest(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path, Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
