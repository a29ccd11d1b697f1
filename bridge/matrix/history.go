package matrix

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
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
func (c *Client) messages(ctx context.Context, room, dir, from, to string, limit int) (page, error) {
	query := map[string]string{"dir": dir, "limit": strconv.Itoa(limit)}
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

// gapLimit is how many events of one room Since asks for.
const gapLimit = 100_000

// Since gives what happened in one room since a sync token, oldest first, in pages
// as they come in, so that its size does not matter. complete: that is all; else the
// homeserver gave only the end of it, and what was given is to be forgotten: Page
// has all of it.
//
// A longer sync of that one room is exact everywhere, but Synapse cuts it at its
// filter_timeline_limit. There /messages is exact, too, since it compares by the
// order of arrival. Dendrite's goes by depth in the room's graph and loses a
// quarter of what several people write at the same time.
func (c *Client) Since(ctx context.Context, room, since string, each func(page []json.RawMessage) error) (complete bool, err error) {
	limited := true // as long as the answer does not have the room
	_, err = c.do(ctx, request{
		op: "history of " + room, method: http.MethodGet, path: pathSync,
		query: syncQuery(since, filter(gapLimit, []string{room}, nil), 0), timeout: answerTimeLong, long: true,
		stream: func(body io.Reader) (err error) {
			limited, err = readTimeline(body, room, each)
			return err
		},
	})
	return err == nil && !limited, err
}

// Page gives one page of what happened in a room between two sync tokens, oldest
// first, and the token of the next page; "": that was the last one. It may also give
// events that are younger than the second token. A page is halved for each earlier
// try: it may have been too large, or have taken too long.
func (c *Client) Page(ctx context.Context, room, from, to string, tries int) (events []json.RawMessage, next string, err error) {
	p, err := c.messages(ctx, room, "f", from, to, max(1, pageSize>>min(tries, 10)))
	if p.End == from {
		p.End = ""
	}
	return p.Chunk, p.End, err
}

// FindSent looks for what Send sent to a room with a transaction id, and gives
// its event id; "" if it is not there, or was redacted. It is for attempts whose
// outcome is unknown, where the homeserver does not recognise repeated
// transaction ids (Capabilities.Devices is false). since is the time of the first
// attempt; what is younger is read, and a page more.
func (c *Client) FindSent(ctx context.Context, room, txn string, since time.Time) (string, error) {
	for from := ""; ; {
		p, err := c.messages(ctx, room, "b", from, "", pageSize)
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
