//go:build !linux && !darwin && !freebsd

package bolt

import "os"

// canReplace is false where an open file cannot be replaced by a rename, or
// where nobody tried.
const canReplace = false

// lockFile leaves locking to bbolt, whose lock cannot be taken twice here.
func lockFile(*os.File) error { return nil }

// syncDir does nothing: a directory cannot be synced here.
func syncDir(string) error { return nil }

// freeBytes does not know: there is no floor.
func freeBytes(string) (free uint64, known bool) { return 0, false }
