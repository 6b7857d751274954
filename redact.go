package caddyicalmail

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
	"github.com/caddyicalmail/caddyicalmail/internal/outbox"
)

const (
	// maxReplyText is how much of a server's reply is logged, in characters.
	maxReplyText = 200

	// maxReplyRead is how much of a reply is looked at, in octets.
	maxReplyRead = 4096

	redacted = "(address)"
)

// addressLike matches what could be an e-mail address in a server's reply,
// also with an at sign in another spelling.
var addressLike = regexp.MustCompile(`(?i)[^\s<>"']*(?:@|%40|=40|\x{FF20}|\x{FE6B})[^\s<>"']*`)

// failureText is a failure's text for the log: one bounded line. Unless
// addresses may be logged it is without them, in particular without the
// recipient's.
func (o *observer) failureText(f *outbox.Failure, recipients ...booking.Address) string {
	if o.pii {
		return string(truncate(booking.CleanLine(shorten(f.Err.Error())), maxReplyText))
	}
	return redact(f.Err, recipients...)
}

// addresses is the log field of an address, or none if it must not be logged.
func (o *observer) addresses(key string, a booking.Address) []zap.Field {
	if !o.pii {
		return nil
	}
	return []zap.Field{zap.String(key, a.String())}
}

// redact is an error's text for a log: one line, bounded, and without the
// addresses that mail servers like to repeat in their replies. Of the known
// ones the local part alone is taken out too.
func redact(err error, known ...booking.Address) string {
	text := addressLike.ReplaceAllString(shorten(err.Error()), redacted)
	for _, address := range known {
		text = withoutWord(text, localPart(address))
	}
	return string(truncate(booking.CleanLine(text), maxReplyText))
}

// shorten bounds the work on a reply that is endless.
func shorten(s string) string { return s[:min(len(s), maxReplyRead)] }

// localPart is what stands before the at sign.
func localPart(a booking.Address) string {
	local, _, _ := strings.Cut(a.String(), "@")
	return local
}

// withoutWord takes a word out of a text wherever it stands alone, in any case.
func withoutWord(text, word string) string {
	if word == "" {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		end := i + len(word)
		if end <= len(text) && strings.EqualFold(text[i:end], word) && !endsInWord(text[:i]) && !startsWithWord(text[end:]) {
			b.WriteString(redacted)
			i = end
			continue
		}
		b.WriteByte(text[i])
		i++
	}
	return b.String()
}

func endsInWord(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return isWordRune(r)
}

func startsWithWord(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return isWordRune(r)
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r))
}
