package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

// compactStep bounds the transactions of a compaction, and so its memory.
const compactStep = 4 << 20

func compactPath(path string) string { return path + ".compact" }

// compactIfDue rewrites a file that is mostly free pages, which is what an
// outage leaves behind: bbolt never makes a file smaller. A compaction that
// fails, for example for want of space, is no reason not to start.
func (s *Store) compactIfDue(o Options) error {
	stats := s.db.Stats()
	var size int64
	err := s.db.View(func(tx *bbolt.Tx) error {
		size = tx.Size()
		return nil
	})
	if err != nil {
		return err
	}
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(s.db.Info().PageSize)
	if !canReplace || o.CompactAbove == Off || uint64(size) <= o.CompactAbove || free <= size/2 {
		return nil
	}
	f, err := s.compacted()
	if err != nil {
		s.opening.CompactErr = errors.Join(err, removeIfThere(compactPath(s.path)))
		return nil
	}
	return s.replace(f, size, o)
}

// compacted writes the live pages into a file of its own, synced and locked.
func (s *Store) compacted() (*os.File, error) {
	path := compactPath(s.path)
	if err := removeIfThere(path); err != nil {
		return nil, err
	}
	dst, err := bbolt.Open(path, fileMode, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoSync: true})
	if err != nil {
		return nil, err
	}
	err = guard(func() error { return bbolt.Compact(dst, s.db, compactStep) })
	if err = errors.Join(err, closeBolt(dst)); err != nil {
		return nil, fmt.Errorf("compacting: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	if err = lockFile(f); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = verify(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// replace puts the compacted file in the place of the old one. It is locked
// before it gets the name, and the old one is unlocked after that, so that
// nobody can come in between; who waited for the old one notices that it
// lost its name.
func (s *Store) replace(f *os.File, before int64, o Options) error {
	if err := os.Rename(f.Name(), s.path); err != nil {
		s.opening.CompactErr = errors.Join(err, f.Close(), removeIfThere(f.Name()))
		return nil
	}
	err := errors.Join(syncDir(filepath.Dir(s.path)), closeBolt(s.db))
	if err != nil {
		return errors.Join(err, f.Close())
	}
	db, err := openBolt(f, o.Timeout)
	if err != nil {
		return err
	}
	s.db, s.file, s.opening.CompactedFrom = db, f, before
	return nil
}

func removeIfThere(path string) error {
	err := os.Remove(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
