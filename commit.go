package caddyicalmail

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// commitTimeout bounds how long a booking may take to hand over.
const commitTimeout = 2 * time.Minute

// errNotSent is what the client's side gets to hear of a failed delivery. The
// details, which may hold addresses, stay in the log.
var errNotSent = errors.New("the invitations could not be sent")

// commit makes sure that the messages of one booking will reach their
// mailboxes. This is the seam where the outbox goes: until it exists, the
// messages are delivered here and now, one after the other, whether or not the
// client is still there.
func (h *Handler) commit(ctx context.Context, messages []store.NewMessage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	for i := range messages {
		m := &messages[i]
		err := h.transport.deliver(ctx, m)
		if err != nil {
			var failed *deliveryError
			if !errors.As(err, &failed) {
				failed = &deliveryError{Class: classTemporary, Err: err}
			}
			h.logger.Error("delivery failed",
				zap.String("uid", m.UID),
				zap.String("message", m.ID),
				zap.String("role", string(m.Role)),
				zap.String("mailer", m.Mailer),
				zap.Int("smtp_code", failed.Code),
				zap.String("class", string(failed.Class)),
				zap.String("error", redact(failed.Err)))
			return &deliveryError{Class: failed.Class, Code: failed.Code, Err: errNotSent}
		}
		h.logger.Info("message sent",
			zap.String("uid", m.UID),
			zap.String("message", m.ID),
			zap.String("role", string(m.Role)),
			zap.String("mailer", m.Mailer))
	}
	return nil
}
