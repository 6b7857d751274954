package integration_test

import (
	"bytes"
	"io"
	"mime"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-message"
)

// letters waits for n mails that were not read before, and returns what can be
// read in them, by recipient.
func (v *visitor) letters(n int) map[string]string {
	v.t.Helper()
	found := map[string]string{}
	for _, raw := range v.home.WaitMails(v.t, len(v.mails)+n) {
		if !v.mails[string(raw)] {
			v.mails[string(raw)] = true
			to, text := readPageMail(v.t, raw)
			found[to] = text
		}
	}
	if len(found) != n {
		v.t.Fatalf("there are %d new mails, want %d", len(found), n)
	}
	return found
}

// readPageMail returns a mail's recipient, and its subject, parts and their
// types as text.
func readPageMail(t *testing.T, raw []byte) (to, text string) {
	t.Helper()
	root, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(root.Header.Get("Subject"))
	if err != nil {
		t.Fatalf("decoding the subject: %v", err)
	}
	all := []string{root.Header.Get("To"), subject}
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		all = append(all, e.Header.Get("Content-Type"))
		if err != nil || strings.HasPrefix(e.Header.Get("Content-Type"), "multipart/") {
			return err
		}
		body, err := io.ReadAll(e.Body)
		all = append(all, string(body))
		return err
	})
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	return strings.Trim(afterLast(root.Header.Get("To"), " "), "<>"), strings.ReplaceAll(strings.Join(all, "\n"), "\r\n", "\n")
}

// link is the first line of a mail that is an address of the site.
func (v *visitor) link(mail string) string {
	v.t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(v.site) + `/\S+$`).FindString(mail)
	if found == "" {
		v.t.Fatalf("there is no link in the mail:\n%s", mail)
	}
	return found
}
