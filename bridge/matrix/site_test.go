package matrix_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/matrix"
)

// site is one homeserver with our registration, and us.
type site struct {
	*matrix.Client
	hs    *lab.Homeserver
	woken chan struct{} // the homeserver called
	names *atomic.Int64
}

// service is our side of the application service API, for homeservers to come.
func service(t *testing.T) (woken chan struct{}, options lab.Options) {
	t.Helper()
	woken = make(chan struct{}, 1)
	server := httptest.NewServer(newClient(t, "http://localhost", lab.Domain).Handler(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(server.Close)
	registration, err := matrix.Registration(config("", lab.Domain), server.URL, true)
	if err != nil {
		t.Fatal(err)
	}
	return woken, lab.Options{Registration: string(registration)}
}

func newSite(t *testing.T, hs *lab.Homeserver, woken chan struct{}) *site {
	t.Helper()
	l := &site{Client: newClient(t, hs.URL, hs.Domain), hs: hs, woken: woken, names: &atomic.Int64{}}
	if err := l.EnsureBot(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// eachServer runs a test against every homeserver, beside each other.
func eachServer(t *testing.T, test func(t *testing.T, l *site)) {
	t.Run("synapse", func(t *testing.T) { t.Parallel(); test(t, synapse(t)) })
	t.Run("dendrite", func(t *testing.T) { t.Parallel(); test(t, dendrite(t)) })
}

func synapse(t *testing.T) *site {
	t.Helper()
	woken, options := service(t)
	return newSite(t, lab.Synapse(t, options), woken)
}

func dendrite(t *testing.T) *site {
	t.Helper()
	woken, options := service(t)
	return newSite(t, lab.Dendrite(t, options), woken)
}

// unique is a name that nothing in this test run had before.
func (l *site) unique(name string) string { return fmt.Sprintf("%s%d", name, l.names.Add(1)) }

// ghost is a new user of ours.
func (l *site) ghost(t *testing.T) string {
	t.Helper()
	user := l.User(l.unique("lanekeeper_ghost"))
	if err := l.EnsureGhost(t.Context(), user, "Dana"); err != nil {
		t.Fatal(err)
	}
	return user
}

// room is a new room of the bot, with ghosts in it.
func (l *site) room(t *testing.T, ghosts ...string) string {
	t.Helper()
	room, err := l.CreateRoom(t.Context(), matrix.CreateRoom{Alias: l.unique("lanekeeper_"), Preset: "private_chat", Invite: ghosts})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range ghosts {
		if err := l.Join(t.Context(), g, room); err != nil {
			t.Fatal(err)
		}
	}
	return room
}

// say sends a text and gives its event id.
func (l *site) say(t *testing.T, as, room, body string) string {
	t.Helper()
	event, err := l.Send(t.Context(), as, room, "m.room.message", l.unique("txn"), text(body))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func text(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

// now is a sync token of this moment.
func (l *site) now(t *testing.T) string {
	t.Helper()
	b, err := l.Sync(t.Context(), "", 0, matrix.Measure{})
	if err != nil {
		t.Fatal(err)
	}
	return b.Next
}

// after is a sync token of the moment when a room is quiet: Dendrite's sync comes
// to know of an event only after the sender was told that it stands.
func (l *site) after(t *testing.T, room string) string {
	t.Helper()
	since := l.now(t)
	last := l.say(t, "", room, "so far")
	return l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(last)) != nil }).Next
}

// until syncs from a token until the batch is as wanted. It gives that batch, and
// the token of the next one.
func (l *site) until(t *testing.T, since string, wanted func(*matrix.Batch) bool) *matrix.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lab.Patience)
	defer cancel()
	for {
		b, err := l.Sync(ctx, since, 5*time.Second, matrix.Measure{})
		if err != nil {
			t.Fatalf("the sync did not bring what is waited for: %v", err)
		}
		if wanted(b) {
			return b
		}
		since = b.Next
	}
}

// find gives the first event of a list that matches; nil if none does.
func find(raws []json.RawMessage, match func(*matrix.Event) bool) *matrix.Event {
	for _, raw := range raws {
		if e, err := matrix.ParseStripped("", raw); err == nil && match(e) {
			return e
		}
	}
	return nil
}

func byID(id string) func(*matrix.Event) bool {
	return func(e *matrix.Event) bool { return e.ID == id }
}
