package matrix

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Event is one event as the Client-Server API gives it. Content may have any
// shape: people and other servers write it, so use the helpers, which give empty
// values for what is missing or of the wrong kind.
type Event struct {
	ID       string // empty in the stripped state of an invitation
	Type     string
	Room     string
	Sender   string
	StateKey *string   // nil: no state event
	TS       time.Time // origin_server_ts, the sender's server's clock
	Content  map[string]any
	Redacts  string // of m.room.redaction: its target, wherever the room version puts it
	Unsigned Unsigned
	Raw      json.RawMessage // as received
}

// Unsigned is what our homeserver adds.
type Unsigned struct {
	// RedactedBecause is the redaction, if the event was redacted. Its fields
	// may be empty when the homeserver gave an odd one; it is never nil then.
	RedactedBecause *Event
	// TransactionID is set on events that this device sent.
	TransactionID string
	// PrevContent is what a state event replaced; nil if nothing or unknown.
	PrevContent map[string]any
}

type wireEvent struct {
	ID       string          `json:"event_id"`
	Type     *string         `json:"type"`
	Room     string          `json:"room_id"`
	Sender   *string         `json:"sender"`
	StateKey *string         `json:"state_key"`
	TS       int64           `json:"origin_server_ts"`
	Content  *map[string]any `json:"content"`
	Redacts  any             `json:"redacts"`
	Unsigned json.RawMessage `json:"unsigned"`
}

// ParseEvent reads one event of a room; an empty room means that the event names
// its own. It fails for what cannot be an event: not an object, no event_id, type,
// sender or content, or one of them of the wrong kind.
func ParseEvent(room string, raw json.RawMessage) (*Event, error) {
	e, err := ParseStripped(room, raw)
	if err == nil && e.ID == "" {
		return nil, errors.New("event: no event_id")
	}
	return e, err
}

// ParseStripped reads an event of an invitation's state, which may be without
// event_id and time (Client-Server API, "Stripped state").
func ParseStripped(room string, raw json.RawMessage) (*Event, error) {
	raw, err := storable(raw)
	if err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	var w wireEvent
	if err := decode(raw, &w); err != nil {
		return nil, fmt.Errorf("event: %w", err)
	}
	if w.Type == nil || w.Sender == nil || w.Content == nil || *w.Content == nil {
		return nil, errors.New("event: no type, sender or content")
	}
	numbers(*w.Content)
	if room == "" {
		room = w.Room
	}
	e := &Event{
		ID: w.ID, Type: *w.Type, Room: room, Sender: *w.Sender, StateKey: w.StateKey,
		TS: time.UnixMilli(w.TS), Content: *w.Content, Raw: raw, Unsigned: parseUnsigned(room, w.Unsigned),
	}
	if e.Type == "m.room.redaction" {
		// Top level up to room version 10, in the content from 11 on. What
		// stands at the top level was checked by the homeserver in both.
		redacts, _ := w.Redacts.(string)
		if e.Redacts = eventID(redacts); e.Redacts == "" {
			e.Redacts = eventID(text(e.Content, "redacts"))
		}
	}
	return e, nil
}

// nul is how JSON writes U+0000, which anybody can put into an event and
// PostgreSQL into no text.
var nul = []byte(`\u0000`)

// storable gives the same JSON without that character and without bytes that are
// no text.
func storable(raw json.RawMessage) (json.RawMessage, error) {
	if !utf8.Valid(raw) {
		raw = bytes.ToValidUTF8(raw, []byte("\uFFFD"))
	}
	if !bytes.Contains(raw, nul) {
		return raw, nil
	}
	var v any
	if err := decode(raw, &v); err != nil {
		return nil, err
	}
	return json.Marshal(strip(v))
}

// decode reads JSON and leaves numbers as they are written: one that fits no float
// makes no event unreadable.
func decode(raw json.RawMessage, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}

// numbers makes float64 of numbers, as everybody expects them. One that fits none
// stays a json.Number, which is of no kind that anybody reads.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	}
	return v
}

func strip(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "\x00", "")
	case []any:
		for i := range v {
			v[i] = strip(v[i])
		}
	case map[string]any:
		for _, key := range slices.Collect(maps.Keys(v)) {
			value := strip(v[key])
			delete(v, key)
			v[strings.ReplaceAll(key, "\x00", "")] = value
		}
	}
	return v
}

func parseUnsigned(room string, raw json.RawMessage) Unsigned {
	var u Unsigned
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return u
	}
	_ = json.Unmarshal(fields["transaction_id"], &u.TransactionID)
	_ = decode(fields["prev_content"], &u.PrevContent)
	numbers(u.PrevContent)
	if because := fields["redacted_because"]; len(because) > 0 && string(because) != "null" {
		var err error
		if u.RedactedBecause, err = ParseStripped(room, because); err != nil {
			u.RedactedBecause = &Event{Type: "m.room.redaction", Room: room, Raw: because}
		}
	}
	return u
}

// IsState tells whether the event is one of the given type and state key.
func (e *Event) IsState(typ, key string) bool {
	return e.Type == typ && e.StateKey != nil && *e.StateKey == key
}

// Body is the text of a message; of an edit the fallback, see NewContent.
func (e *Event) Body() string { return text(e.Content, "body") }

// MsgType is the msgtype of a message.
func (e *Event) MsgType() string { return text(e.Content, "msgtype") }

// Thread is the root of the thread that the event stands in.
func (e *Event) Thread() string { return e.related("m.thread") }

// Replaces is the event that this one edits.
func (e *Event) Replaces() string { return e.related("m.replace") }

// ReplyTo is the event that this one really answers: the reply that every message
// in a thread carries for clients without threads does not count
// (Client-Server API, "Fallback for unthreaded clients").
func (e *Event) ReplyTo() string {
	relates := object(e.Content, "m.relates_to")
	if fallback, _ := relates["is_falling_back"].(bool); fallback && text(relates, "rel_type") == "m.thread" {
		return ""
	}
	return eventID(text(object(relates, "m.in_reply_to"), "event_id"))
}

// Annotates is the event that a reaction is on, and its key.
func (e *Event) Annotates() (target, key string) {
	if target = e.related("m.annotation"); target == "" {
		return "", ""
	}
	return target, text(object(e.Content, "m.relates_to"), "key")
}

// NewContent is what an edit puts in the place of the old content; nil if there
// is none.
func (e *Event) NewContent() map[string]any { return object(e.Content, "m.new_content") }

// Txn is the transaction id with which Send sent the event; empty if it did not, or
// as a ghost on a homeserver that keeps transaction ids. Believe it only of users of
// ours.
func (e *Event) Txn() string { return cmp.Or(e.Unsigned.TransactionID, text(e.Content, txnKey)) }

// Mentions are the users that the message mentions on purpose.
func (e *Event) Mentions() []string {
	list, _ := object(e.Content, "m.mentions")["user_ids"].([]any)
	var users []string
	for _, item := range list {
		if user, ok := item.(string); ok {
			users = append(users, user)
		}
	}
	return users
}

// Membership is the membership that an m.room.member event sets.
func (e *Event) Membership() string {
	if e.Type != "m.room.member" {
		return ""
	}
	return text(e.Content, "membership")
}

func (e *Event) related(rel string) string {
	relates := object(e.Content, "m.relates_to")
	if text(relates, "rel_type") != rel {
		return ""
	}
	return eventID(text(relates, "event_id"))
}

// maxID is how long an identifier may be, in bytes
// (https://spec.matrix.org/v1.15/appendices/#common-identifier-format).
const maxID = 255

// eventID gives an event id that somebody wrote into an event if it can be one, else
// "": people can write anything there, of any length.
func eventID(s string) string {
	if len(s) < 2 || len(s) > maxID || s[0] != '$' || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

func object(m map[string]any, key string) map[string]any {
	o, _ := m[key].(map[string]any)
	return o
}

// HTML is the formatted_body of a message's content, "" where clients show the body:
// only this format is known
// (https://spec.matrix.org/v1.15/client-server-api/#mroommessage-msgtypes).
func HTML(content map[string]any) string {
	if content["format"] != "org.matrix.custom.html" {
		return ""
	}
	html, _ := content["formatted_body"].(string)
	return html
}
