package bolt

import (
	"context"
	"time"

	"github.com/caddyicalmail/caddyicalmail/internal/store"
)

// Stats returns the figures. They cost a look into the index of unsettled
// messages for each mailer, however many messages there are.
func (s *Store) Stats(ctx context.Context) (store.Stats, error) {
	var out store.Stats
	err := s.read(ctx, func(t *txn) error {
		events, mailers := s.figures.get()
		out = store.Stats{
			Mailers: make(map[string]store.MailerStats, len(mailers)),
			Events:  events,
			Bytes:   t.tx.Size(),
		}
		for mailer, c := range mailers {
			out.Mailers[mailer] = store.MailerStats{
				Queued: c.queued, Deferred: c.deferred, Failed: c.failed,
				Oldest: t.oldest(mailer),
			}
		}
		return nil
	})
	return out, err
}

// oldest is when the oldest unsettled message of a mailer was accepted.
func (t *txn) oldest(mailer string) (at time.Time) {
	prefix := key(mailer)
	each(t.open, prefix, func(k, _ []byte) bool {
		if n, _, ok := readNumber(k[len(prefix):]); ok {
			at = time.Unix(0, int64(n)).UTC()
		}
		return false
	})
	return at
}
