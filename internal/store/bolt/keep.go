package bolt

import (
	"bytes"
	"context"
	"errors"
)

// bucketKept holds small values of which there is one for the whole store.
var bucketKept = []byte("kept") // name → value

// Keep returns the value that was kept first under a name.
func (s *Store) Keep(ctx context.Context, name string, value []byte) ([]byte, error) {
	if err := checkName("name", name); err != nil {
		return nil, err
	}
	if len(value) == 0 {
		return nil, errors.New("there is nothing to keep")
	}
	o := &keep{name: []byte(name), value: bytes.Clone(value)}
	if err := s.do(ctx, o); err != nil {
		return nil, err
	}
	return o.kept, nil
}

// keep is the op of Keep.
type keep struct {
	name, value, kept []byte
}

func (o *keep) check(t *txn) (bool, error) {
	o.kept = o.value
	b := t.tx.Bucket(bucketKept)
	if b == nil {
		return true, nil
	}
	if known := b.Get(o.name); known != nil {
		o.kept = bytes.Clone(known)
		return false, nil
	}
	return true, nil
}

func (o *keep) write(t *txn) error {
	b, err := t.tx.CreateBucketIfNotExists(bucketKept)
	if err != nil {
		return err
	}
	return b.Put(o.name, o.value)
}

func (o *keep) done(bool) {}
