//go:build linux || darwin || freebsd

package bolt

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// canReplace says that a file can be renamed over one that is open.
const canReplace = true

// lockFile takes the same lock that bbolt takes. Both are taken through one
// open file, so that bbolt's request finds the lock granted.
func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

// syncDir makes names in dir durable. Some file systems cannot sync a
// directory and say so; they have nothing better to offer.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// freeBytes is how much an unprivileged process may still write at path.
func freeBytes(path string) (free uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}
