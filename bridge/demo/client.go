package demo

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// web never asks a proxy: all addresses are on this computer.
var web = &http.Client{Timeout: 90 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// client is a person with a Matrix client. It accepts every invitation.
type client struct {
	name, id, token string
	homeserver      string

	mu      sync.Mutex
	changed chan struct{} // closed and replaced whenever something came
	events  []event       // in the order of arrival
	joined  map[string]bool
	names   map[string]string // user → display name
	got     bytes.Buffer      // every answer of the homeserver
}

// event is what the story has to know of one.
type event struct {
	ID       string         `json:"event_id"`
	Type     string         `json:"type"`
	Sender   string         `json:"sender"`
	StateKey *string        `json:"state_key"`
	Content  map[string]any `json:"content"`
	Room     string         `json:"-"`
}

func (e event) body() string { s, _ := e.Content["body"].(string); return s }

// relates gives the kind of relation, and the event that it goes to.
func (e event) relates() (kind, to string) {
	r, _ := e.Content["m.relates_to"].(map[string]any)
	kind, _ = r["rel_type"].(string)
	to, _ = r["event_id"].(string)
	return kind, to
}

func (e event) thread() string {
	if kind, root := e.relates(); kind == "m.thread" {
		return root
	}
	return ""
}

// replies gives the event that this one answers to.
func (e event) replies() string {
	r, _ := e.Content["m.relates_to"].(map[string]any)
	to, _ := r["m.in_reply_to"].(map[string]any)
	id, _ := to["event_id"].(string)
	return id
}

// part is one of our own fields, such as lanekeeper.result; of an edit it is the
// new one.
func (e event) part(name string) map[string]any {
	content := e.Content
	if n, ok := content["m.new_content"].(map[string]any); ok {
		content = n
	}
	m, _ := content[name].(map[string]any)
	return m
}

// register makes an account by the homeserver's shared secret
// (https://element-hq.github.io/synapse/latest/admin_api/register_api.html) and
// signs it in.
func (w *world) register(ctx context.Context, name string) (*client, error) {
	c := &client{name: name, id: id(name), homeserver: w.homeserver, changed: make(chan struct{}), joined: map[string]bool{}, names: map[string]string{}}
	const path = "/_synapse/admin/v1/register"
	var nonce struct{ Nonce string }
	if err := c.do(ctx, http.MethodGet, path, nil, &nonce); err != nil {
		return nil, err
	}
	mac := hmac.New(sha1.New, []byte(w.secret))
	_, _ = io.WriteString(mac, strings.Join([]string{nonce.Nonce, name, password(name), "notadmin"}, "\x00"))
	var account struct {
		Token string `json:"access_token"`
	}
	if err := c.do(ctx, http.MethodPost, path, map[string]any{
		"nonce": nonce.Nonce, "username": name, "password": password(name), "admin": false, "mac": hex.EncodeToString(mac.Sum(nil)),
	}, &account); err != nil {
		return nil, err
	}
	c.token = account.Token
	return c, c.do(ctx, http.MethodPut, "/_matrix/client/v3/profile/"+url.PathEscape(c.id)+"/displayname", map[string]any{"displayname": title(name)}, nil)
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// do makes a request of the Client-Server API.
func (c *client) do(ctx context.Context, method, path string, body, answer any) error {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.homeserver+path, payload)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := web.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: the homeserver answers %s to %s: %.200s", c.name, res.Status, method, raw)
	}
	c.mu.Lock()
	c.got.Write(raw)
	c.mu.Unlock()
	if answer == nil {
		return nil
	}
	return json.Unmarshal(raw, answer)
}

// heard tells whether these words stood in anything that the homeserver answered.
func (c *client) heard(words string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.got.Bytes(), []byte(words))
}

// send sends an event and gives its id.
func (c *client) send(ctx context.Context, room, typ string, content any) (string, error) {
	var sent struct {
		ID string `json:"event_id"`
	}
	path := fmt.Sprintf("/_matrix/client/v3/rooms/%s/send/%s/%s", url.PathEscape(room), typ, rand.Text())
	return sent.ID, c.do(ctx, http.MethodPut, path, content, &sent)
}

// chat makes a direct chat and gives its room.
func (c *client) chat(ctx context.Context, with string) (string, error) {
	var made struct {
		Room string `json:"room_id"`
	}
	return made.Room, c.do(ctx, http.MethodPost, "/_matrix/client/v3/createRoom", map[string]any{
		"is_direct": true, "preset": "trusted_private_chat", "invite": []string{with},
	}, &made)
}

// syncAnswer is what we read of /sync
// (https://spec.matrix.org/v1.16/client-server-api/#get_matrixclientv3sync).
type syncAnswer struct {
	Next  string `json:"next_batch"`
	Rooms struct {
		Join map[string]struct {
			State    struct{ Events []event }
			Timeline struct{ Events []event }
		}
		Invite map[string]json.RawMessage
		Leave  map[string]json.RawMessage
	}
}

// follow syncs until ctx ends.
func (c *client) follow(ctx context.Context) error {
	filter := url.QueryEscape(`{"room":{"timeline":{"limit":200}}}`)
	since := ""
	for {
		path := "/_matrix/client/v3/sync?timeout=30000&filter=" + filter
		if since != "" {
			path += "&since=" + url.QueryEscape(since)
		}
		var s syncAnswer
		if err := c.do(ctx, http.MethodGet, path, nil, &s); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		since = s.Next
		c.take(s)
		for room := range s.Rooms.Invite {
			// An invitation may be taken back meanwhile: whoever waits for the room will tell.
			_ = c.do(ctx, http.MethodPost, "/_matrix/client/v3/join/"+url.PathEscape(room), map[string]any{}, nil)
		}
	}
}

func (c *client) take(s syncAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for room, r := range s.Rooms.Join {
		c.joined[room] = true
		for _, e := range append(r.State.Events, r.Timeline.Events...) {
			e.Room = room
			if name, ok := e.Content["displayname"].(string); ok && e.Type == "m.room.member" && e.StateKey != nil {
				c.names[*e.StateKey] = name
			}
			c.events = append(c.events, e)
		}
	}
	for room := range s.Rooms.Leave {
		delete(c.joined, room)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// await waits until check, called under the lock, is content.
func (c *client) await(ctx context.Context, check func() bool) bool {
	for {
		c.mu.Lock()
		ok, changed := check(), c.changed
		c.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
	}
}
