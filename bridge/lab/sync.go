package lab

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// syncFilter asks for long timelines: a client that misses events in a gap would make tests lie. (Dendrite's default is 10.)
const syncFilter = `{"room":{"timeline":{"limit":1000}}}`

// Sync keeps syncing in the background until the test ends, and returns when the first answer is there. A homeserver that is
// away is asked again.
func (c *Client) Sync() {
	c.t.Helper()
	t := c.t // World.During changes it
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	first := make(chan struct{})
	go func() {
		defer close(ended)
		arrived := sync.OnceFunc(func() { close(first) })
		for ctx.Err() == nil {
			if c.syncOnce(ctx, t) {
				arrived()
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	c.t.Cleanup(func() { cancel(); <-ended })
	select {
	case <-first:
	case <-time.After(Patience):
		c.t.Fatalf("%s's first sync has no answer", c.Name)
	}
}

// syncOnce waits for news and stores them; false if there was no answer.
func (c *Client) syncOnce(ctx context.Context, t T) bool {
	query := url.Values{"filter": {syncFilter}}
	if c.since != "" {
		query.Set("since", c.since)
		query.Set("timeout", "10000")
	}
	r := c.do(ctx, http.MethodGet, "/sync?"+query.Encode(), "application/json", nil)
	var answer syncAnswer
	if !r.OK() || json.Unmarshal(r.Raw, &answer) != nil {
		return false
	}
	c.since = answer.Next
	for _, room := range c.take(answer) {
		c.accept(ctx, t, room)
	}
	return true
}

// accept joins a room. A busy server may refuse an invitation that stands: like a person, it tries a few times. One that is away is
// waited for.
func (c *Client) accept(ctx context.Context, t T, room string) {
	for try := 1; ; try++ {
		joined := c.do(ctx, http.MethodPost, "/join/"+url.PathEscape(room), "application/json", nil)
		if joined.OK() || ctx.Err() != nil {
			return
		}
		if try >= 3 && joined.Status != 0 && joined.Status < http.StatusInternalServerError {
			t.Logf("%s cannot accept the invitation to %s: %s", c.Name, room, joined)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type syncEvents struct {
	Events []json.RawMessage `json:"events"`
}

type syncAnswer struct {
	Next  string `json:"next_batch"`
	Rooms struct {
		Join map[string]struct {
			State     syncEvents `json:"state"`
			Timeline  syncEvents `json:"timeline"`
			Ephemeral syncEvents `json:"ephemeral"`
		} `json:"join"`
		Invite map[string]struct {
			State syncEvents `json:"invite_state"`
		} `json:"invite"`
		Leave map[string]struct {
			State    syncEvents `json:"state"`
			Timeline syncEvents `json:"timeline"`
		} `json:"leave"`
	} `json:"rooms"`
}

// take stores an answer, wakes everybody who waits, and gives the rooms to join.
func (c *Client) take(a syncAnswer) (join []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	from := len(c.events)
	for room, r := range a.Rooms.Join {
		c.rooms[room] = "join"
		c.keep(room, now, r.State.Events, r.Timeline.Events, r.Ephemeral.Events)
	}
	for room, r := range a.Rooms.Leave {
		c.rooms[room] = "leave"
		c.keep(room, now, r.State.Events, r.Timeline.Events)
	}
	for room, r := range a.Rooms.Invite {
		if c.rooms[room] == "invite" {
			continue
		}
		c.rooms[room] = "invite"
		for _, raw := range r.State.Events {
			e := Event{Raw: raw, Arrived: now, Stripped: true}
			if json.Unmarshal(raw, &e) == nil {
				e.Room = room
				c.invites = append(c.invites, e)
			}
		}
		if c.AutoJoin {
			join = append(join, room)
		}
	}
	// One answer may hold several rooms, in no order: the time of the events gives one.
	slices.SortStableFunc(c.events[from:], func(a, b Event) int { return int(a.Time - b.Time) })
	close(c.changed)
	c.changed = make(chan struct{})
	return join
}

// keep adds the events of a room that are new.
func (c *Client) keep(room string, now time.Time, lists ...[]json.RawMessage) {
	for _, list := range lists {
		for _, raw := range list {
			e := Event{Raw: raw, Arrived: now}
			if json.Unmarshal(raw, &e) != nil || (e.ID != "" && c.seen[e.ID]) {
				continue
			}
			e.Room = room
			c.seen[e.ID] = true
			c.events = append(c.events, e)
		}
	}
}

// Until waits until the condition holds; it is asked again whenever something came. False: it did not hold in time.
func (c *Client) Until(ctx context.Context, condition func() bool) bool {
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		if condition() {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// patiently is Until with our Patience.
func (c *Client) patiently(condition func() bool) bool {
	ctx, cancel := context.WithTimeout(c.t.Context(), Patience)
	defer cancel()
	return c.Until(ctx, condition)
}

// Events are all that match, in the order of arrival. What came while this person was in a room stays, also after they left.
func (c *Client) Events(matches ...Match) []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Event
	for _, e := range c.events {
		if all(matches)(e) {
			found = append(found, e)
		}
	}
	return found
}

// Saw is the first event that matches, among what came until now.
func (c *Client) Saw(matches ...Match) (Event, bool) {
	if found := c.Events(matches...); len(found) > 0 {
		return found[0], true
	}
	return Event{}, false
}

// WaitFor waits for the first event that matches, of the past or to come. False: none came before the context ended.
func (c *Client) WaitFor(ctx context.Context, matches ...Match) (found Event, ok bool) {
	ok = c.Until(ctx, func() (ok bool) { found, ok = c.Saw(matches...); return ok })
	return found, ok
}

// Wait is WaitFor with our Patience; the test ends if nothing came. What names it in the failure.
func (c *Client) Wait(what string, matches ...Match) Event {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), Patience)
	defer cancel()
	e, ok := c.WaitFor(ctx, matches...)
	if !ok {
		c.t.Fatalf("%s did not see %s; the last they saw:\n%s", c.Name, what, c.last(8))
	}
	return e
}

func (c *Client) last(n int) string {
	events := c.Events(NotEdit)
	var lines []string
	for _, e := range events[max(0, len(events)-n):] {
		lines = append(lines, "  "+e.Sender+" "+e.Type+" "+e.Body())
	}
	return strings.Join(lines, "\n")
}

// Membership is join, invite or leave as the last sync said it, or "".
func (c *Client) Membership(room string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rooms[room]
}

// Rooms are the rooms with a membership.
func (c *Client) Rooms(membership string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rooms []string
	for room, m := range c.rooms {
		if m == membership {
			rooms = append(rooms, room)
		}
	}
	slices.Sort(rooms)
	return rooms
}

// WaitIn waits until this person is in a room.
func (c *Client) WaitIn(what, room string) {
	c.t.Helper()
	c.waitMembership(what, room, "join")
}

// WaitOut waits until this person is in a room no more.
func (c *Client) WaitOut(what, room string) {
	c.t.Helper()
	c.waitMembership(what, room, "leave")
}

// WaitInvited waits for an invitation; with AutoJoin it may be gone before it is seen.
func (c *Client) WaitInvited(what, room string) {
	c.t.Helper()
	c.waitMembership(what, room, "invite")
}

func (c *Client) waitMembership(what, room, want string) {
	c.t.Helper()
	if !c.patiently(func() bool { return c.Membership(room) == want }) {
		c.t.Fatalf("%s's membership of %s is %q, not %q", c.Name, what, c.Membership(room), want)
	}
}
