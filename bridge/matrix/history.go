package matrix

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"maunium.net/go/mautrix/id"
)

// pageSize is how many events one page of history holds at most.
const pageSize = 250

// clockSlack is how far the homeserver's clock may be from ours.
const clockSlack = 10 * time.Minute

type page struct {
	Chunk []json.RawMessage `json:"chunk"`
	End   string            `json:"end"` // empty: nothing beyond
}

// messages reads one page of a room's history as the bot.
func (c *Client) messages(ctx context.Context, room, dir, from, to string) (page, error) {
	query := map[string]string{"dir": dir, "limit": strconv.Itoa(pageSize)}
	if from != "" {
		query["from"] = from
	}
	if to != "" {
		query["to"] = to
	}
	var p page
	_, err := c.do(ctx, request{
		op: "messages of " + room, method: http.MethodGet, path: []any{"client", "v3", "rooms", room, "messages"},
		query: query, out: &p, limit: answerLimitSync,
	})
	return p, err
}

// gapLimits are how many events of a room are asked for at once to fill a gap.
var gapLimits = []int{10_000, 100_000}

// Between gives the events that a limited timeline left out: those after the
// sync token since and before prev, the beginning of the timeline, oldest first,
// in pages. It may also give events of that timeline, and younger ones: the
// caller knows events by their ids. With since "" there is nothing to fill: that
// sync was the first.
//
// A longer sync of that one room is exact everywhere, but Synapse cuts it at its
// filter_timeline_limit. There /messages is exact, too, since it compares by the
// order of arrival. Dendrite's goes by depth in the room's graph and loses a
// quarter of what several people write at the same time.
func (c *Client) Between(ctx context.Context, room, since, prev string, each func(page []json.RawMessage) error) error {
	if since == "" {
		return nil
	}
	for _, limit := range gapLimits {
		b, err := c.sync(ctx, since, filter(limit, id.RoomID(room)), 0, answerTimeFirstSync)
		if err != nil {
			return err
		}
		events, limited := b.timeline(room)
		if !limited {
			return paged(events, each)
		}
		if len(events) < limit {
			break // the homeserver has a limit of its own
		}
	}
	return c.forward(ctx, room, since, prev, each)
}

// timeline gives what a batch has of one room. A room that it does not have at all
// counts as cut.
func (b *Batch) timeline(room string) (events []json.RawMessage, limited bool) {
	if j, ok := b.Joined[room]; ok {
		return j.Timeline, j.Limited
	}
	if l, ok := b.Left[room]; ok { // meanwhile
		return l.Timeline, l.Limited
	}
	return nil, true
}

func paged(events []json.RawMessage, each func([]json.RawMessage) error) error {
	for page := range slices.Chunk(events, pageSize) {
		if err := each(page); err != nil {
			return err
		}
	}
	return nil
}

// forward reads /messages from one token to another.
func (c *Client) forward(ctx context.Context, room, from, to string, each func([]json.RawMessage) error) error {
	for {
		p, err := c.messages(ctx, room, "f", from, to)
		if err != nil {
			return err
		}
		if len(p.Chunk) > 0 {
			if err := each(p.Chunk); err != nil {
				return err
			}
		}
		if p.End == "" || p.End == from {
			return nil
		}
		from = p.End
	}
}

// FindSent looks for what Send sent to a room with a transaction id, and gives
// its event id; "" if it is not there, or was redacted. It is for attempts whose
// outcome is unknown, where the homeserver does not recognise repeated
// transaction ids (Capabilities.Devices is false). since is the time of the first
// attempt; what is younger is read, and a page more.
func (c *Client) FindSent(ctx context.Context, room, txn string, since time.Time) (string, error) {
	for from := ""; ; {
		p, err := c.messages(ctx, room, "b", from, "")
		if err != nil {
			return "", err
		}
		young := false // any of them: a single event may carry any time
		for _, raw := range p.Chunk {
			e, err := ParseEvent(room, raw)
			if err != nil {
				continue
			}
			if c.Ours(e.Sender) && text(e.Content, txnKey) == txn {
				return e.ID, nil
			}
			young = young || e.TS.After(since.Add(-clockSlack))
		}
		if p.End == "" || p.End == from || !young {
			return "", nil
		}
		from = p.End
	}
}
