package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// Profile is what our homeserver said of one of its users whom a command named.
type Profile struct {
	User    string
	Name    string // may be empty
	Missing bool   // there is no such user
	At      time.Time
}

func scanProfile(row dbutil.Scannable) (*Profile, error) {
	var p Profile
	var at int64
	err := row.Scan(&p.User, &p.Name, &p.Missing, &at)
	p.At = fromMillis(at)
	return &p, err
}

// Profile gives what is known of somebody's profile; nil if nobody asked.
func (s *Store) Profile(ctx context.Context, user string) (*Profile, error) {
	p, err := none(scanProfile(s.DB.QueryRow(ctx, "SELECT user_id, name, missing, at FROM profile WHERE user_id=$1", user)))
	return p, wrap("profile", err)
}

// SaveProfile writes down what the homeserver says of somebody now.
func (s *Store) SaveProfile(ctx context.Context, p *Profile) error {
	_, err := s.exec(ctx, "INSERT INTO profile (user_id, name, missing, at) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET name=excluded.name, missing=excluded.missing, at=excluded.at",
		p.User, p.Name, p.Missing, millis(p.At))
	return wrap("profile", err)
}

// ForgetProfile forgets what was said of somebody.
func (s *Store) ForgetProfile(ctx context.Context, user string) error {
	_, err := s.exec(ctx, "DELETE FROM profile WHERE user_id=$1", user)
	return wrap("profile", err)
}

// profileName is the name of somebody whom nobody has seen.
func (s *Store) profileName(ctx context.Context, user string) string {
	p, err := s.Profile(ctx, user)
	if p == nil || err != nil {
		return ""
	}
	return p.Name
}

// Seen reports whether somebody did something themselves in a room of ours, one of their
// latest.
func (s *Store) Seen(ctx context.Context, user string) (yes bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM (SELECT sender FROM room_state WHERE type='m.room.member' AND skey=$1 ORDER BY ts DESC LIMIT $2) own WHERE own.sender=$1)", user, maxRooms).Scan(&yes)
	return yes, wrap("profile", err)
}
