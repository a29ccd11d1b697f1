package store

import (
	"context"
	"strconv"
	"time"

	"lanekeeper/bridge/matrix"
)

// SeenFor is how long the ids of what came in are kept. They tell what comes a
// second time: after a crash within seconds, after the bot came back to a room all
// that the homeserver shows of it.
const SeenFor = 30 * 24 * time.Hour

// metaForgotten is up to when ids are forgotten, in Unix ms.
const metaForgotten = "forgotten"

// Forgotten is the time up to which ids may be forgotten; zero: none are. What
// happened before may have come in already though its id is new.
func (s *Store) Forgotten(ctx context.Context) (time.Time, error) {
	raw, err := s.Meta(ctx, metaForgotten)
	if raw == "" || err != nil {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(raw, 10, 64)
	return fromMillis(ms), wrap("meta "+metaForgotten, err)
}

// WillForget moves that time on. Ids go with ForgetSeen, which is called a good
// while later: by then every transaction knows.
func (s *Store) WillForget(ctx context.Context, until time.Time) error {
	return s.SetMeta(ctx, metaForgotten, strconv.FormatInt(millis(until), 10))
}

// ForgetSeen deletes at most n ids that came in before a time; more: there may be
// others.
func (s *Store) ForgetSeen(ctx context.Context, before time.Time, n int) (more bool, err error) {
	r, err := s.exec(ctx, "DELETE FROM seen WHERE event_id IN (SELECT event_id FROM seen WHERE at<$1 ORDER BY at LIMIT $2)", millis(before), n)
	if err != nil {
		return false, wrap("seen", err)
	}
	deleted, err := r.RowsAffected()
	return deleted == int64(n), wrap("seen", err)
}

// See remembers an id; fresh is false if it was known.
func (s *Store) See(ctx context.Context, id string) (fresh bool, err error) {
	r, err := s.exec(ctx, "INSERT INTO seen (event_id, at) VALUES ($1, $2) ON CONFLICT (event_id) DO NOTHING", id, millis(s.Now()))
	if err != nil {
		return false, wrap("seen", err)
	}
	n, err := r.RowsAffected()
	return n == 1, wrap("seen", err)
}

// PutOldState remembers a state event where nothing is known: what is known is
// newer.
func (s *Store) PutOldState(ctx context.Context, e *matrix.Event) error {
	_, err := s.exec(ctx, "INSERT INTO room_state (room, type, skey, event_id, sender, ts, raw, looks, came) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (room, type, skey) DO NOTHING",
		e.Room, e.Type, *e.StateKey, e.ID, e.Sender, millis(e.TS), string(e.Raw), looks(e), millis(s.Now()))
	return wrap("room state", err)
}
