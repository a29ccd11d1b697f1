package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/queue"
)

// The queues. In holds what arrived and timers, gap what a sync left out and is to be
// read, file what is to be fetched from WhatsApp; the others what shall happen.
const (
	QueueGap       = "gap"
	QueueIn        = "in"
	QueueMatrix    = "matrix"
	QueueWhatsApp  = "whatsapp"
	QueueFile      = "file"
	QueueReconcile = "reconcile"
)

// KeySuperAdmin is the order key of everything that concerns no project but the
// super-admin room.
const KeySuperAdmin = "super_admin"

// Kinds of inputs.
const (
	InputEvent    = "event"    // an event of a room the bot is in
	InputInvite   = "invite"   // the bot is invited; Raw is the invite state, a list of stripped events
	InputCame     = "came"     // the bot has come into a room: what the homeserver says of it came before
	InputCrowd    = "crowd"    // the bot has come into a room with so many people that nobody looks who they are
	InputGone     = "gone"     // the bot is no longer in a room
	InputWhatsApp = "whatsapp" // whatsapp.Inbound
	InputStatus   = "status"   // whatsapp.Status
	InputFile     = "file"     // effect.Fetched
	InputTimer    = "timer"    // a timer is due
)

// Input is what arrived, as it is stored before anything is decided.
type Input struct {
	Kind  string          `json:"kind"`
	Room  string          `json:"room,omitempty"`
	Raw   json.RawMessage `json:"raw,omitempty"`
	Old   bool            `json:"old,omitempty"`   // of an event: see Forgotten
	Fresh bool            `json:"fresh,omitempty"` // of state: InputCame follows
	Timer *effect.Timer   `json:"timer,omitempty"`
}

// Do writes effects into the outbox. In the transaction of the decision they
// happen if and only if it is committed.
func (s *Store) Do(ctx context.Context, effects ...effect.Effect) error {
	if len(effects) == 0 {
		return nil
	}
	items := make([]queue.Item, 0, len(effects))
	for _, e := range effects {
		item, err := s.item(ctx, e)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	_, err := s.Queue.Put(ctx, items...)
	return wrap("effects", err)
}

func (s *Store) item(ctx context.Context, e effect.Effect) (queue.Item, error) {
	if t := e.Timer; t != nil {
		b, err := json.Marshal(Input{Kind: InputTimer, Timer: t})
		return queue.Item{Queue: QueueIn, Key: t.Key, At: t.At, Payload: b}, wrap("timer", err)
	}
	b, err := json.Marshal(e)
	if err != nil {
		return queue.Item{}, wrap("effect", err)
	}
	item := queue.Item{Queue: QueueMatrix, Payload: b}
	switch {
	case e.WhatsApp != nil:
		item.Queue, item.Key = QueueWhatsApp, e.WhatsApp.To
	case e.File != nil:
		item.Queue, item.Key, item.At = QueueFile, fileKey(e.File), e.File.At
	case e.Reconcile != nil:
		item.Queue, item.Key = QueueReconcile, e.Reconcile.Project
		if item.Key == "" {
			item.Key = KeySuperAdmin
		}
	case e.Message != nil:
		item.Key, err = s.KeyOf(ctx, e.Message.To)
	case e.Redact != nil:
		item.Key, err = s.KeyOf(ctx, e.Redact.In)
	case e.Join != nil:
		item.Key = "room:" + e.Join.Room
	case e.Leave != nil:
		item.Key = "room:" + e.Leave.Room
	case e.Receipt != nil:
		item.Key, err = s.KeyOf(ctx, effect.Place{Room: e.Receipt.Room})
	}
	return item, err
}

// Echo notes which event a message of the outbox became when the homeserver shows it
// first: who dies after sending it has not noted that, and people may have answered
// it by now.
func (s *Store) Echo(ctx context.Context, job int64, room, event string) error {
	var payload []byte
	err := s.DB.QueryRow(ctx, "SELECT payload FROM job WHERE id=$1 AND queue=$2", job, QueueMatrix).Scan(&payload)
	if errors.Is(err, sql.ErrNoRows) { // it was noted, as nearly always
		return nil
	}
	if err != nil {
		return wrap("echo", err)
	}
	var e effect.Effect
	if err := json.Unmarshal(payload, &e); err != nil || e.Message == nil || e.Message.ID == "" {
		return wrap("echo", err)
	}
	return s.SaveSent(ctx, e.Message.ID, room, event)
}

// KeyOf gives the order key of a place: one for each room, however it is named.
func (s *Store) KeyOf(ctx context.Context, p effect.Place) (string, error) {
	switch {
	case p.SuperAdmin:
		return KeySuperAdmin, nil
	case p.Person != "":
		return "direct:" + p.Person, nil
	case p.Project != "":
		return "lane:" + p.Project + ":" + p.Lane, nil
	}
	r, err := s.RoomByID(ctx, p.Room)
	if err != nil {
		return "", err
	}
	if r == nil {
		return "room:" + p.Room, nil
	}
	return keyOfRoom(r), nil
}

// keyOfRoom is KeyOf for a room of ours.
func keyOfRoom(r *Room) string {
	switch r.Kind {
	case SuperAdmin:
		return KeySuperAdmin
	case Direct:
		return "direct:" + r.User
	}
	return "lane:" + r.Project + ":" + r.Kind
}

// InputKey gives the order key of what happens in a room: one for each project.
func InputKey(r *Room, id string) string {
	switch {
	case r == nil:
		return "room:" + id
	case r.Project != "":
		return "project:" + r.Project
	case r.Kind == SuperAdmin:
		return KeySuperAdmin
	}
	return "direct:" + r.User
}
