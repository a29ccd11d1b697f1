package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// Unsettled is a message that Twilio has and of which it has not told the end.
type Unsettled struct {
	Part    int64
	SID     string
	Changed time.Time // the last news
}

// Unsettled gives at most n such messages with ids above after, in order, of which
// the last news came before a time.
func (s *Store) Unsettled(ctx context.Context, after int64, until time.Time, n int) ([]Unsettled, error) {
	rows, err := s.DB.Query(ctx, `SELECT id, sid, changed FROM wa_part WHERE id>$1 AND sid IS NOT NULL AND changed<$2
		AND state IN ('accepted', 'scheduled', 'queued', 'sending', 'sent') ORDER BY id LIMIT $3`, after, millis(until), n)
	out, err := all(rows, err, func(row dbutil.Scannable) (u Unsettled, err error) {
		var changed int64
		err = row.Scan(&u.Part, &u.SID, &changed)
		u.Changed = fromMillis(changed)
		return u, err
	})
	return out, wrap("unsettled messages", err)
}
