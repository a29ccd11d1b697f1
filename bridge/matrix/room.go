package matrix

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// StateEvent is a piece of state to be written.
type StateEvent struct {
	Type    string `json:"type"`
	Key     string `json:"state_key"`
	Content any    `json:"content"`
}

// CreateRoom is a room to be made by the bot. Creation is not atomic: it can fail
// and leave the room, or only its alias, behind. So give every room an alias, and
// on any error that may have left something look the alias up.
type CreateRoom struct {
	Alias           string // localpart
	Version         string // empty: Capabilities.RoomVersion
	Preset          string
	Name, Topic     string
	Direct          bool
	CreationContent map[string]any
	Levels          any // complete m.room.power_levels content: the homeserver replaces whole maps
	InitialState    []StateEvent
	Invite          []string
}

type createBody struct {
	Alias           string         `json:"room_alias_name,omitempty"`
	Version         string         `json:"room_version,omitempty"`
	Visibility      string         `json:"visibility"`
	Preset          string         `json:"preset,omitempty"`
	Name            string         `json:"name,omitempty"`
	Topic           string         `json:"topic,omitempty"`
	Direct          bool           `json:"is_direct,omitempty"`
	CreationContent map[string]any `json:"creation_content,omitempty"`
	Levels          any            `json:"power_level_content_override,omitempty"`
	InitialState    []StateEvent   `json:"initial_state,omitempty"`
	Invite          []string       `json:"invite,omitempty"`
}

// CreateRoom makes a room, never listed in the directory. The version is always
// named: Dendrite panics otherwise where its default is 12. An alias that exists
// is AliasTaken.
func (c *Client) CreateRoom(ctx context.Context, r CreateRoom) (string, error) {
	if r.Version == "" {
		caps, err := c.capabilities(ctx)
		if err != nil {
			return "", err
		}
		r.Version = caps.RoomVersion()
	}
	var out struct {
		Room string `json:"room_id"`
	}
	_, err := c.do(ctx, request{
		op: "create room", method: http.MethodPost, path: []any{"client", "v3", "createRoom"}, out: &out,
		body: createBody{
			Alias: r.Alias, Version: r.Version, Visibility: "private", Preset: r.Preset, Name: r.Name, Topic: r.Topic,
			Direct: r.Direct, CreationContent: r.CreationContent, Levels: r.Levels, InitialState: r.InitialState, Invite: r.Invite,
		},
	})
	return out.Room, err
}

// ResolveAlias gives the room that a full alias points to; M_NOT_FOUND if none.
// The room need not exist: a creation that was cut off leaves its alias.
func (c *Client) ResolveAlias(ctx context.Context, full string) (string, error) {
	var out struct {
		Room string `json:"room_id"`
	}
	_, err := c.do(ctx, request{
		op: "resolve " + full, method: http.MethodGet, path: []any{"client", "v3", "directory", "room", full}, out: &out,
	})
	return out.Room, err
}

// DeleteAlias removes a full alias.
func (c *Client) DeleteAlias(ctx context.Context, full string) error {
	_, err := c.do(ctx, request{op: "delete " + full, method: http.MethodDelete, path: []any{"client", "v3", "directory", "room", full}})
	return err
}

// State gives the current state of a room that the bot is in. Events that cannot
// be read are an error: state with holes would be repaired wrongly.
func (c *Client) State(ctx context.Context, room string) ([]*Event, error) {
	var list []json.RawMessage
	if _, err := c.do(ctx, request{
		op: "state of " + room, method: http.MethodGet, path: []any{"client", "v3", "rooms", room, "state"},
		out: &list, limit: answerLimitSync,
	}); err != nil {
		return nil, err
	}
	events := make([]*Event, 0, len(list))
	for _, raw := range list {
		e, err := ParseEvent(room, raw)
		if err != nil {
			return nil, fmt.Errorf("state of %s: %w", room, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// PutState writes one piece of state as the bot and gives its event id. State has
// no transaction id: read and compare first.
func (c *Client) PutState(ctx context.Context, room, typ, key string, content any) (string, error) {
	var out sent
	_, err := c.do(ctx, request{
		op: "write " + typ + " in " + room, method: http.MethodPut,
		path: []any{"client", "v3", "rooms", room, "state", typ, key}, body: content, out: &out,
	})
	return out.Event, err
}

// Invite invites a user as the bot. Everybody in the room can read the reason.
func (c *Client) Invite(ctx context.Context, room, user, reason string) error {
	return c.member(ctx, "", room, "invite", about(user, reason))
}

// Kick removes a user, or takes an invitation back, as the bot. Everybody in the room
// can read the reason.
func (c *Client) Kick(ctx context.Context, room, user, reason string) error {
	return c.member(ctx, "", room, "kick", about(user, reason))
}

// about is the body of what is done to somebody's membership.
func about(user, reason string) map[string]any {
	body := map[string]any{"user_id": user}
	if reason != "" {
		body["reason"] = reason
	}
	return body
}

// Join makes a user of ours join a room that it was invited to; harmless if it is
// in already.
func (c *Client) Join(ctx context.Context, as, room string) error {
	return c.member(ctx, as, room, "join", map[string]any{})
}

// Leave makes a user of ours leave a room, or refuse an invitation.
func (c *Client) Leave(ctx context.Context, as, room string) error {
	return c.member(ctx, as, room, "leave", map[string]any{})
}

func (c *Client) member(ctx context.Context, as, room, verb string, body map[string]any) error {
	_, err := c.do(ctx, request{
		op: verb + " " + room, method: http.MethodPost, as: as, path: []any{"client", "v3", "rooms", room, verb}, body: body,
	})
	return err
}

// JoinedRooms lists the rooms that the bot is in.
func (c *Client) JoinedRooms(ctx context.Context) ([]string, error) {
	var out struct {
		Rooms []string `json:"joined_rooms"`
	}
	_, err := c.do(ctx, request{
		op: "joined rooms", method: http.MethodGet, path: []any{"client", "v3", "joined_rooms"}, out: &out, limit: answerLimitSync,
	})
	return out.Rooms, err
}

// Ping makes the homeserver call us, and gives the time that took. It fails with
// the homeserver's words when we cannot be reached (MSC2659); ask only where
// Capabilities.Ping is true.
func (c *Client) Ping(ctx context.Context) (time.Duration, error) {
	var out struct {
		MS int64 `json:"duration_ms"`
	}
	_, err := c.do(ctx, request{
		op: "ping through the homeserver", method: http.MethodPost, path: []any{"client", "v1", "appservice", c.cfg.ID, "ping"},
		body: map[string]any{}, out: &out, nobody: true,
	})
	return time.Duration(out.MS) * time.Millisecond, err
}
