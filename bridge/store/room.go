package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/queue"
)

// Kinds of rooms that belong to no project; lanes and Spaces have a project.Kind.
const (
	SuperAdmin = "super_admin"
	Direct     = "direct"
)

// Room is a room of ours.
type Room struct {
	Alias   string // localpart, opaque; the key of its creation
	ID      string // "" until it is made
	Kind    string
	Project string // lanes and Spaces
	User    string // direct chats: the person
	Version string // room version, "" until it is made
}

// IsLane reports whether the room is a lane of a project.
func (r *Room) IsLane() bool { return r.Project != "" && r.Kind != "space" }

const roomColumns = "alias, id, kind, project, user_id, version"

func scanRoom(row dbutil.Scannable) (*Room, error) {
	var r Room
	var id sql.NullString
	err := row.Scan(&r.Alias, &id, &r.Kind, &r.Project, &r.User, &r.Version)
	r.ID = id.String
	return &r, err
}

func (s *Store) roomWhere(ctx context.Context, where string, args ...any) (*Room, error) {
	r, err := none(scanRoom(s.DB.QueryRow(ctx, "SELECT "+roomColumns+" FROM room WHERE "+where, args...)))
	return r, wrap("room", err)
}

// RoomByID finds a room of ours; nil if it is none.
func (s *Store) RoomByID(ctx context.Context, id string) (*Room, error) {
	return s.roomWhere(ctx, "id=$1", id)
}

// Rooms gives the rooms of a project, also those not made yet.
func (s *Store) Rooms(ctx context.Context, project string) ([]*Room, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+roomColumns+" FROM room WHERE project=$1 ORDER BY kind", project)
	out, err := all(rows, err, scanRoom)
	return out, wrap("rooms", err)
}

// roomChunk is how many rooms one query names; SQLite allows 32,766 parameters.
const roomChunk = 10_000

// RoomsByID finds those of the given rooms that are ours, in as few queries as can
// be.
func (s *Store) RoomsByID(ctx context.Context, ids []string) (map[string]*Room, error) {
	out := make(map[string]*Room, len(ids))
	for chunk := range slices.Chunk(ids, roomChunk) {
		args := make([]any, len(chunk))
		marks := make([]string, len(chunk))
		for i, id := range chunk {
			args[i], marks[i] = id, placeholder(i+1)
		}
		rows, err := s.DB.Query(ctx, "SELECT "+roomColumns+" FROM room WHERE id IN ("+strings.Join(marks, ",")+")", args...)
		found, err := all(rows, err, scanRoom)
		if err != nil {
			return nil, wrap("rooms", err)
		}
		for _, r := range found {
			out[r.ID] = r
		}
	}
	return out, nil
}

// LaneRoom finds a lane or the Space of a project; nil if its creation has not begun.
func (s *Store) LaneRoom(ctx context.Context, project, kind string) (*Room, error) {
	return s.roomWhere(ctx, "project=$1 AND kind=$2", project, kind)
}

// SuperAdminRoom finds the super-admin room; nil if its creation has not begun.
func (s *Store) SuperAdminRoom(ctx context.Context) (*Room, error) {
	return s.roomWhere(ctx, "kind='super_admin' AND project='' AND user_id=''")
}

// DirectRoom finds the direct chat with a person; nil if there is none.
func (s *Store) DirectRoom(ctx context.Context, user string) (*Room, error) {
	return s.roomWhere(ctx, "kind='direct' AND user_id=$1", user)
}

// PrepareRoom gives the row of a room and makes it, with a fresh alias, if there
// is none. It has to be committed before anything is asked of the homeserver.
func (s *Store) PrepareRoom(ctx context.Context, kind, project, user string) (*Room, error) {
	if _, err := s.exec(ctx, "INSERT INTO room ("+roomColumns+") VALUES ($1, NULL, $2, $3, $4, '') ON CONFLICT DO NOTHING",
		s.newAlias(), kind, project, user); err != nil {
		return nil, wrap("room", err)
	}
	return s.roomWhere(ctx, "kind=$1 AND project=$2 AND user_id=$3", kind, project, user)
}

func (s *Store) newAlias() string { return cmp.Or(s.Aliases, "lanekeeper_") + s.NewID() }

// MadeRoom records that the room with this alias exists. What waited for it to be
// said there goes out.
func (s *Store) MadeRoom(ctx context.Context, alias, id, version string) error {
	r, err := none(scanRoom(s.DB.QueryRow(ctx, "UPDATE room SET id=$2, version=$3 WHERE alias=$1 RETURNING "+roomColumns, alias, id, version)))
	if r == nil || err != nil {
		return wrap("room", err)
	}
	queue.AfterCommit(ctx, s.DB, func() { s.Queue.Wake(QueueMatrix, keyOfRoom(r)) })
	return nil
}

// AdoptDirect makes a room that a person opened with the bot their direct chat;
// an older one is forgotten, since people write where they wrote last.
func (s *Store) AdoptDirect(ctx context.Context, user, id, version string) error {
	if _, err := s.exec(ctx, "DELETE FROM room WHERE kind='direct' AND user_id=$1", user); err != nil {
		return wrap("direct chat", err)
	}
	_, err := s.exec(ctx, "INSERT INTO room ("+roomColumns+") VALUES ($1, $2, $3, '', $4, $5)", s.newAlias(), id, Direct, user, version)
	return wrap("direct chat", err)
}

// ForgetDirect forgets that a room is the direct chat with a person; the next word
// to them opens a new one, unless another room has become it by now.
func (s *Store) ForgetDirect(ctx context.Context, user, id string) error {
	_, err := s.exec(ctx, "DELETE FROM room WHERE kind='direct' AND user_id=$1 AND id=$2", user, id)
	return wrap("direct chat", err)
}

// SomeMembers gives the membership events of at most n people of a room, by MXID.
func (s *Store) SomeMembers(ctx context.Context, room string, n int) (map[string]*matrix.Event, error) {
	rows, err := s.DB.Query(ctx, "SELECT room, raw FROM room_state WHERE room=$1 AND type='m.room.member' LIMIT $2", room, n)
	events, err := all(rows, err, scanState)
	out := make(map[string]*matrix.Event, len(events))
	for _, e := range events {
		if e.StateKey != nil {
			out[*e.StateKey] = e
		}
	}
	return out, wrap("members", err)
}
