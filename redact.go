package caddyicalmail

import (
	"regexp"

	"github.com/caddyicalmail/caddyicalmail/internal/booking"
)

// maxReplyText is how much of a server's reply is logged, in characters.
const maxReplyText = 200

// addressLike matches what could be an e-mail address in a server's reply.
var addressLike = regexp.MustCompile(`[^\s<>"']+@[^\s<>"']+`)

// redact is an error's text for a log: one line, bounded, and without the
// addresses that mail servers like to repeat in their replies.
func redact(err error) string {
	line := booking.CleanLine(addressLike.ReplaceAllString(err.Error(), "(address)"))
	return string(truncate(line, maxReplyText))
}
