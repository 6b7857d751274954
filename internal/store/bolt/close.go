package bolt

import (
	"errors"
	"fmt"
)

// Close waits for calls under way and releases the file. If all leases were
// given back before, the next Open knows that no delivery went unrecorded.
// Closing again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.gate.shut()
		close(s.queue)
		<-s.finished
		if err := s.release(); err != nil {
			s.closeErr = fmt.Errorf("closing store %q: %w", s.path, err)
		}
		s.bell.ring()
	})
	return s.closeErr
}

// release closes the file. That the note about a clean end cannot be written
// is no failure: the next Open is more careful then.
func (s *Store) release() error {
	if s.stuck.Load() {
		// bbolt would wait for the lost transaction for ever. Closing the file
		// lets at least the lock go.
		return errors.Join(errStuck, s.file.Close())
	}
	if s.unsure == nil && s.leases.none() {
		_ = s.leave()
	}
	return closeBolt(s.db)
}
