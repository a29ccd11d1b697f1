package store

import (
	"context"
	"encoding/json"
	"strconv"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
)

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// PutState remembers state events of our rooms: what events told us. Events come
// in the order of the homeserver, so the last one written is the newest.
func (s *Store) PutState(ctx context.Context, events ...*matrix.Event) error {
	for _, e := range events {
		if e.StateKey == nil {
			continue
		}
		if _, err := s.exec(ctx, `INSERT INTO room_state (room, type, skey, event_id, sender, ts, raw, looks, came) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (room, type, skey) DO UPDATE SET event_id=excluded.event_id, sender=excluded.sender, ts=excluded.ts, raw=excluded.raw, looks=excluded.looks, came=excluded.came`,
			e.Room, e.Type, *e.StateKey, e.ID, e.Sender, millis(e.TS), string(e.Raw), looks(e), millis(s.Now())); err != nil {
			return wrap("room state", err)
		}
	}
	return nil
}

func scanState(row dbutil.Scannable) (*matrix.Event, error) {
	var room, raw string
	if err := row.Scan(&room, &raw); err != nil {
		return nil, err
	}
	return matrix.ParseEvent(room, json.RawMessage(raw))
}

// State gives the state of a room as far as events told us.
func (s *Store) State(ctx context.Context, room string) ([]*matrix.Event, error) {
	rows, err := s.DB.Query(ctx, "SELECT room, raw FROM room_state WHERE room=$1 ORDER BY type, skey", room)
	out, err := all(rows, err, scanState)
	return out, wrap("room state", err)
}

// StateEvent gives one state event of a room; nil if we know of none.
func (s *Store) StateEvent(ctx context.Context, room, typ, key string) (*matrix.Event, error) {
	e, err := scanState(s.DB.QueryRow(ctx, "SELECT room, raw FROM room_state WHERE room=$1 AND type=$2 AND skey=$3", room, typ, key))
	if e == nil {
		e = &matrix.Event{}
	}
	e, err = none(e, err)
	return e, wrap("room state", err)
}

// Member gives the membership event of somebody in a room; nil if we know of none.
func (s *Store) Member(ctx context.Context, room, user string) (*matrix.Event, error) {
	return s.StateEvent(ctx, room, "m.room.member", user)
}

// Members gives everybody's membership in a room by MXID.
func (s *Store) Members(ctx context.Context, room string) (map[string]*matrix.Event, error) {
	rows, err := s.DB.Query(ctx, "SELECT room, raw FROM room_state WHERE room=$1 AND type='m.room.member'", room)
	events, err := all(rows, err, scanState)
	out := make(map[string]*matrix.Event, len(events))
	for _, e := range events {
		if e.StateKey != nil {
			out[*e.StateKey] = e
		}
	}
	return out, wrap("members", err)
}

// Joined gives the MXIDs of those who are in a room.
func (s *Store) Joined(ctx context.Context, room string) ([]string, error) {
	members, err := s.Members(ctx, room)
	var out []string
	for user, e := range members {
		if e.Membership() == "join" {
			out = append(out, user)
		}
	}
	return out, err
}

// ForgetState forgets what we knew of a room.
func (s *Store) ForgetState(ctx context.Context, room string) error {
	_, err := s.exec(ctx, "DELETE FROM room_state WHERE room=$1", room)
	return wrap("room state", err)
}
