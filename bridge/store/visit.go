package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// Visit is a room that the bot was invited to.
type Visit struct {
	Room  string
	User  string // who invited it
	Since time.Time
}

func scanVisit(row dbutil.Scannable) (*Visit, error) {
	var v Visit
	var since int64
	err := row.Scan(&v.Room, &v.User, &since)
	v.Since = fromMillis(since)
	return &v, err
}

// SaveVisit notes that the bot goes to a room.
func (s *Store) SaveVisit(ctx context.Context, v *Visit) error {
	_, err := s.exec(ctx, "INSERT INTO visit (room, user_id, since) VALUES ($1, $2, $3) ON CONFLICT (room) DO UPDATE SET user_id=excluded.user_id, since=excluded.since",
		v.Room, v.User, millis(v.Since))
	return wrap("visit", err)
}

// Visit finds the visit to a room; nil if the bot was not invited there.
func (s *Store) Visit(ctx context.Context, room string) (*Visit, error) {
	v, err := none(scanVisit(s.DB.QueryRow(ctx, "SELECT room, user_id, since FROM visit WHERE room=$1", room)))
	return v, wrap("visit", err)
}

// Visits gives at most n of the rooms that somebody invited the bot to, oldest first.
func (s *Store) Visits(ctx context.Context, user string, n int) ([]*Visit, error) {
	rows, err := s.DB.Query(ctx, "SELECT room, user_id, since FROM visit WHERE user_id=$1 ORDER BY since LIMIT $2", user, n)
	out, err := all(rows, err, scanVisit)
	return out, wrap("visits", err)
}

// DeleteVisit forgets the visit to a room.
func (s *Store) DeleteVisit(ctx context.Context, room string) error {
	_, err := s.exec(ctx, "DELETE FROM visit WHERE room=$1", room)
	return wrap("visit", err)
}
