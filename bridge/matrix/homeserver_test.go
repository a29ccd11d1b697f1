package matrix_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lanekeeper/bridge/bridgetest"
	"lanekeeper/bridge/matrix"
)

// lab is one homeserver with our registration, and us.
type lab struct {
	*matrix.Client
	hs    *bridgetest.Homeserver
	woken chan struct{} // the homeserver called
	names *atomic.Int64
}

// service is our side of the application service API, for homeservers to come.
func service(t *testing.T) (woken chan struct{}, options bridgetest.Options) {
	t.Helper()
	woken = make(chan struct{}, 1)
	server := httptest.NewServer(newClient(t, "http://localhost", bridgetest.Domain).Handler(func() {
		select {
		case woken <- struct{}{}:
		default:
		}
	}))
	t.Cleanup(server.Close)
	registration, err := matrix.Registration(config("", bridgetest.Domain), server.URL, true)
	if err != nil {
		t.Fatal(err)
	}
	return woken, bridgetest.Options{Registration: string(registration)}
}

func newLab(t *testing.T, hs *bridgetest.Homeserver, woken chan struct{}) *lab {
	t.Helper()
	l := &lab{Client: newClient(t, hs.URL, hs.Domain), hs: hs, woken: woken, names: &atomic.Int64{}}
	if err := l.EnsureBot(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// eachServer runs a test against every homeserver.
func eachServer(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	woken, options := service(t)
	bridgetest.EachServer(t, options, func(t *testing.T, hs *bridgetest.Homeserver) { test(t, newLab(t, hs, woken)) })
}

func synapse(t *testing.T) *lab {
	t.Helper()
	woken, options := service(t)
	return newLab(t, bridgetest.Synapse(t, options), woken)
}

func dendrite(t *testing.T) *lab {
	t.Helper()
	woken, options := service(t)
	return newLab(t, bridgetest.Dendrite(t, options), woken)
}

// unique is a name that nothing in this test run had before.
func (l *lab) unique(name string) string { return fmt.Sprintf("%s%d", name, l.names.Add(1)) }

// ghost is a new user of ours.
func (l *lab) ghost(t *testing.T) string {
	t.Helper()
	user := l.User(l.unique("lanekeeper_ghost"))
	if err := l.EnsureGhost(t.Context(), user, "Dana"); err != nil {
		t.Fatal(err)
	}
	return user
}

// room is a new room of the bot, with ghosts in it.
func (l *lab) room(t *testing.T, ghosts ...string) string {
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
func (l *lab) say(t *testing.T, as, room, body string) string {
	t.Helper()
	event, err := l.Send(t.Context(), as, room, "m.room.message", l.unique("txn"), text(body))
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func text(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

// now is a sync token of this moment.
func (l *lab) now(t *testing.T) string {
	t.Helper()
	b, err := l.Sync(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return b.Next
}

// after is a sync token of the moment when a room is quiet: Dendrite's sync comes
// to know of an event only after the sender was told that it stands.
func (l *lab) after(t *testing.T, room string) string {
	t.Helper()
	since := l.now(t)
	last := l.say(t, "", room, "so far")
	return l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(last)) != nil }).Next
}

// until syncs from a token until the batch is as wanted. It gives that batch, and
// the token of the next one.
func (l *lab) until(t *testing.T, since string, wanted func(*matrix.Batch) bool) *matrix.Batch {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bridgetest.Patience)
	defer cancel()
	for {
		b, err := l.Sync(ctx, since, 5*time.Second)
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

// Everything that needs no restart, on one homeserver of each kind.
func TestHomeserver(t *testing.T) {
	eachServer(t, func(t *testing.T, l *lab) {
		for _, test := range []struct {
			name string
			run  func(*testing.T, *lab)
		}{
			{"capabilities", capabilities}, {"identity", identity}, {"profile", profile}, {"sync", syncing}, {"redaction", redaction},
			{"invitation", invitation}, {"rooms", rooms}, {"leftover alias", leftoverAlias}, {"membership", membership}, {"state", state},
			{"transaction ids", transactionIDs}, {"receipts", receipts}, {"refusals", refusals}, {"ping", ping}, {"gap", gap}, {"crowd", crowd},
		} {
			t.Run(test.name, func(t *testing.T) { test.run(t, l) })
		}
	})
}

func capabilities(t *testing.T, l *lab) {
	caps, err := l.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	synapse := l.hs.Kind == bridgetest.KindSynapse
	if caps.Devices != synapse || caps.Ping != synapse || strings.HasPrefix(caps.Software, "Synapse/") != synapse {
		t.Errorf("%+v", caps)
	}
	if caps.MaxUpload != 50<<20 || caps.RoomVersion() != "12" || caps.DefaultRoomVersion == "" || !slices.Contains(caps.SpecVersions, "v1.2") {
		t.Errorf("%+v", caps)
	}
	if got := strings.Join(caps.RoomVersions, " "); got != "1 2 3 4 5 6 7 8 9 10 11 12" {
		t.Errorf("room versions %s", got)
	}
}

// The bot and its ghosts stand after the first call; the second writes nothing.
func identity(t *testing.T, l *lab) {
	ctx := t.Context()
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	since := l.after(t, room)
	again := newClient(t, l.hs.URL, l.hs.Domain) // remembers nothing
	for range 2 {
		if err := again.EnsureBot(ctx); err != nil {
			t.Fatal(err)
		}
		if err := again.EnsureGhost(ctx, ghost, "Dana"); err != nil {
			t.Fatal(err)
		}
	}
	last := l.say(t, "", room, "nothing before this")
	b := l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(last)) != nil })
	if n := len(b.Joined[room].Timeline); n != 1 {
		t.Errorf("%d events: %s", n, b.Joined[room].Timeline)
	}
	if name, err := l.Profile(ctx, l.Bot()); name != "Lanekeeper" || err != nil {
		t.Errorf("the bot is called %q, %v", name, err)
	}
	for _, user := range []string{"@carl:" + l.hs.Domain, "@lanekeeper_x:elsewhere.test", "lanekeeper_x"} {
		if err := l.EnsureGhost(ctx, user, "Carl"); err == nil || matrix.Temporary(err) {
			t.Errorf("%s as a ghost: %v", user, err)
		}
	}
}

func profile(t *testing.T, l *lab) {
	ctx := t.Context()
	ghost := l.ghost(t)
	if err := l.EnsureGhost(ctx, ghost, "Dana (Support)"); err != nil {
		t.Fatal(err)
	}
	if name, err := l.Profile(ctx, ghost); name != "Dana (Support)" || err != nil {
		t.Errorf("%q, %v", name, err)
	}
	if name, err := l.Profile(ctx, "@nobody:"+l.hs.Domain); name != "" || err != nil {
		t.Errorf("nobody is called %q, %v", name, err)
	}
}

// One batch after the other brings everything once, in order.
func syncing(t *testing.T, l *lab) {
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	l.after(t, room)
	first, err := l.Sync(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	members := 0
	for _, raw := range slices.Concat(first.Joined[room].State, first.Joined[room].Timeline) {
		if e, err := matrix.ParseEvent(room, raw); err == nil && e.Type == "m.room.member" {
			members++
		}
	}
	if members < 2 {
		t.Errorf("%d members in the first sync", members)
	}
	var want, got []string
	for i := range 5 {
		want = append(want, l.say(t, "", room, fmt.Sprint(i)), l.say(t, ghost, room, fmt.Sprint(i)))
	}
	l.until(t, first.Next, func(b *matrix.Batch) bool {
		if b.Joined[room].Limited {
			t.Error("a short timeline is cut")
		}
		for _, raw := range b.Joined[room].Timeline {
			e, err := matrix.ParseEvent(room, raw)
			if err != nil {
				t.Fatal(err)
			}
			if e.Room != room || e.TS.Before(time.Now().Add(-time.Hour)) || e.TS.After(time.Now().Add(time.Hour)) {
				t.Errorf("%+v", e)
			}
			got = append(got, e.ID)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// MSG-24: a deletion comes as an event that names its target, in every version.
func redaction(t *testing.T, l *lab) {
	for _, version := range []string{"10", "11", "12"} {
		room, err := l.CreateRoom(t.Context(), matrix.CreateRoom{Version: version, Preset: "private_chat"})
		if err != nil {
			t.Fatal(err)
		}
		target := l.say(t, "", room, "a secret")
		since := l.now(t)
		redaction, err := l.Redact(t.Context(), "", room, target, l.unique("txn"), "wrong room")
		if err != nil {
			t.Fatal(err)
		}
		b := l.until(t, since, func(b *matrix.Batch) bool { return find(b.Joined[room].Timeline, byID(redaction)) != nil })
		if e := find(b.Joined[room].Timeline, byID(redaction)); e.Redacts != target || e.Type != "m.room.redaction" || e.Content["reason"] != "wrong room" {
			t.Errorf("version %s: %s", version, e.Raw)
		}
		first, err := l.Sync(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		e := find(first.Joined[room].Timeline, byID(target))
		if e == nil || e.Body() != "" || e.Unsigned.RedactedBecause == nil || e.Unsigned.RedactedBecause.Sender != l.Bot() {
			t.Errorf("version %s, redacted: %+v", version, e)
		}
	}
}

// The bot learns who invites it where, joins, and learns when it is thrown out.
func invitation(t *testing.T, l *lab) {
	ctx := t.Context()
	carl := l.hs.Register(l.unique("carl"))
	since := l.now(t)
	room := carl.CreateRoom(map[string]any{"room_version": "11", "preset": "private_chat", "is_direct": true, "invite": []string{l.Bot()}})
	b := l.until(t, since, func(b *matrix.Batch) bool { return b.Invited[room] != nil })
	me := find(b.Invited[room], func(e *matrix.Event) bool { return e.IsState("m.room.member", l.Bot()) })
	if me == nil || me.Sender != carl.ID || me.Membership() != "invite" || me.Content["is_direct"] != true {
		t.Errorf("the invitation: %s", b.Invited[room])
	}
	since = b.Next
	if err := l.Join(ctx, "", room); err != nil {
		t.Fatal(err)
	}
	if err := l.Join(ctx, "", room); err != nil {
		t.Errorf("joining twice: %v", err)
	}
	b = l.until(t, since, func(b *matrix.Batch) bool { _, ok := b.Joined[room]; return ok })
	joined := b.Joined[room]
	if find(slices.Concat(joined.State, joined.Timeline), func(e *matrix.Event) bool { return e.Type == "m.room.create" }) == nil {
		t.Error("the state of a new room is not complete")
	}
	if list, err := l.JoinedRooms(ctx); err != nil || !slices.Contains(list, room) {
		t.Errorf("joined rooms %s, %v", list, err)
	}
	if r := carl.Kick(room, l.Bot()); !r.OK() {
		t.Fatal(r)
	}
	b = l.until(t, b.Next, func(b *matrix.Batch) bool { _, ok := b.Left[room]; return ok })
	kick := find(b.Left[room].Timeline, func(e *matrix.Event) bool { return e.IsState("m.room.member", l.Bot()) })
	if kick == nil || kick.Membership() != "leave" || kick.Sender != carl.ID {
		t.Errorf("the kick: %s", b.Left[room].Timeline)
	}
	if r := carl.Invite(room, l.Bot()); !r.OK() {
		t.Fatal(r)
	}
	b = l.until(t, b.Next, func(b *matrix.Batch) bool { return b.Invited[room] != nil })
	if err := l.Leave(ctx, "", room); err != nil {
		t.Errorf("refusing an invitation: %v", err)
	}
	l.until(t, b.Next, func(b *matrix.Batch) bool { _, ok := b.Left[room]; return ok })
}

// LANE-02: a room is made once under its alias, with the version that was asked.
func rooms(t *testing.T, l *lab) {
	ctx := t.Context()
	for _, version := range []string{"", "10", "11", "12"} {
		alias := l.unique("lanekeeper_")
		wish := matrix.CreateRoom{
			Alias: alias, Version: version, Preset: "private_chat", Name: "Customer · Acme", Topic: "Website",
			CreationContent: map[string]any{"m.federate": false},
			InitialState: []matrix.StateEvent{
				{Type: "lanekeeper.lane", Content: map[string]any{"kind": "customer"}},
				{Type: "m.room.guest_access", Content: map[string]any{"guest_access": "forbidden"}},
			},
		}
		room, err := l.CreateRoom(ctx, wish)
		if err != nil {
			t.Fatalf("version %q: %v", version, err)
		}
		events, err := l.State(ctx, room)
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]string{}
		for _, e := range events {
			has[e.Type] = string(e.Raw)
		}
		want := version
		if want == "" {
			want = "12"
		}
		for typ, part := range map[string]string{
			"m.room.create": `"room_version":"` + want + `"`, "m.room.name": "Acme", "m.room.topic": "Website",
			"lanekeeper.lane": "customer", "m.room.guest_access": "forbidden",
		} {
			if !strings.Contains(has[typ], part) {
				t.Errorf("version %q: %s is %s", version, typ, has[typ])
			}
		}
		if _, err := l.CreateRoom(ctx, wish); !matrix.AliasTaken(err) || matrix.Temporary(err) {
			t.Errorf("the same again: %v", err)
		}
		if found, err := l.ResolveAlias(ctx, l.Alias(alias)); found != room || err != nil {
			t.Errorf("the alias points to %q, not %q: %v", found, room, err)
		}
	}
}

// A creation that fails half-way can leave its alias; it can be taken away.
func leftoverAlias(t *testing.T, l *lab) {
	ctx := t.Context()
	full := l.Alias(l.unique("lanekeeper_"))
	localpart, _, _ := strings.Cut(full[1:], ":")
	wish := matrix.CreateRoom{Alias: localpart, Version: "12", Levels: map[string]any{"users": map[string]any{l.Bot(): 100}}}
	if _, err := l.CreateRoom(ctx, wish); err == nil || matrix.Temporary(err) || matrix.AliasTaken(err) {
		t.Fatalf("a version 12 room with its creator in the levels: %v", err)
	}
	wish.Levels = nil
	if _, err := l.ResolveAlias(ctx, full); err == nil {
		if _, err := l.CreateRoom(ctx, wish); !matrix.AliasTaken(err) {
			t.Errorf("over what is left: %v", err)
		}
		if err := l.DeleteAlias(ctx, full); err != nil {
			t.Fatal(err)
		}
	} else if !matrix.IsCode(err, "M_NOT_FOUND") {
		t.Fatal(err)
	}
	if _, err := l.CreateRoom(ctx, wish); err != nil {
		t.Errorf("after the alias was taken away: %v", err)
	}
	if _, err := l.ResolveAlias(ctx, l.Alias("lanekeeper_nothing")); !matrix.IsCode(err, "M_NOT_FOUND") || matrix.Temporary(err) {
		t.Errorf("an alias of nothing: %v", err)
	}
	// Of several that race for an alias one wins.
	wish.Alias = l.unique("lanekeeper_")
	var won, taken atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			switch _, err := l.CreateRoom(ctx, wish); {
			case err == nil:
				won.Add(1)
			case matrix.AliasTaken(err):
				taken.Add(1)
			default:
				t.Errorf("in a race: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || taken.Load() != 3 {
		t.Errorf("%d won, %d found it taken", won.Load(), taken.Load())
	}
}

func membership(t *testing.T, l *lab) {
	ctx := t.Context()
	ghost, carl := l.ghost(t), l.hs.Register(l.unique("carl"))
	room := l.room(t)
	is := func(user, want, by string) {
		t.Helper()
		events, err := l.State(ctx, room)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.IsState("m.room.member", user) && (e.Membership() != want || e.Sender != by) {
				t.Errorf("%s is %s by %s, not %s by %s", user, e.Membership(), e.Sender, want, by)
			}
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Join(ctx, ghost, room); err == nil || matrix.Temporary(err) || !matrix.IsCode(err, "M_FORBIDDEN") {
		t.Errorf("joining without an invitation: %v", err)
	}
	check(l.Invite(ctx, room, ghost))
	check(l.Join(ctx, ghost, room))
	is(ghost, "join", ghost)
	check(l.Leave(ctx, ghost, room))
	is(ghost, "leave", ghost)
	check(l.Invite(ctx, room, carl.ID))
	is(carl.ID, "invite", l.Bot())
	if r := carl.Join(room); !r.OK() {
		t.Fatal(r)
	}
	is(carl.ID, "join", carl.ID)
	if err := l.Invite(ctx, room, carl.ID); err == nil || matrix.Temporary(err) {
		t.Errorf("inviting a member: %v", err)
	}
	check(l.Kick(ctx, room, carl.ID, "the project is over"))
	is(carl.ID, "leave", l.Bot())
}

func state(t *testing.T, l *lab) {
	ctx := t.Context()
	room := l.room(t)
	for _, key := range []string{"", "a key/with:signs ä"} {
		id, err := l.PutState(ctx, room, "lanekeeper.test", key, map[string]any{"x": 1})
		if err != nil {
			t.Fatal(err)
		}
		events, err := l.State(ctx, room)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(events, func(e *matrix.Event) bool {
			return e.ID == id && e.IsState("lanekeeper.test", key) && e.Content["x"] == 1.0
		}) {
			t.Errorf("key %q: %d events without it", key, len(events))
		}
	}
}

// The same transaction id sends once; also by a ghost, where it needs its own.
func transactionIDs(t *testing.T, l *lab) {
	ctx := t.Context()
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	txn := l.unique("txn")
	first, err := l.Send(ctx, "", room, "m.room.message", txn, text("once"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again, err := l.Send(ctx, "", room, "m.room.message", txn, text("once")); again != first || err != nil {
			t.Errorf("%s after %s: %v", again, first, err)
		}
	}
	if other := l.say(t, ghost, room, "once"); other == first {
		t.Error("the ghost's message is the bot's")
	}
}

// MSG-04: receipts, with their thread where the homeserver knows such.
func receipts(t *testing.T, l *lab) {
	ghost := l.ghost(t)
	room := l.room(t, ghost)
	root := l.say(t, "", room, "a question")
	since := l.now(t)
	if err := l.Read(t.Context(), ghost, room, root, ""); err != nil {
		t.Fatal(err)
	}
	got := func(b *matrix.Batch) (found *matrix.Receipt) {
		for _, raw := range b.Joined[room].Ephemeral {
			for _, r := range matrix.Receipts(raw) {
				if r.User == ghost {
					found = &r
				}
			}
		}
		return found
	}
	b := l.until(t, since, func(b *matrix.Batch) bool { return got(b) != nil })
	if r := got(b); r.Event != root || r.Thread != "" || r.TS.Before(time.Now().Add(-time.Hour)) {
		t.Errorf("%+v", r)
	}
	answer, err := l.Send(t.Context(), "", room, "m.room.message", l.unique("txn"), map[string]any{
		"msgtype": "m.text", "body": "an answer", "m.relates_to": map[string]any{"rel_type": "m.thread", "event_id": root},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Read(t.Context(), ghost, room, answer, root); err != nil {
		t.Fatal(err)
	}
	b = l.until(t, b.Next, func(b *matrix.Batch) bool { return got(b) != nil })
	if r := got(b); r.Event != answer || r.Thread != root && l.hs.Kind == bridgetest.KindSynapse {
		t.Errorf("%+v", r)
	}
}

// What is refused for good, and says so.
func refusals(t *testing.T, l *lab) {
	ctx := t.Context()
	ghost, room := l.ghost(t), l.room(t)
	_, err := l.Send(ctx, ghost, room, "m.room.message", l.unique("txn"), text("from outside"))
	if !matrix.IsCode(err, "M_FORBIDDEN") || matrix.Temporary(err) {
		t.Errorf("sending from outside: %v", err)
	}
	_, err = l.Send(ctx, "", room, "m.room.message", l.unique("txn"), text(strings.Repeat("x", 70_000)))
	if err == nil || matrix.Temporary(err) {
		t.Errorf("too large: %v", err)
	}
	if _, err := l.State(ctx, "!nowhere:"+l.hs.Domain); err == nil || matrix.Temporary(err) {
		t.Errorf("the state of nowhere: %v", err)
	}
	wrong := config(l.hs.URL, l.hs.Domain)
	wrong.ASToken = "wrong"
	c, err := matrix.New(wrong, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureBot(ctx); !matrix.IsCode(err, "M_UNKNOWN_TOKEN") {
		t.Errorf("a wrong token: %v", err)
	}
	outside := config(l.hs.URL, l.hs.Domain)
	outside.BotLocalpart, outside.GhostPrefix = "otherbot", "otherbot_"
	if c, err = matrix.New(outside, quiet); err != nil {
		t.Fatal(err)
	}
	if err := c.EnsureBot(ctx); !matrix.IsCode(err, "M_EXCLUSIVE") || matrix.Temporary(err) {
		t.Errorf("a bot outside the namespace: %v", err)
	}
}

// The homeserver reaches us: it calls when it is asked to, and when something happens.
func ping(t *testing.T, l *lab) {
	room := l.room(t)
	l.say(t, "", room, "for the application service")
	select {
	case <-l.woken:
	case <-time.After(bridgetest.Patience):
		t.Error("no transaction came")
	}
	_, err := l.Ping(t.Context())
	if l.hs.Kind == bridgetest.KindSynapse && err != nil || l.hs.Kind == bridgetest.KindDendrite && !matrix.IsCode(err, "M_UNRECOGNIZED") {
		t.Error(err)
	}
}
