package matrix

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Timeline is how many events of a room one sync brings at most, where no less is
// asked for. Synapse gives at most 100 (filter_timeline_limit); what an answer
// leaves out is read with Since and Page. The first sync brings history that nobody
// acts upon.
const (
	Timeline      = 1000
	timelineFirst = 100
)

// Measure bounds what one sync brings.
type Measure struct {
	Limit   int      // events of each room; 0: Timeline
	Without []string // rooms that are left out
}

// Batch is what one sync brought. Events are raw, so that one that cannot be read
// holds up none of the others.
type Batch struct {
	Next    string // since of the next sync; store it with what the batch brought
	Joined  map[string]JoinedRoom
	Invited map[string][]json.RawMessage // stripped state, see ParseStripped
	Left    map[string]LeftRoom          // rooms that the bot left, or was removed from
}

// Rooms are the ids of all rooms of the batch.
func (b *Batch) Rooms() []string {
	rooms := slices.Collect(maps.Keys(b.Joined))
	rooms = slices.AppendSeq(rooms, maps.Keys(b.Invited))
	return slices.AppendSeq(rooms, maps.Keys(b.Left))
}

// JoinedRoom is what happened in a room that the bot is in. When the bot has just
// joined, this is not only news: the timeline also holds as much of what happened
// before as the room lets newcomers read.
type JoinedRoom struct {
	State    []json.RawMessage // changes before the timeline that it does not hold
	Timeline []json.RawMessage // oldest first
	Limited  bool              // events are missing before the timeline
	Prev     string            // where the timeline begins
}

// LeftRoom is what happened in a room up to the bot's end there.
type LeftRoom struct {
	State    []json.RawMessage
	Timeline []json.RawMessage
	Limited  bool
	Prev     string
}

// stateTypes is the state that somebody here looks at. What else people put into a
// room's state, of any size, is not asked for.
var stateTypes = []event.Type{
	event.StateCreate, event.StateMember, event.StatePowerLevels, event.StateJoinRules, event.StateGuestAccess,
	event.StateHistoryVisibility, event.StateRoomName, event.StateCanonicalAlias, event.StateEncryption,
	event.StateTombstone, event.StateServerACL, event.StateSpaceChild, event.StateSpaceParent, {Type: "lanekeeper.*"},
}

// filter asks for what happens in our rooms, or in some of them, and nothing else.
// Members are not loaded lazily: of a new room every member has to be known, since
// a room with a third person is no direct chat.
func filter(limit int, with, without []string, state ...event.Type) string {
	nothing := &mautrix.FilterPart{NotTypes: []event.Type{{Type: "*"}}}
	part := &mautrix.FilterPart{Types: state}
	if len(state) == 0 {
		part = nothing
	}
	f, err := json.Marshal(mautrix.Filter{
		Presence:    nothing,
		AccountData: nothing,
		Room: &mautrix.RoomFilter{
			Rooms:       roomIDs(with),
			NotRooms:    roomIDs(without),
			AccountData: nothing,
			Ephemeral:   nothing,
			State:       part,
			Timeline:    &mautrix.FilterPart{Limit: limit},
		},
	})
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(f)
}

func roomIDs(rooms []string) (ids []id.RoomID) {
	for _, room := range rooms {
		ids = append(ids, id.RoomID(room))
	}
	return ids
}

// Sync waits for what happened to the bot since the given token, at most for the
// given time; since "" brings the whole present state. It may be called again
// with the same token and then brings the same events, and newer ones. A sync that
// does not wait gets as much time as the homeserver needs: after an outage the
// answer may be large.
func (c *Client) Sync(ctx context.Context, since string, wait time.Duration, m Measure) (*Batch, error) {
	limit := cmp.Or(m.Limit, Timeline)
	if since == "" {
		limit = min(limit, timelineFirst)
	}
	patience := wait + answerTime
	if wait == 0 {
		patience = answerTimeLong
	}
	var w wireSync
	if _, err := c.do(ctx, request{
		op: "sync", method: http.MethodGet, path: pathSync, query: syncQuery(since, filter(limit, nil, m.Without, stateTypes...), wait),
		out: &w, timeout: patience, limit: answerLimitSync, long: true,
	}); err != nil {
		return nil, err
	}
	if w.Next == "" {
		return nil, fmt.Errorf("sync: %w", &Error{Message: "the answer has no next_batch"})
	}
	return w.batch(), nil
}

var pathSync = []any{"client", "v3", "sync"}

func syncQuery(since, filter string, wait time.Duration) map[string]string {
	query := map[string]string{
		"filter":       filter,
		"timeout":      strconv.FormatInt(wait.Milliseconds(), 10),
		"set_presence": "offline",
	}
	if since != "" {
		query["since"] = since
	}
	return query
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
			State    wireEvents   `json:"state"`
			Timeline wireTimeline `json:"timeline"`
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
		b.Joined[room] = JoinedRoom{State: j.State.Events, Timeline: j.Timeline.Events, Limited: j.Timeline.Limited, Prev: j.Timeline.Prev}
	}
	for room, i := range w.Rooms.Invite {
		b.Invited[room] = i.State.Events
	}
	for room, l := range w.Rooms.Leave {
		b.Left[room] = LeftRoom{State: l.State.Events, Timeline: l.Timeline.Events, Limited: l.Timeline.Limited, Prev: l.Timeline.Prev}
	}
	return b
}
