package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Name is the display name of somebody for people who share no particular room
// with them; see NameIn.
func (s *Store) Name(ctx context.Context, user string) string { return s.NameIn(ctx, user, "") }

// NameIn is the display name of somebody as readers of a room know them: their
// name in that room, else in one that customers or they alone read with the bot,
// else, of who is in none of these, in any of ours, else in their profile as it was
// looked up; without one the localpart. A name can be of one room only, so a name
// given in a staff lane stays there. What others say about somebody's name, as
// inviters can, does not count. Where somebody else there has a name that looks the
// same, the MXID stands behind it.
func (s *Store) NameIn(ctx context.Context, user, room string) string {
	name := s.nameIn(ctx, user, room)
	if s.lookAlike(ctx, user, room, text.Looks(name)) {
		return name + " (" + user + ")"
	}
	return name
}

func (s *Store) nameIn(ctx context.Context, user, room string) string {
	if name := ownName(s.Member(ctx, room, user)); name != "" {
		return name
	}
	direct, err := s.DirectRoom(ctx, user)
	if err == nil && direct != nil {
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
	elsewhere := direct != nil || len(names) > 0 && names[0].rank() == 0 // than among staff alone
	for _, n := range names {
		if n.name != "" && (n.rank() == 0 || !elsewhere) {
			return n.name
		}
	}
	return text.Name(s.profileName(ctx, user), user)
}

// lookAlike reports whether somebody else in a room, or in one of the latest rooms of
// a person who is not there, has a name that looks like theirs.
func (s *Store) lookAlike(ctx context.Context, user, room, looks string) (yes bool) {
	if e, err := s.Member(ctx, room, user); err != nil || e == nil {
		err = s.DB.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM (SELECT room FROM room_state WHERE type='m.room.member' AND skey=$1 ORDER BY ts DESC LIMIT $3) mine
			JOIN room_state other ON other.room=mine.room AND other.looks=$2 AND other.looks<>'' WHERE other.skey<>$1)`, user, looks, maxCompared).Scan(&yes)
		return err == nil && yes
	}
	err := s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM room_state WHERE room=$1 AND looks=$2 AND looks<>'' AND skey<>$3)", room, looks, user).Scan(&yes)
	return err == nil && yes
}

// maxCompared bounds in how many rooms of a person names are compared.
const maxCompared = 50

// looks is what the name of a room's member looks like; of all other state nothing.
func looks(e *matrix.Event) string {
	if e.Type != "m.room.member" || e.StateKey == nil || e.Membership() != "join" && e.Membership() != "invite" {
		return ""
	}
	return text.Looks(text.Name(ownName(e, nil), *e.StateKey))
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

// ownName is the name that a member event gives to who sent it, as far
// as it can stand before words.
func ownName(e *matrix.Event, err error) string {
	if err != nil || e == nil || e.StateKey == nil || e.Sender != *e.StateKey || e.Membership() != "join" {
		return ""
	}
	name, _ := e.Content["displayname"].(string)
	return text.PlainName(name)
}
