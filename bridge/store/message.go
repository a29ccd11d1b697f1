package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/handoff"
)

// Message is an m.room.message that stands in one of our rooms.
type Message struct {
	Event    string
	Room     string
	Sender   string
	TS       time.Time
	Type     string // msgtype
	Body     string
	HTML     string // formatted_body, "" if there is none
	Thread   string // root of the thread it stands in, "" if in none
	ReplyTo  string // the message it answers, "" if none
	Redacted bool
	File     *handoff.File // that came with it, nil if none did
}

const messageColumns = "event_id, room, sender, ts, msgtype, body, html, thread, reply_to, redacted, file"

func scanMessage(row dbutil.Scannable) (*Message, error) {
	var m Message
	var ts int64
	var file string
	err := row.Scan(&m.Event, &m.Room, &m.Sender, &ts, &m.Type, &m.Body, &m.HTML, &m.Thread, &m.ReplyTo, &m.Redacted, &file)
	m.TS = fromMillis(ts)
	if err == nil && file != "" {
		err = json.Unmarshal([]byte(file), &m.File)
	}
	return &m, err
}

// SaveMessage remembers a message; one we know already stays as it is.
func (s *Store) SaveMessage(ctx context.Context, m *Message) error {
	_, err := s.exec(ctx, "INSERT INTO message ("+messageColumns+", came) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (event_id) DO NOTHING",
		m.Event, m.Room, m.Sender, millis(m.TS), m.Type, m.Body, m.HTML, m.Thread, m.ReplyTo, m.Redacted, fileColumn(m.File), millis(s.Now()))
	return wrap("message", err)
}

func fileColumn(f *handoff.File) string {
	if f == nil {
		return ""
	}
	b, _ := json.Marshal(f) // strings and numbers can always be written
	return string(b)
}

// EditMessage puts new words into a message, and another file.
func (s *Store) EditMessage(ctx context.Context, event, body, html string, file *handoff.File) error {
	_, err := s.exec(ctx, "UPDATE message SET body=$2, html=$3, file=$4 WHERE event_id=$1", event, body, html, fileColumn(file))
	return wrap("message", err)
}

// RedactMessage forgets the words of a message.
func (s *Store) RedactMessage(ctx context.Context, event string) error {
	_, err := s.exec(ctx, "UPDATE message SET body='', html='', file='', redacted=true WHERE event_id=$1", event)
	return wrap("message", err)
}

// Message finds a message by its event id; nil if we do not know it.
func (s *Store) Message(ctx context.Context, event string) (*Message, error) {
	m, err := none(scanMessage(s.DB.QueryRow(ctx, "SELECT "+messageColumns+" FROM message WHERE event_id=$1", event)))
	return m, wrap("message", err)
}

// Recent gives the last n messages of a room that are older than a time and not
// deleted, oldest first.
func (s *Store) Recent(ctx context.Context, room string, before time.Time, n int) ([]*Message, error) {
	rows, err := s.DB.Query(ctx, "SELECT "+messageColumns+" FROM message WHERE room=$1 AND ts<$2 AND NOT redacted ORDER BY ts DESC LIMIT $3", room, millis(before), n)
	out, err := all(rows, err, scanMessage)
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, wrap("messages", err)
}

// SaveSent remembers which event a message of an effect became.
func (s *Store) SaveSent(ctx context.Context, id, room, event string) error {
	_, err := s.exec(ctx, "INSERT INTO sent (id, room, event_id, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET room=excluded.room, event_id=excluded.event_id", id, room, event, millis(s.Now()))
	return wrap("sent message", err)
}

// Sent gives the event that the message of an effect became; "" while it is not sent.
func (s *Store) Sent(ctx context.Context, id string) (room, event string, err error) {
	err = s.DB.QueryRow(ctx, "SELECT room, event_id FROM sent WHERE id=$1", id).Scan(&room, &event)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return room, event, wrap("sent message", err)
}

// Spot is where an event stands.
type Spot struct{ Room, Event string }

// SentAll is Sent for many effects; those that are not sent yet are not among them.
func (s *Store) SentAll(ctx context.Context, ids []string) (map[string]Spot, error) {
	out := make(map[string]Spot, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	args, marks := make([]any, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		args[i], marks[i] = id, placeholder(i+1)
	}
	rows, err := s.DB.Query(ctx, "SELECT id, room, event_id FROM sent WHERE id IN ("+strings.Join(marks, ",")+")", args...)
	_, err = all(rows, err, func(row dbutil.Scannable) (id string, err error) {
		var spot Spot
		err = row.Scan(&id, &spot.Room, &spot.Event)
		out[id] = spot
		return id, err
	})
	return out, wrap("sent messages", err)
}

// SentAs gives the ID of the effect whose message an event is; "" if of none.
func (s *Store) SentAs(ctx context.Context, event string) (id string, err error) {
	err = s.DB.QueryRow(ctx, "SELECT id FROM sent WHERE event_id=$1", event).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, wrap("sent message", err)
}
