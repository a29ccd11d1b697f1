package lab

import (
	"encoding/json"
	"strings"
	"time"
)

// Event is an event as a client got it.
type Event struct {
	ID       string         `json:"event_id"`
	Type     string         `json:"type"`
	Room     string         `json:"room_id"`
	Sender   string         `json:"sender"`
	StateKey *string        `json:"state_key"`
	Time     int64          `json:"origin_server_ts"` // milliseconds
	Content  map[string]any `json:"content"`
	Redacts  string         `json:"redacts"` // top level, up to room version 10; later in the content

	Raw      json.RawMessage `json:"-"`
	Arrived  time.Time       `json:"-"`
	Stripped bool            `json:"-"` // came with an invitation: no id, no time
}

// field is the string at a path of the content.
func (e Event) field(path ...string) string {
	var value any = e.Content
	for _, name := range path {
		m, _ := value.(map[string]any)
		value = m[name]
	}
	s, _ := value.(string)
	return s
}

// Body is the text of a message.
func (e Event) Body() string { return e.field("body") }

// Notice tells whether it is an m.notice, which alerts nobody.
func (e Event) Notice() bool { return e.field("msgtype") == "m.notice" }

// Thread is the root of the thread that the event is in, or "".
func (e Event) Thread() string {
	if e.field("m.relates_to", "rel_type") != "m.thread" {
		return ""
	}
	return e.field("m.relates_to", "event_id")
}

// ReplyTo is the event that this one answers, also if only as a fallback for clients without threads.
func (e Event) ReplyTo() string { return e.field("m.relates_to", "m.in_reply_to", "event_id") }

// Replaces is the event that this one edits, or "".
func (e Event) Replaces() string {
	if e.field("m.relates_to", "rel_type") != "m.replace" {
		return ""
	}
	return e.field("m.relates_to", "event_id")
}

// Reaction is what a reaction reacts to, and with which emoji (without its variation selector).
func (e Event) Reaction() (target, key string) {
	if e.Type != "m.reaction" {
		return "", ""
	}
	return e.field("m.relates_to", "event_id"), strings.TrimSuffix(e.field("m.relates_to", "key"), "\ufe0f")
}

// Current is the content that a client shows: an edit's new content, else the content.
func (e Event) Current() map[string]any {
	if edited, ok := e.Content["m.new_content"].(map[string]any); ok && e.Replaces() != "" {
		return edited
	}
	return e.Content
}

// Mentions tells whether the event alerts this user by m.mentions.
func (e Event) Mentions(user string) bool {
	mentions, _ := e.Content["m.mentions"].(map[string]any)
	users, _ := mentions["user_ids"].([]any)
	for _, u := range users {
		if u == user {
			return true
		}
	}
	return false
}

// Object is an object in the content as it stands now, such as "lanekeeper.result", or nil.
func (e Event) Object(name string) map[string]any {
	o, _ := e.Current()[name].(map[string]any)
	return o
}

// Match says whether an event is the one that a test waits for.
type Match func(Event) bool

// all holds where every one of them does.
func all(matches []Match) Match {
	return func(e Event) bool {
		for _, m := range matches {
			if !m(e) {
				return false
			}
		}
		return true
	}
}

// ID matches one event.
func ID(id string) Match { return func(e Event) bool { return e.ID == id } }

// In matches events of a room.
func In(room string) Match { return func(e Event) bool { return e.Room == room } }

// NotIn matches events of all other rooms.
func NotIn(rooms ...string) Match {
	return func(e Event) bool {
		for _, r := range rooms {
			if e.Room == r {
				return false
			}
		}
		return true
	}
}

// From matches events by their sender.
func From(user string) Match { return func(e Event) bool { return e.Sender == user } }

// OfType matches events by their type.
func OfType(typ string) Match { return func(e Event) bool { return e.Type == typ } }

// Says matches messages whose text, edited or not, has these words in it.
func Says(words string) Match {
	return func(e Event) bool {
		body, _ := e.Current()["body"].(string)
		return e.Type == "m.room.message" && strings.Contains(body, words)
	}
}

// InThread matches events of a thread.
func InThread(root string) Match { return func(e Event) bool { return e.Thread() == root } }

// Answering is what answers an event: in a thread on it, or as a reply to it.
func Answering(event string) Match {
	return func(e Event) bool { return e.Thread() == event || e.ReplyTo() == event }
}

// Reacts matches a reaction to an event.
func Reacts(target, key string) Match {
	return func(e Event) bool {
		t, k := e.Reaction()
		return t == target && k == key
	}
}

// NotEdit leaves out edits.
func NotEdit(e Event) bool { return e.Replaces() == "" }
