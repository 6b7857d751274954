package caddytest

import (
	"os"
	"path/filepath"
	"testing"
)

// Mails returns the .eml files in the mail directory, ordered by name.
func (h *Home) Mails(t testing.TB) [][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(h.MailDir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	mails := make([][]byte, len(names))
	for i, name := range names {
		if mails[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return mails
}

// WaitMails waits until there are n mails, and fails if there are more.
// Nothing promises that they are delivered by the time of the answer.
func (h *Home) WaitMails(t testing.TB, n int) [][]byte {
	t.Helper()
	var mails [][]byte
	if !Poll(pollTimeout, func() bool { mails = h.Mails(t); return len(mails) >= n }) || len(mails) > n {
		t.Fatalf("there are %d mails, want %d", len(mails), n)
	}
	return mails
}
