package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// Gap is what a sync left out of a room of ours, until it is read and handed on.
// What comes in under its key meanwhile is held back: see Held.
type Gap struct {
	ID       int64
	Key      string // order key
	Room     string
	Since    string // sync token: what is missing came after it
	Prev     string // and before this one
	Position string // of the next page; "": no page was read yet
	Noticed  time.Time
	Told     bool // staff knows that it cannot be read
	Filled   bool
}

const gapColumns = "id, key, room, since, prev, position, noticed, told, filled"

func scanGap(row dbutil.Scannable) (*Gap, error) {
	var g Gap
	var noticed int64
	err := row.Scan(&g.ID, &g.Key, &g.Room, &g.Since, &g.Prev, &g.Position, &noticed, &g.Told, &g.Filled)
	g.Noticed = fromMillis(noticed)
	return &g, err
}

// AddGap notes a gap and gives its id, which is above those of all before.
func (s *Store) AddGap(ctx context.Context, key, room, since, prev string) (id int64, err error) {
	err = s.DB.QueryRow(ctx, "INSERT INTO gap (key, room, since, prev, position, noticed, told, filled) VALUES ($1, $2, $3, $4, '', $5, false, false) RETURNING id",
		key, room, since, prev, millis(s.Now())).Scan(&id)
	return id, wrap("gap", err)
}

// Gap finds a gap; nil if it was handed on.
func (s *Store) Gap(ctx context.Context, id int64) (*Gap, error) {
	g, err := none(scanGap(s.DB.QueryRow(ctx, "SELECT "+gapColumns+" FROM gap WHERE id=$1", id)))
	return g, wrap("gap", err)
}

// SaveGap writes how far a gap is read.
func (s *Store) SaveGap(ctx context.Context, g *Gap) error {
	_, err := s.exec(ctx, "UPDATE gap SET position=$2, told=$3, filled=$4 WHERE id=$1", g.ID, g.Position, g.Told, g.Filled)
	return wrap("gap", err)
}

// Gaps gives the newest gap of each of some keys that have any.
func (s *Store) Gaps(ctx context.Context, keys []string) (map[string]int64, error) {
	out := map[string]int64{}
	for chunk := range slices.Chunk(keys, roomChunk) {
		args, marks := make([]any, len(chunk)), make([]string, len(chunk))
		for i, key := range chunk {
			args[i], marks[i] = key, placeholder(i+1)
		}
		rows, err := s.DB.Query(ctx, "SELECT key, MAX(id) FROM gap WHERE key IN ("+strings.Join(marks, ",")+") GROUP BY key", args...)
		_, err = all(rows, err, func(row dbutil.Scannable) (none struct{}, err error) {
			var key string
			var id int64
			if err = row.Scan(&key, &id); err == nil {
				out[key] = id
			}
			return none, err
		})
		if err != nil {
			return nil, wrap("gaps", err)
		}
	}
	return out, nil
}

// AnyGap reports whether there is a gap at all.
func (s *Store) AnyGap(ctx context.Context) (any bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM gap)").Scan(&any)
	return any, wrap("gaps", err)
}

// GapUnread reports whether a key has a gap that is not read yet.
func (s *Store) GapUnread(ctx context.Context, key string) (unread bool, err error) {
	err = s.DB.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM gap WHERE key=$1 AND NOT filled)", key).Scan(&unread)
	return unread, wrap("gaps", err)
}

// DeleteGaps ends the gaps of a key: everything was handed on.
func (s *Store) DeleteGaps(ctx context.Context, key string) error {
	_, err := s.exec(ctx, "DELETE FROM gap WHERE key=$1", key)
	return wrap("gaps", err)
}

// Held is something that came in under a key with a gap. Within a room it stands in
// the order of the homeserver: what fills a gap comes before what came after it.
type Held struct {
	Seq     int64
	Key     string
	Room    string
	Gap     int64 // the newest one of the key
	Behind  bool  // it came after the gap; else it fills it
	ID      string
	Arrival []byte // see intake
}

// Hold keeps things back, in their order.
func (s *Store) Hold(ctx context.Context, rows ...Held) error {
	const width, chunk = 6, 500
	for part := range slices.Chunk(rows, chunk) {
		args, values := make([]any, 0, len(part)*width), make([]string, len(part))
		for i, h := range part {
			marks := make([]string, width)
			for j := range marks {
				marks[j] = "$" + strconv.Itoa(len(args)+j+1)
			}
			behind := 0
			if h.Behind {
				behind = 1
			}
			args = append(args, h.Key, h.Room, h.Gap, behind, h.ID, h.Arrival)
			values[i] = "(" + strings.Join(marks, ", ") + ")"
		}
		if _, err := s.exec(ctx, "INSERT INTO held (key, room, gap, behind, event_id, arrival) VALUES "+strings.Join(values, ", "), args...); err != nil {
			return wrap("held", err)
		}
	}
	return nil
}

// DropHeld forgets what was read to fill a gap: it is read anew.
func (s *Store) DropHeld(ctx context.Context, g *Gap) error {
	_, err := s.exec(ctx, "DELETE FROM held WHERE key=$1 AND room=$2 AND gap=$3 AND behind=0", g.Key, g.Room, g.ID)
	return wrap("held", err)
}

// HeldRooms gives the rooms of a key of which something is held back.
func (s *Store) HeldRooms(ctx context.Context, key string) (rooms []string, err error) {
	for room := ""; ; rooms = append(rooms, room) {
		next, err := none(scanText(s.DB.QueryRow(ctx, "SELECT room FROM held WHERE key=$1 AND room>$2 ORDER BY room LIMIT 1", key, room)))
		if err != nil || next == nil {
			return rooms, wrap("held", err)
		}
		room = *next
	}
}

func scanText(row dbutil.Scannable) (*string, error) {
	var v string
	err := row.Scan(&v)
	return &v, err
}

// HeldIn gives the first n things that are held back of a room.
func (s *Store) HeldIn(ctx context.Context, key, room string, n int) ([]Held, error) {
	rows, err := s.DB.Query(ctx, "SELECT seq, key, room, gap, behind, event_id, arrival FROM held WHERE key=$1 AND room=$2 ORDER BY gap, behind, seq LIMIT $3", key, room, n)
	out, err := all(rows, err, func(row dbutil.Scannable) (h Held, err error) {
		var behind int
		err = row.Scan(&h.Seq, &h.Key, &h.Room, &h.Gap, &behind, &h.ID, &h.Arrival)
		h.Behind = behind == 1
		return h, err
	})
	return out, wrap("held", err)
}

// Release ends holding things back: they are handed on.
func (s *Store) Release(ctx context.Context, seqs []int64) error {
	for chunk := range slices.Chunk(seqs, roomChunk) {
		args, marks := make([]any, len(chunk)), make([]string, len(chunk))
		for i, seq := range chunk {
			args[i], marks[i] = seq, placeholder(i+1)
		}
		if _, err := s.exec(ctx, "DELETE FROM held WHERE seq IN ("+strings.Join(marks, ",")+")", args...); err != nil {
			return wrap("held", err)
		}
	}
	return nil
}
