package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
)

func placeholder(n int) string { return "$" + strconv.Itoa(n) }

// PutState remembers state events of our rooms: what events told us. Events come
// in the order of the homeserver, so the last one written is the newest.
func (s *Store) PutState(ctx context.Context, events ...*matrix.Event) error {
	for _, e := range events {
		if e.StateKey == nil {
			continue
		}
		if _, err := s.DB.Exec(ctx, `INSERT INTO room_state (room, type, skey, event_id, sender, ts, raw) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (room, type, skey) DO UPDATE SET event_id=excluded.event_id, sender=excluded.sender, ts=excluded.ts, raw=excluded.raw`,
			e.Room, e.Type, *e.StateKey, e.ID, e.Sender, millis(e.TS), string(e.Raw)); err != nil {
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
	_, err := s.DB.Exec(ctx, "DELETE FROM room_state WHERE room=$1", room)
	return wrap("room state", err)
}

// Name is the display name of somebody for people who share no particular room
// with them; see NameIn.
func (s *Store) Name(ctx context.Context, user string) string { return s.NameIn(ctx, user, "") }

// NameIn is the display name of somebody as readers of a room know them: their
// name in that room, else in one that customers or they alone read with the bot,
// else in any of ours; without one the localpart. A name can be of one room only,
// so a name given in a staff lane stays there as long as there is another. What
// others say about somebody's name, as inviters can, does not count.
func (s *Store) NameIn(ctx context.Context, user, room string) string {
	if name := ownName(s.Member(ctx, room, user)); name != "" {
		return name
	}
	if direct, err := s.DirectRoom(ctx, user); err == nil && direct != nil {
		if name := ownName(s.Member(ctx, direct.ID, user)); name != "" {
			return name
		}
	}
	names, err := s.names(ctx, user)
	if err != nil {
		names = nil
	}
	slices.SortStableFunc(names, func(a, b named) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), b.at.Compare(a.at))
	})
	for _, n := range names {
		if n.name != "" {
			return n.name
		}
	}
	local, _, _ := strings.Cut(strings.TrimPrefix(user, "@"), ":")
	return local
}

// named is what somebody is called in a room of a kind since a time.
type named struct {
	name, kind string
	at         time.Time
}

// rank says who reads a name: customers, or staff alone.
func (n named) rank() int {
	if n.kind == Direct || n.kind == string(project.Customer) {
		return 0
	}
	return 1
}

func (s *Store) names(ctx context.Context, user string) ([]named, error) {
	rows, err := s.DB.Query(ctx, `SELECT st.room, st.raw, st.ts, r.kind FROM
		(SELECT room, raw, ts FROM room_state WHERE type='m.room.member' AND skey=$1 ORDER BY ts DESC LIMIT $2) st
		JOIN room r ON r.id=st.room`, user, maxRooms)
	return all(rows, err, func(row dbutil.Scannable) (n named, err error) {
		var id, raw string
		var ts int64
		err = row.Scan(&id, &raw, &ts, &n.kind)
		if err == nil {
			n.name, n.at = ownName(matrix.ParseEvent(id, json.RawMessage(raw))), fromMillis(ts)
		}
		return n, err
	})
}

// maxRooms bounds in how many rooms, the latest ones, a name is looked for: some
// people are in all.
const maxRooms = 200

// maxName bounds a display name in what we write, in characters.
const maxName = 80

// ownName is the name that a member event gives to who sent it, as one line
// without characters that turn the direction of what follows.
func ownName(e *matrix.Event, err error) string {
	if err != nil || e == nil || e.StateKey == nil || e.Sender != *e.StateKey || e.Membership() != "join" {
		return ""
	}
	name, _ := e.Content["displayname"].(string)
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, name)
	name = strings.Join(strings.Fields(name), " ")
	if utf8.RuneCountInString(name) > maxName {
		name = string([]rune(name)[:maxName]) + "…"
	}
	return name
}
