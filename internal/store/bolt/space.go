package bolt

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// space watches how much of the disk is free. It asks the system once a
// second at most, because Accept asks it every time.
type space struct {
	min  uint64
	free func() (uint64, bool)

	mu    sync.Mutex
	asked time.Time
	low   bool
}

func newSpace(path string, min uint64) *space {
	dir := filepath.Dir(path)
	return &space{min: min, free: func() (uint64, bool) { return freeBytes(dir) }}
}

// check returns ErrNoSpace below the floor.
func (s *space) check() error {
	if s.min == Off {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.asked) >= time.Second {
		free, known := s.free()
		s.asked, s.low = now, known && free < s.min
	}
	if s.low {
		return store.ErrNoSpace
	}
	return nil
}

// asNoSpace makes an Accept that met a full disk fail with ErrNoSpace.
func asNoSpace(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", store.ErrNoSpace, err)
	}
	return err
}
