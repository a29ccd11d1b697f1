package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// txnKey marks the content of what we send where the homeserver does not keep
// transaction ids, so that FindSent can recognise it.
const txnKey = "lanekeeper.txn"

type sent struct {
	Event string `json:"event_id"`
}

// Send sends one event as a user of ours ("": the bot) and gives its id. The
// transaction id must be unique among everything this bridge ever sends, also
// across rooms and ghosts (Synapse and Dendrite confuse ghosts of one application
// service), and opaque: members of the room may see it. A repeat with the same id
// gives the same event, after a restart of the homeserver only where
// Capabilities.Devices is true.
func (c *Client) Send(ctx context.Context, as, room, evType, txn string, content any) (string, error) {
	caps, err := c.capabilities(ctx)
	if err != nil {
		return "", err
	}
	if !caps.Devices {
		if content, err = marked(content, txn); err != nil {
			return "", fmt.Errorf("send to %s: %w", room, err)
		}
	}
	var out sent
	_, err = c.do(ctx, request{
		op: "send to " + room, method: http.MethodPut, as: as,
		path: []any{"client", "v3", "rooms", room, "send", evType, txn}, body: content, out: &out,
	})
	return out.Event, err
}

// marked adds the transaction id to a content.
func marked(content any, txn string) (map[string]json.RawMessage, error) {
	data, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	if fields[txnKey], err = json.Marshal(txn); err != nil {
		return nil, err
	}
	return fields, nil
}

// Redact removes the content of an event as a user of ours. A repeat may leave a
// second redaction, which changes nothing.
func (c *Client) Redact(ctx context.Context, as, room, event, txn, reason string) (string, error) {
	body := map[string]any{}
	if reason != "" {
		body["reason"] = reason
	}
	var out sent
	_, err := c.do(ctx, request{
		op: "redact in " + room, method: http.MethodPut, as: as,
		path: []any{"client", "v3", "rooms", room, "redact", event, txn}, body: body, out: &out,
	})
	return out.Event, err
}

// Read puts the read receipt of a user of ours on an event. thread is the root of
// the thread it counts for, or empty: the whole room.
func (c *Client) Read(ctx context.Context, as, room, event, thread string) error {
	body := map[string]any{}
	if thread != "" {
		body["thread_id"] = thread
	}
	_, err := c.do(ctx, request{
		op: "receipt in " + room, method: http.MethodPost, as: as,
		path: []any{"client", "v3", "rooms", room, "receipt", "m.read", event}, body: body,
	})
	return err
}
