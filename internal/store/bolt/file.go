package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	fileMode = 0o600 // who books whom is nobody else's business
	dirMode  = 0o700

	lockPause = 50 * time.Millisecond
)

// acquire opens and locks the file at path, and creates it if need be.
func acquire(path string, timeout time.Duration) (f *os.File, created bool, err error) {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, false, err
	}
	deadline := time.Now().Add(timeout)
	for {
		f, created, err = openLocked(path)
		if err == nil || !errors.Is(err, ErrInUse) {
			break
		}
		if time.Now().After(deadline) {
			return nil, false, fmt.Errorf("%w (waited %s)", ErrInUse, timeout)
		}
		time.Sleep(lockPause)
	}
	if err != nil {
		return nil, false, err
	}
	// A compaction that was cut short leaves its file behind.
	err = os.Remove(compactPath(path))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, errors.Join(err, f.Close())
	}
	return f, created, nil
}

// openLocked tries once to open and lock the file. It returns ErrInUse when
// somebody else has it, or replaced it just now.
func openLocked(path string) (f *os.File, created bool, err error) {
	_, err = os.Stat(path)
	created = errors.Is(err, fs.ErrNotExist)
	if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode); err != nil {
		return nil, false, err
	}
	if err = lockFile(f); err == nil {
		err = samePath(f, path)
	}
	if err == nil && created {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	return f, created, nil
}

// samePath makes sure that path still leads to f. A process that waited for
// the lock of a file which was compacted meanwhile would otherwise write into
// a file that no longer has a name.
func samePath(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if !mine.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	named, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(mine, named) {
		return ErrInUse
	}
	return err
}

// makeDir creates dir and its parents, and makes their names durable.
func makeDir(dir string) error {
	_, err := os.Stat(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}
