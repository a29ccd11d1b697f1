package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// How many events of a room one sync brings at most. Synapse gives at most 100
// (filter_timeline_limit) and the rest through Between; others give what is asked.
// The first sync brings history that nobody acts upon.
const (
	timelineLimit      = 1000
	timelineLimitFirst = 100
)

// Batch is what one sync brought. Events are raw, so that one that cannot be read
// holds up none of the others.
type Batch struct {
	Next    string // since of the next sync; store it with what the batch brought
	Joined  map[string]JoinedRoom
	Invited map[string][]json.RawMessage // stripped state, see ParseStripped
	Left    map[string]LeftRoom          // rooms that the bot left, or was removed from
}

// JoinedRoom is what happened in a room that the bot is in. When the bot has just
// joined, this is not only news: the timeline also holds as much of what happened
// before as the room lets newcomers read.
type JoinedRoom struct {
	State     []json.RawMessage // changes before the timeline that it does not hold
	Timeline  []json.RawMessage // oldest first
	Limited   bool              // events are missing before the timeline
	Prev      string            // where the timeline begins
	Ephemeral []json.RawMessage // receipts, see Receipts
}

// LeftRoom is what happened in a room up to the bot's end there.
type LeftRoom struct {
	State    []json.RawMessage
	Timeline []json.RawMessage
	Limited  bool
	Prev     string
}

// filter asks for everything in our rooms, or in one of them, and nothing else.
// Members are not loaded lazily: when the timeline is cut, the state must hold
// every membership that changed, and of a new room every member.
func filter(limit int, rooms ...id.RoomID) string {
	nothing := &mautrix.FilterPart{NotTypes: []event.Type{{Type: "*"}}}
	f, err := json.Marshal(mautrix.Filter{
		Presence:    nothing,
		AccountData: nothing,
		Room: &mautrix.RoomFilter{
			Rooms:       rooms,
			AccountData: nothing,
			Ephemeral:   &mautrix.FilterPart{Types: []event.Type{event.EphemeralEventReceipt}},
			Timeline:    &mautrix.FilterPart{Limit: limit},
		},
	})
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(f)
}

// Sync waits for what happened to the bot since the given token, at most for the
// given time; since "" brings the whole present state. It may be called again
// with the same token and then brings the same events, and newer ones.
func (c *Client) Sync(ctx context.Context, since string, timeout time.Duration) (*Batch, error) {
	if since == "" {
		return c.sync(ctx, since, filter(timelineLimitFirst), timeout, timeout+answerTimeFirstSync)
	}
	return c.sync(ctx, since, filter(timelineLimit), timeout, timeout+answerTime)
}

func (c *Client) sync(ctx context.Context, since, filter string, timeout, patience time.Duration) (*Batch, error) {
	query := map[string]string{
		"filter":       filter,
		"timeout":      strconv.FormatInt(timeout.Milliseconds(), 10),
		"set_presence": "offline",
	}
	if since != "" {
		query["since"] = since
	}
	var w wireSync
	if _, err := c.do(ctx, request{
		op: "sync", method: http.MethodGet, path: []any{"client", "v3", "sync"}, query: query,
		out: &w, timeout: patience, limit: answerLimitSync, long: true,
	}); err != nil {
		return nil, err
	}
	if w.Next == "" {
		return nil, fmt.Errorf("sync: %w", &Error{Message: "the answer has no next_batch"})
	}
	return w.batch(), nil
}

type wireEvents struct {
	Events []json.RawMessage `json:"events"`
}

type wireTimeline struct {
	wireEvents
	Limited bool   `json:"limited"`
	Prev    string `json:"prev_batch"`
}

// wireSync is https://spec.matrix.org/v1.15/client-server-api/#get_matrixclientv3sync.
type wireSync struct {
	Next  string `json:"next_batch"`
	Rooms struct {
		Join map[string]struct {
			State     wireEvents   `json:"state"`
			Timeline  wireTimeline `json:"timeline"`
			Ephemeral wireEvents   `json:"ephemeral"`
		} `json:"join"`
		Invite map[string]struct {
			State wireEvents `json:"invite_state"`
		} `json:"invite"`
		Leave map[string]struct {
			State    wireEvents   `json:"state"`
			Timeline wireTimeline `json:"timeline"`
		} `json:"leave"`
	} `json:"rooms"`
}

func (w *wireSync) batch() *Batch {
	b := &Batch{
		Next:    w.Next,
		Joined:  make(map[string]JoinedRoom, len(w.Rooms.Join)),
		Invited: make(map[string][]json.RawMessage, len(w.Rooms.Invite)),
		Left:    make(map[string]LeftRoom, len(w.Rooms.Leave)),
	}
	for room, j := range w.Rooms.Join {
		b.Joined[room] = JoinedRoom{
			State: j.State.Events, Timeline: j.Timeline.Events, Limited: j.Timeline.Limited,
			Prev: j.Timeline.Prev, Ephemeral: j.Ephemeral.Events,
		}
	}
	for room, i := range w.Rooms.Invite {
		b.Invited[room] = i.State.Events
	}
	for room, l := range w.Rooms.Leave {
		b.Left[room] = LeftRoom{State: l.State.Events, Timeline: l.Timeline.Events, Limited: l.Timeline.Limited, Prev: l.Timeline.Prev}
	}
	return b
}
