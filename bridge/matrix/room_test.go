package matrix_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lanekeeper/bridge/matrix"
)

// The bot learns who invites it where, joins, and learns when it is thrown out.
func invitation(t *testing.T, l *site) {
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
func rooms(t *testing.T, l *site) {
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
func leftoverAlias(t *testing.T, l *site) {
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

func membership(t *testing.T, l *site) {
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
	check(l.Invite(ctx, room, ghost, ""))
	check(l.Join(ctx, ghost, room))
	is(ghost, "join", ghost)
	check(l.Leave(ctx, ghost, room))
	is(ghost, "leave", ghost)
	check(l.Invite(ctx, room, carl.ID, ""))
	is(carl.ID, "invite", l.Bot())
	if r := carl.Join(room); !r.OK() {
		t.Fatal(r)
	}
	is(carl.ID, "join", carl.ID)
	if err := l.Invite(ctx, room, carl.ID, ""); err == nil || matrix.Temporary(err) {
		t.Errorf("inviting a member: %v", err)
	}
	check(l.Kick(ctx, room, carl.ID, "the project is over"))
	is(carl.ID, "leave", l.Bot())
}

func state(t *testing.T, l *site) {
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
