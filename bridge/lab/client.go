package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
)

// Client acts for one person through the Client-Server API, by net/http alone, so that a mistake in the library that the
// bridge uses cannot hide from it.
//
// What a person says (Send, Text, React, …) must succeed, else the test ends; it gives the event's id. What a person does to
// a room (PutState, Invite, …) gives the Response, as tests often want it refused.
type Client struct {
	ID       string // @name:domain
	Name     string // localpart; in a World what people are called there
	Token    string
	AutoJoin bool // set before Sync: accept every invitation

	t    T
	base string
	as   string // acts as this user, with an application service's token

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something came
	events  []Event       // timeline and state, in the order of arrival
	seen    map[string]bool
	rooms   map[string]string // room → join, invite, leave
	invites []Event           // the invitations, stripped
	heard   bytes.Buffer
	since   string
}

// NewClient makes a client of a user whose token is known.
func NewClient(t T, base, id, token string) *Client {
	name, _, _ := strings.Cut(strings.TrimPrefix(id, "@"), ":")
	return &Client{
		ID: id, Name: name, Token: token, t: t, base: base,
		changed: make(chan struct{}), seen: map[string]bool{}, rooms: map[string]string{},
	}
}

// Response is the answer to a request.
type Response struct {
	Status int            // 0: no answer
	Body   map[string]any // nil if it was no JSON object
	Raw    []byte
	Err    error // why there is no answer
}

// OK tells whether it was 200.
func (r Response) OK() bool { return r.Status == http.StatusOK }

// Refused tells whether it was 403.
func (r Response) Refused() bool { return r.Status == http.StatusForbidden }

// Field is a string of the body.
func (r Response) Field(name string) string { s, _ := r.Body[name].(string); return s }

func (r Response) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	raw := string(r.Raw)
	if len(raw) > 400 {
		raw = raw[:400] + "…"
	}
	return fmt.Sprintf("%d %s", r.Status, raw)
}

// JSON is a request body that is sent as it is, valid or not.
type JSON string

// Do makes a request. A path that does not begin with /_ is one of /_matrix/client/v3. The body is marshalled unless it is
// nil (then {} is sent where the method has a body), JSON, or []byte.
func (c *Client) Do(method, path string, body any) Response {
	return c.do(c.t.Context(), method, path, "application/json", body)
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body any) Response {
	if !strings.HasPrefix(path, "/_") {
		path = "/_matrix/client/v3" + path
	}
	if c.as != "" {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		path += separator + "user_id=" + url.QueryEscape(c.as)
	}
	var payload []byte
	switch b := body.(type) {
	case nil:
		if method != http.MethodGet {
			payload = []byte("{}")
		}
	case JSON:
		payload = []byte(b)
	case []byte:
		payload = b
	default:
		var err error
		if payload, err = json.Marshal(b); err != nil {
			return Response{Err: err}
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(payload))
	if err != nil {
		return Response{Err: err}
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+c.Token)
	res, err := httpClient.Do(req)
	if err != nil {
		return Response{Err: err}
	}
	defer res.Body.Close()
	r := Response{Status: res.StatusCode}
	if r.Raw, r.Err = io.ReadAll(res.Body); r.Err != nil {
		return Response{Err: r.Err}
	}
	_ = json.Unmarshal(r.Raw, &r.Body) // stays nil for anything else, such as media
	c.mu.Lock()
	c.heard.Write(r.Raw)
	c.heard.WriteByte('\n')
	c.mu.Unlock()
	return r
}

// Heard is every byte that any request of this client was ever answered with: what this person could have read.
func (c *Client) Heard() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.heard.String()
}

var transactions atomic.Int64

func roomPath(room string, parts ...string) string {
	path := "/rooms/" + url.PathEscape(room)
	for _, p := range parts {
		path += "/" + url.PathEscape(p)
	}
	return path
}

func transaction() string { return fmt.Sprintf("lab-%d", transactions.Add(1)) }

// TrySend sends an event and gives the answer.
func (c *Client) TrySend(room, typ string, content any) Response {
	return c.Do(http.MethodPut, roomPath(room, "send", typ, transaction()), content)
}

// Send sends an event and gives its id.
func (c *Client) Send(room, typ string, content any) string {
	c.t.Helper()
	r := c.TrySend(room, typ, content)
	if !r.OK() {
		c.t.Fatalf("%s cannot send %s: %s", c.Name, typ, r)
	}
	return r.Field("event_id")
}

// Text says something.
func (c *Client) Text(room, body string) string {
	c.t.Helper()
	return c.Send(room, "m.room.message", text(body))
}

func text(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

// InThread says something in a thread, as clients do: with a fallback to a reply to its root.
func (c *Client) InThread(room, root, body string) string {
	c.t.Helper()
	content := text(body)
	content["m.relates_to"] = map[string]any{
		"rel_type": "m.thread", "event_id": root, "is_falling_back": true,
		"m.in_reply_to": map[string]any{"event_id": root},
	}
	return c.Send(room, "m.room.message", content)
}

// Reply says something as a plain reply to an event.
func (c *Client) Reply(room, to, body string) string {
	c.t.Helper()
	content := text(body)
	content["m.relates_to"] = map[string]any{"m.in_reply_to": map[string]any{"event_id": to}}
	return c.Send(room, "m.room.message", content)
}

// React puts an emoji at an event.
func (c *Client) React(room, event, key string) string {
	c.t.Helper()
	return c.Send(room, "m.reaction", map[string]any{
		"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": event, "key": key},
	})
}

// Edit replaces the text of an own message.
func (c *Client) Edit(room, event, body string) string {
	c.t.Helper()
	content := text("* " + body)
	content["m.new_content"] = text(body)
	content["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": event}
	return c.Send(room, "m.room.message", content)
}

// TryRedact deletes an event and gives the answer.
func (c *Client) TryRedact(room, event string) Response {
	return c.Do(http.MethodPut, roomPath(room, "redact", event, transaction()), nil)
}

// Redact deletes an event.
func (c *Client) Redact(room, event string) string {
	c.t.Helper()
	r := c.TryRedact(room, event)
	if !r.OK() {
		c.t.Fatalf("%s cannot redact: %s", c.Name, r)
	}
	return r.Field("event_id")
}

// State reads one state event's content.
func (c *Client) State(room, typ, key string) Response {
	return c.Do(http.MethodGet, roomPath(room, "state", typ, key), nil)
}

// PutState sets a state event's content.
func (c *Client) PutState(room, typ, key string, content any) Response {
	return c.Do(http.MethodPut, roomPath(room, "state", typ, key), content)
}

// CreateRoom makes a room and gives its id. A version should be named: Dendrite 0.15.2 panics without one where its default is 12.
func (c *Client) CreateRoom(request map[string]any) string {
	c.t.Helper()
	r := c.Do(http.MethodPost, "/createRoom", request)
	if !r.OK() {
		c.t.Fatalf("%s cannot make a room: %s", c.Name, r)
	}
	return r.Field("room_id")
}

func (c *Client) Invite(room, user string) Response {
	return c.Do(http.MethodPost, roomPath(room, "invite"), map[string]any{"user_id": user})
}

func (c *Client) Kick(room, user string) Response {
	return c.Do(http.MethodPost, roomPath(room, "kick"), map[string]any{"user_id": user})
}

// Join accepts an invitation, or joins by id or alias.
func (c *Client) Join(room string) Response {
	return c.Do(http.MethodPost, "/join/"+url.PathEscape(room), nil)
}

// Leave leaves a room or declines an invitation.
func (c *Client) Leave(room string) Response {
	return c.Do(http.MethodPost, roomPath(room, "leave"), nil)
}

// Members is user → membership of a room, or nil if the server does not tell this person.
func (c *Client) Members(room string) map[string]string {
	r := c.Do(http.MethodGet, roomPath(room, "members"), nil)
	var answer struct {
		Chunk []Event `json:"chunk"`
	}
	if !r.OK() || json.Unmarshal(r.Raw, &answer) != nil {
		return nil
	}
	members := map[string]string{}
	for _, e := range answer.Chunk {
		if e.StateKey != nil {
			members[*e.StateKey] = e.field("membership")
		}
	}
	return members
}

// Level is a user's power level in a room, read by this client.
func (c *Client) Level(room, user string) int {
	levels := c.State(room, "m.room.power_levels", "").Body
	users, _ := levels["users"].(map[string]any)
	if level, ok := users[user].(float64); ok {
		return int(level)
	}
	level, _ := levels["users_default"].(float64)
	return int(level)
}

// Upload stores a file and gives its mxc:// address.
func (c *Client) Upload(name, contentType string, data []byte) (string, Response) {
	r := c.do(c.t.Context(), http.MethodPost, "/_matrix/media/v3/upload?filename="+url.QueryEscape(name), contentType, data)
	return r.Field("content_uri"), r
}

// As is a client that acts for a user of an application service's namespace with that service's token.
func As(t T, base, id, asToken string) *Client {
	c := NewClient(t, base, id, asToken)
	c.as = id
	return c
}
