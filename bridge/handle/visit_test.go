package handle_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// input comes in.
func (d *desk) input(in store.Input) {
	d.t.Helper()
	payload, _ := json.Marshal(in)
	r := d.h.Do(d.t.Context(), queue.Job{Payload: payload})
	if r.Park != "" || r.Err != nil {
		d.t.Fatal(r.Park, r.Err)
	}
	if r.Commit != nil {
		d.tx(r.Commit)
	}
}

type stripped struct {
	typ, key, sender string
	content          map[string]any
}

func memberOf(user, sender, is string) stripped {
	return stripped{"m.room.member", user, sender, map[string]any{"membership": is}}
}

// invite is an invitation as the homeserver of who invites writes it. It gives what the bot does: "join", "leave" or nothing.
func (d *desk) invite(room string, state ...stripped) string {
	d.t.Helper()
	var raws []any
	for _, s := range state {
		raws = append(raws, map[string]any{"type": s.typ, "state_key": s.key, "sender": s.sender, "content": s.content})
	}
	raw, _ := json.Marshal(raws)
	d.input(store.Input{Kind: store.InputInvite, Room: room, Raw: raw})
	return does(d.effects())
}

// does says in short what happens.
func does(effects []effect.Effect) string {
	var out []string
	for _, e := range effects {
		switch {
		case e.Join != nil:
			out = append(out, "join "+e.Join.Room)
		case e.Leave != nil:
			out = append(out, "leave "+e.Leave.Room)
		case e.Message != nil && e.Message.To.Room != "":
			out = append(out, "say in "+e.Message.To.Room)
		case e.Message != nil && e.Message.To.Person != "":
			out = append(out, "tell "+e.Message.To.Person)
		}
	}
	return strings.Join(out, ", ")
}

// R7, R14: only people whom the bot knows invite it, whoever else the invitation names, and only to what can be a direct chat.
func TestInvitations(t *testing.T) {
	const eve = "@eve:evil"
	rule := func(rule string) stripped {
		return stripped{"m.room.join_rules", "", carl, map[string]any{"join_rule": rule}}
	}
	create := func(content map[string]any) stripped { return stripped{"m.room.create", "", carl, content} }
	byCarl := memberOf(bot, carl, "invite")
	each(t, func(d *desk) {
		for name, c := range map[string]struct {
			state []stripped
			want  string
		}{
			"by Carl":           {[]stripped{create(map[string]any{}), rule("invite"), byCarl}, "join"},
			"nothing but that":  {[]stripped{byCarl}, "join"},
			"by a stranger":     {[]stripped{memberOf(bot, eve, "invite")}, "leave"},
			"forged first":      {[]stripped{byCarl, memberOf(bot, eve, "invite")}, "leave"},
			"forged last":       {[]stripped{memberOf(bot, eve, "invite"), byCarl}, "leave"},
			"forged otherwise":  {[]stripped{byCarl, memberOf(bot, eve, "join")}, "leave"},
			"a Space":           {[]stripped{create(map[string]any{"type": "m.space"}), byCarl}, "leave"},
			"open to everybody": {[]stripped{rule("public"), byCarl}, "leave"},
			"open to knocks":    {[]stripped{rule("knock"), byCarl}, "leave"},
			"open to a Space":   {[]stripped{rule("restricted"), byCarl}, "leave"},
			"not for the bot":   {[]stripped{memberOf(mia, carl, "invite")}, ""},
		} {
			room := "!" + strings.ReplaceAll(name, " ", "")
			want := c.want
			if want != "" {
				want += " " + room
			}
			if got := d.invite(room, c.state...); got != want {
				t.Errorf("%s: %q, not %q", name, got, want)
			}
			d.input(store.Input{Kind: store.InputGone, Room: room})
		}
	})
}

// C2: the inviter's server is the one that may be asked for the room: it is named,
// since the ids of new rooms name none.
func TestServerOfAnInvitation(t *testing.T) {
	each(t, func(d *desk) {
		for user, want := range map[string]string{carl: "x", "@eve:evil": "evil"} {
			raw, _ := json.Marshal([]any{map[string]any{"type": "m.room.member", "state_key": bot, "sender": user, "content": map[string]any{"membership": "invite"}}})
			d.input(store.Input{Kind: store.InputInvite, Room: "!of" + user, Raw: raw})
			e := d.effects()
			if len(e) != 1 || e[0].Join != nil && e[0].Join.Server != want || e[0].Leave != nil && e[0].Leave.Server != want {
				t.Errorf("invited by %s: %+v", user, e)
			}
		}
	})
}

// comes is a room that Carl invited the bot to, as it shows when the bot is in.
func (d *desk) comes(room string, state ...stripped) string {
	d.t.Helper()
	if got := d.invite(room, memberOf(bot, carl, "invite")); got != "join "+room {
		d.t.Fatalf("invited to %s: %q", room, got)
	}
	all := append([]stripped{memberOf(carl, carl, "join"), {"m.room.create", "", carl, map[string]any{}}}, state...)
	for _, s := range append(all, memberOf(bot, bot, "join")) {
		d.count++
		raw, _ := json.Marshal(map[string]any{"event_id": fmt.Sprint("$s", d.count), "type": s.typ, "state_key": s.key, "sender": s.sender, "content": s.content})
		d.input(store.Input{Kind: store.InputEvent, Room: room, Raw: raw, Fresh: true})
	}
	d.input(store.Input{Kind: store.InputCame, Room: room})
	return does(d.effects())
}

// R7, R14: what turns out to be no direct chat is left after one sentence; a direct chat is not.
func TestRoomsWithoutBusiness(t *testing.T) {
	each(t, func(d *desk) {
		if got := d.comes("!chat"); got != "say in !chat" || d.directs(carl) != "!chat" {
			t.Errorf("a direct chat: %q, %q", got, d.directs(carl))
		}
		for name, state := range map[string]stripped{
			"three":    memberOf("@eve:x", "@eve:x", "join"),
			"invited":  memberOf("@eve:x", carl, "invite"),
			"readable": {"m.room.history_visibility", "", carl, map[string]any{"history_visibility": "world_readable"}},
			"public":   {"m.room.join_rules", "", carl, map[string]any{"join_rule": "public"}},
			"space":    {"m.room.create", "", carl, map[string]any{"type": "m.space"}},
			"others'":  {"m.room.create", "", "@eve:x", map[string]any{}},
		} {
			room := "!" + name
			if got, want := d.comes(room, state), "say in "+room+", leave "+room; got != want || d.directs(carl) != "!chat" {
				t.Errorf("%s: %q, not %q; the direct chat is %q", name, got, want, d.directs(carl))
			}
			d.input(store.Input{Kind: store.InputGone, Room: room})
		}
		if got := d.comes("!empty", memberOf(carl, carl, "leave")); got != "leave !empty" {
			t.Errorf("nobody there: %q", got)
		}
		// So many that intake does not even tell who they are.
		d.invite("!crowd", memberOf(bot, carl, "invite"))
		d.input(store.Input{Kind: store.InputCrowd, Room: "!crowd"})
		if got := does(d.effects()); got != "say in !crowd, leave !crowd" {
			t.Errorf("a crowd: %q", got)
		}
		// A lane is left for nothing that anybody says of it.
		for _, kind := range []string{store.InputCrowd, store.InputCame} {
			d.input(store.Input{Kind: kind, Room: "!customer"})
		}
		if got := does(d.effects()); got != "" {
			t.Errorf("a lane: %q", got)
		}
	})
}

// R7: a direct chat that grows into a crowd is left; a third person alone ends it for as long as they are there.
func TestGrowingRoom(t *testing.T) {
	each(t, func(d *desk) {
		d.comes("!chat")
		for i := range 60 {
			d.member("!chat", fmt.Sprintf("@guest%d:x", i), "join")
		}
		if got := does(d.effects()); got != "say in !chat, leave !chat" {
			t.Errorf("%q", got)
		}
	})
}

// One of ours is no third person: whoever invites a ghost to a direct chat keeps it.
func TestOursAreNoThirdPerson(t *testing.T) {
	const ghost = "@lanekeeper_agent_id1:x"
	each(t, func(d *desk) {
		d.opened("!dm")
		d.state("!dm", carl, "m.room.member", ghost, map[string]any{"membership": "invite"})
		if got := d.directs(carl); got != "!dm" {
			t.Errorf("after a ghost was invited: %q", got)
		}
		d.member("!dm", "@eve:x", "join")
		if got := d.directs(carl); got != "" {
			t.Errorf("after somebody else came: %q", got)
		}
		if got := d.comes("!chat", memberOf(ghost, carl, "invite")); got != "say in !chat" || d.directs(carl) != "!chat" {
			t.Errorf("with a ghost: %q, the direct chat is %q", got, d.directs(carl))
		}
	})
}

// R7: the bot comes to some rooms of a person, says once that it comes to no more, and to more when it is out of one.
func TestRoomsPerPerson(t *testing.T) {
	each(t, func(d *desk) {
		for i := range 3 {
			d.comes(fmt.Sprint("!chat", i))
		}
		invite := memberOf(bot, carl, "invite")
		if got := d.invite("!more", invite); got != "tell "+carl+", leave !more" {
			t.Errorf("one more: %q", got)
		}
		if got := d.invite("!again", invite); got != "leave !again" {
			t.Errorf("another one: %q", got)
		}
		if got := d.invite("!mia", memberOf(bot, mia, "invite")); got != "join !mia" {
			t.Errorf("somebody else's: %q", got)
		}
		d.input(store.Input{Kind: store.InputGone, Room: "!chat1"})
		if got := d.invite("!again", invite); got != "join !again" {
			t.Errorf("after one is gone: %q", got)
		}
		// It never gets in there.
		d.now = d.now.Add(2 * time.Hour)
		if got := d.invite("!other", invite); got != "join !other" {
			t.Errorf("after one that never was: %q", got)
		}
	})
}

// R10: an event that cannot be read is set aside in a room of ours; in others it is nobody's business.
func TestUnreadableEvents(t *testing.T) {
	each(t, func(d *desk) {
		for room, parked := range map[string]bool{"!customer": true, "!elsewhere": false} {
			payload, _ := json.Marshal(store.Input{Kind: store.InputEvent, Room: room, Raw: json.RawMessage(`{"event_id":"$x","type":"m.room.message","sender":"@eve:x","content":[]}`)})
			if r := d.h.Do(t.Context(), queue.Job{Payload: payload}); (r.Park != "") != parked || r.Retry > 0 {
				t.Errorf("%s: %+v", room, r)
			}
		}
	})
}

// A direct chat that somebody opens begins with one word of the bot: the first one, where
// it can read, and not of staff, who read theirs in the super-admin room.
func TestWelcome(t *testing.T) {
	each(t, func(d *desk) {
		if got := d.comes("!secret", stripped{"m.room.encryption", "", carl, map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}}); strings.Count(got, "say in !secret") != 1 {
			t.Errorf("an encrypted one: %q", got)
		}
		d.input(store.Input{Kind: store.InputGone, Room: "!secret"})
		if got := d.comes("!chat"); got != "say in !chat" {
			t.Errorf("the first one: %q", got)
		}
		for _, kind := range []string{store.InputCame, store.InputCame} {
			d.input(store.Input{Kind: kind, Room: "!chat"})
		}
		if got := d.comes("!next"); got != "" || d.directs(carl) != "!next" {
			t.Errorf("another one: %q, %q", got, d.directs(carl))
		}
		d.h.Policy.Permissions[carl] = "ops"
		d.input(store.Input{Kind: store.InputGone, Room: "!next"})
		if got := d.comes("!staff"); got != "" {
			t.Errorf("of staff: %q", got)
		}
	})
}
