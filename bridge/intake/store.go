// Package intake takes what arrives (the bot's sync, Twilio's webhooks and
// listing), stores it, and only then lets the sender go on: the next sync is
// asked for, the webhook is answered, when the transaction is committed.
package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// chunk is how many inputs one statement carries; SQLite allows 32,766
// parameters, PostgreSQL 65,535.
const chunk = 500

// arrival is an input with what deduplicates it.
type arrival struct {
	id    string    // event id, MessageSid, …
	key   string    // order key
	at    time.Time // of events: when it happened, by the homeserver of who sent it; else zero
	local bool      // who sent it is of our homeserver, whose clock can be believed
	input store.Input
}

// keep stores arrivals that were not seen before, in their order, in the
// transaction of ctx: two statements for each chunk, whatever its size.
func keep(ctx context.Context, s *store.Store, arrivals []arrival) (fresh int, err error) {
	if err := markOld(ctx, s, arrivals); err != nil {
		return 0, err
	}
	for len(arrivals) > 0 {
		part := arrivals[:min(chunk, len(arrivals))]
		arrivals = arrivals[len(part):]
		items, err := unseen(ctx, s, part)
		if err != nil {
			return fresh, err
		}
		if len(items) == 0 {
			continue
		}
		if _, err := s.Queue.Put(ctx, items...); err != nil {
			return fresh, fmt.Errorf("intake: %w", err)
		}
		fresh += len(items)
	}
	return fresh, nil
}

func unseen(ctx context.Context, s *store.Store, part []arrival) ([]queue.Item, error) {
	args := make([]any, 1, len(part)+1)
	args[0] = s.Now().UnixMilli()
	values := make([]string, len(part))
	for i, a := range part {
		args = append(args, a.id)
		values[i] = "($" + strconv.Itoa(i+2) + ", $1)"
	}
	rows, err := s.DB.Query(ctx, "INSERT INTO seen (event_id, at) VALUES "+strings.Join(values, ", ")+" ON CONFLICT (event_id) DO NOTHING RETURNING event_id", args...)
	if err != nil {
		return nil, fmt.Errorf("intake: seen: %w", err)
	}
	defer rows.Close()
	fresh := make(map[string]bool, len(part))
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("intake: seen: %w", err)
		}
		fresh[id] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("intake: seen: %w", err)
	}
	items := make([]queue.Item, 0, len(fresh))
	for _, a := range part {
		if !fresh[a.id] {
			continue
		}
		delete(fresh, a.id) // the same id twice in one batch is one event
		b, err := json.Marshal(a.input)
		if err != nil {
			return nil, fmt.Errorf("intake: %w", err)
		}
		items = append(items, queue.Item{Queue: store.QueueIn, Key: a.key, Payload: b})
	}
	return items, nil
}

// wireEvent is what intake has to know of an event.
type wireEvent struct {
	ID       string  `json:"event_id"`
	Type     string  `json:"type"`
	Sender   string  `json:"sender"`
	StateKey *string `json:"state_key"`
	TS       int64   `json:"origin_server_ts"`
}

// event makes an arrival of an event; one without an id is known by its bytes.
func event(room, key, domain string, raw json.RawMessage) arrival {
	a, _ := read(room, key, domain, raw)
	return a
}

// read is event, with what was read of it.
func read(room, key, domain string, raw json.RawMessage) (a arrival, e wireEvent) {
	a = arrival{key: key, input: store.Input{Kind: store.InputEvent, Room: room, Raw: raw}}
	if json.Unmarshal(raw, &e) == nil && e.ID != "" && !strings.Contains(e.ID, "\x00") { // which no database stores
		a.id, a.at = e.ID, time.UnixMilli(e.TS)
		_, server, _ := strings.Cut(e.Sender, ":")
		a.local = server == domain
		return a, e
	}
	sum := sha256.Sum256(raw)
	a.id = "sha256:" + hex.EncodeToString(sum[:])
	return a, e
}
