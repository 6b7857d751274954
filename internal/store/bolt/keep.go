package bolt

import (
	"bytes"
	"context"
	"errors"
)

// maxKept bounds a kept value in bytes. It is for keys, not for documents.
const maxKept = 64 << 10

// Keep returns the value that was kept first under a name. A value must have
// 1 to 65536 bytes.
func (s *Store) Keep(ctx context.Context, name string, value []byte) ([]byte, error) {
	if err := checkName("name", name); err != nil {
		return nil, err
	}
	if len(value) == 0 || len(value) > maxKept {
		return nil, errors.New("value to keep is empty or too long")
	}
	o := &keep{name: []byte(name), value: bytes.Clone(value)}
	if err := s.do(ctx, o); err != nil {
		return nil, err
	}
	return o.kept, nil
}

// keep is the op of Keep.
type keep struct {
	name, value []byte

	kept []byte
}

func (o *keep) check(t *txn) (bool, error) {
	o.kept = bytes.Clone(t.kept.Get(o.name))
	if o.kept != nil {
		return false, nil
	}
	o.kept = o.value
	return true, nil
}

func (o *keep) write(t *txn) error { return t.kept.Put(o.name, o.value) }

func (o *keep) done(bool) {}
