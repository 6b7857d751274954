package caddyicalmail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// fileMailer writes each message as one .eml file.
type fileMailer struct {
	dir string
}

func (f *fileMailer) describe() string { return "file " + f.dir }

func (f *fileMailer) close() {}

// Deliver writes m under a temporary name, flushes it to disk and then gives
// it its final name, so that a reader of the directory never sees half a
// message. The name holds the message's id and role but nothing that a user
// typed.
func (f *fileMailer) Deliver(_ context.Context, m *store.NewMessage) error {
	if err := f.write(m); err != nil {
		return &outbox.Failure{Class: outbox.Unreachable, Err: fmt.Errorf("writing mail into %q: %w", f.dir, err)}
	}
	return nil
}

func (f *fileMailer) write(m *store.NewMessage) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.dir, ".writing-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well

	_, err = tmp.Write(m.Raw)
	if err == nil {
		err = tmp.Sync()
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%s.eml", m.ID, m.Role)
	if err := os.Rename(tmp.Name(), filepath.Join(f.dir, name)); err != nil {
		return err
	}
	return syncDir(f.dir)
}

// syncDir makes a rename in dir survive a loss of power. Not every file
// system lets a directory be flushed, so a refusal is not an error.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}
