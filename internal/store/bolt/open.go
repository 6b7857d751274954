// Package bolt keeps events and messages in one bbolt file. It is the store
// for one machine: bbolt is part of every Caddy already, and its file lock is
// what allows leases to live in memory.
//
// A single goroutine writes. It groups whatever is waiting into one
// transaction, so that one fsync serves many callers, and it never waits for
// more to come, so that a lone caller pays for its own fsync only.
package bolt

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Errors of Open that a caller may want to tell apart.
var (
	// ErrInUse means that another process holds the file.
	ErrInUse = errors.New("another Caddy or process holds this file")

	// ErrDamaged means that the file is not what this package wrote.
	ErrDamaged = errors.New("file is damaged or not an outbox")
)

// Off as Options.MinFree or Options.CompactAbove turns the feature off.
const Off = ^uint64(0)

// Options change how a store is opened. The zero value is good for use.
type Options struct {
	// Timeout is how long to wait for another process to release the file.
	// The default is 10 s, longer than a supervised process takes to die.
	Timeout time.Duration

	// MinFree is how many bytes must stay free on the disk for Accept to take
	// on new work. The default is 64 MiB.
	MinFree uint64

	// CompactAbove is the size in bytes above which a file that is mostly
	// free pages is rewritten when it is opened. The default is 64 MiB.
	CompactAbove uint64
}

// Opening tells what Open found and did, for the caller's log.
type Opening struct {
	// Created means that there was no file.
	Created bool

	// Unclean means that the store was not closed properly, or with leases
	// outstanding: deliveries may have happened that nobody recorded.
	Unclean bool

	// Size is the file's size in bytes, and CompactedFrom the size that it
	// had before it was compacted (0: it was not).
	Size, CompactedFrom int64

	// CompactErr is why a due compaction did not happen. The store works.
	CompactErr error
}

// Store is a store.Store in one bbolt file.
type Store struct {
	path    string
	file    *os.File // the one that db works on
	db      *bbolt.DB
	opening Opening
	space   *space
	gate    gate
	leases  leases
	figures figures
	bell    bell
	doubt   uint64 // messages up to this ordinal may have been attempted

	queue    chan *request
	finished chan struct{} // closed when the writer has ended
	unsure   *batch        // committed, but perhaps not durable; the writer's own
	stuck    atomic.Bool   // bbolt lost a transaction, and a lock with it

	// fault is called before and after a commit by tests that need a disk
	// which fails.
	fault func(stage string) error

	closing  sync.Once
	closeErr error
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path, and creates it and its directory if they do
// not exist. Errors name the path. A damaged file is left as it is.
func Open(path string, o Options) (*Store, error) {
	s, err := open(path, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("opening store %q: %w", path, err)
	}
	go s.write()
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.CompactAbove == 0 {
		o.CompactAbove = 64 << 20
	}
	return o
}

func open(path string, o Options) (*Store, error) {
	f, created, err := acquire(path, o.Timeout)
	if err != nil {
		return nil, err
	}
	if err := verify(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &Store{
		path:     path,
		opening:  Opening{Created: created},
		space:    newSpace(path, o.MinFree),
		queue:    make(chan *request, maxBatch),
		finished: make(chan struct{}),
	}
	s.leases.init()
	s.bell.init()
	if err := s.load(f, o); err != nil {
		return nil, err
	}
	return s, nil
}

// load brings the locked file to life. It closes the file if it fails.
func (s *Store) load(f *os.File, o Options) (err error) {
	s.file = f
	if s.db, err = openBolt(f, o.Timeout); err != nil {
		return err
	}
	if err = guard(s.prepareLayout); err == nil {
		err = guard(func() error { return s.compactIfDue(o) })
	}
	if err == nil {
		err = guard(s.resume)
	}
	if err != nil && s.stuck.Load() {
		return errors.Join(err, s.file.Close()) // bbolt's own Close would hang
	}
	if err != nil {
		return errors.Join(err, closeBolt(s.db))
	}
	return nil
}

// openBolt hands an already locked file to bbolt, so that the lock is never
// let go of between our checks and bbolt's work.
func openBolt(f *os.File, timeout time.Duration) (db *bbolt.DB, err error) {
	options := &bbolt.Options{
		Timeout:      timeout,
		FreelistType: bbolt.FreelistMapType,
		OpenFile:     func(string, int, os.FileMode) (*os.File, error) { return f, nil },
	}
	err = guard(func() error {
		db, err = bbolt.Open(f.Name(), fileMode, options)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		// bbolt panicked half-way, and nobody else closes the file.
		return nil, errors.Join(err, f.Close())
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, ErrInUse
	}
	return db, err
}

// Opening tells what Open found and did.
func (s *Store) Opening() Opening { return s.opening }
