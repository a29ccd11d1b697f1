package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// Kept is an answer from WhatsApp that was sent to nobody yet: its agent was asked
// which handoff it is for.
type Kept struct {
	SID  string // MessageSid
	Body string
	At   time.Time
}

// KeepAnswer keeps the answer of a phone, in place of the one before.
func (s *Store) KeepAnswer(ctx context.Context, phone string, k Kept) error {
	_, err := s.exec(ctx, `INSERT INTO wa_kept (phone, sid, body, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (phone) DO UPDATE SET sid=excluded.sid, body=excluded.body, at=excluded.at`, phone, k.SID, k.Body, millis(k.At))
	return wrap("kept answer", err)
}

// TakeKept gives the kept answer of a phone, which is kept no longer; nil if there is none.
func (s *Store) TakeKept(ctx context.Context, phone string) (*Kept, error) {
	k, err := none(scanKept(s.DB.QueryRow(ctx, "DELETE FROM wa_kept WHERE phone=$1 RETURNING sid, body, at", phone)))
	return k, wrap("kept answer", err)
}

func scanKept(row dbutil.Scannable) (*Kept, error) {
	var k Kept
	var at int64
	err := row.Scan(&k.SID, &k.Body, &at)
	k.At = fromMillis(at)
	return &k, err
}
