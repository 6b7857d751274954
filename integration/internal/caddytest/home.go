package caddytest

import (
	"os"
	"path/filepath"
	"testing"
)

// Home is where one or several Caddy processes keep their things: a fresh home
// directory, and short paths for the sockets, because the path of a Unix
// socket may not be longer than about 100 bytes.
type Home struct {
	// Dir is the home directory, with the XDG directories below it.
	Dir string

	// Site and Admin are the paths of the sockets.
	Site, Admin string

	// MailDir is a directory for mails that does not exist yet.
	MailDir string

	// Hurried makes `caddy run` a build that shortens the pauses between two
	// attempts to deliver.
	Hurried bool

	// Wrapper is a command that `caddy run` is given to as further arguments,
	// for example one that sets limits. It has to replace itself by Caddy.
	Wrapper []string
}

// NewHome makes a home that lasts as long as the test.
func NewHome(t testing.TB) *Home {
	t.Helper()
	sockets, err := os.MkdirTemp("/tmp", "caddy-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	dir := t.TempDir()
	return &Home{
		Dir:     dir,
		Site:    filepath.Join(sockets, "site.sock"),
		Admin:   filepath.Join(sockets, "admin.sock"),
		MailDir: filepath.Join(dir, "mail"),
	}
}

// AdminAddress is the address of the admin API in Caddy's notation.
func (h *Home) AdminAddress() string { return "unix/" + h.Admin }

// Autosave is the file in which Caddy keeps the last good config.
func (h *Home) Autosave() string { return filepath.Join(h.Dir, "config", "caddy", "autosave.json") }

// environ is the whole environment of a process. Nothing else is inherited,
// so that what is set on the tester's machine makes no difference.
//
// A Caddyfile for tests may use {$SITE} as an address to bind to, and
// {$MAIL_DIR}. The admin API needs no option in it.
func (h *Home) environ(extra []string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + h.Dir,
		"XDG_DATA_HOME=" + filepath.Join(h.Dir, "data"),
		"XDG_CONFIG_HOME=" + filepath.Join(h.Dir, "config"),
		"CADDY_ADMIN=" + h.AdminAddress(),
		"SITE=unix/" + h.Site,
		"MAIL_DIR=" + h.MailDir,
	}
	return append(env, extra...)
}

// Files returns every file and directory below the home directory.
func (h *Home) Files(t testing.TB) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(h.Dir, func(path string, _ os.DirEntry, err error) error {
		if path != h.Dir {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
