package bridge_test

import (
	"testing"

	"lanekeeper/bridge/bridgetest"
)

// chat is a room that somebody makes.
func (g *ground) chat(person string, request map[string]any) string {
	all := map[string]any{"room_version": "10", "preset": "private_chat"}
	for key, value := range request {
		all[key] = value
	}
	return g.Person(person).CreateRoom(all)
}

// membership waits for the bot's membership of a room that somebody made.
func (g *ground) membership(person, room, want string) {
	g.Person(person).Wait("the bot: "+want, bridgetest.In(room), bridgetest.OfType("m.room.member"), func(e bridgetest.Event) bool {
		return *e.StateKey == g.Bot() && e.Content["membership"] == want
	})
}

// The bot comes to people whom it knows, by a platform role or as members of a project, and declines all others.
func (g *ground) strangers(t *testing.T) {
	slug, _ := g.project()
	direct := map[string]any{"is_direct": true, "invite": []string{g.Bot()}}
	g.membership("stranger", g.chat("stranger", direct), "leave")
	g.Must("mia", g.Direct("mia"), "add "+g.ID("stranger")+" customer "+slug)
	room := g.chat("stranger", direct)
	g.membership("stranger", room, "join")
	g.Must("stranger", room, "project list")
	g.Must("mia", g.Direct("mia"), "remove "+g.ID("stranger")+" "+slug)
	asked := g.Person("stranger").Text(room, "human let me in again")
	g.membership("stranger", g.chat("stranger", direct), "leave")
	// That came after it, so it was not answered.
	if _, answered := g.Person("stranger").Saw(bridgetest.From(g.Bot()), bridgetest.InThread(asked)); answered {
		t.Error("a person who is in no project any more gets answers")
	}
}

// What was said before the bot was invited was said to somebody else.
func (g *ground) beforeTheBot(t *testing.T) {
	room := g.chat("carl", map[string]any{"is_direct": true})
	carl := g.Person("carl")
	before := carl.Text(room, "help")
	if r := carl.Invite(room, g.Bot()); !r.OK() {
		t.Fatal(r)
	}
	between := carl.Text(room, "version") // it may read this one
	g.membership("carl", room, "join")
	g.Must("carl", room, "ping")
	if _, answered := carl.Saw(bridgetest.From(g.Bot()), bridgetest.InThread(before)); answered {
		t.Error("a message from before the invitation is answered")
	}
	if _, answered := carl.Saw(bridgetest.From(g.Bot()), bridgetest.InThread(between)); !answered {
		t.Error("a message from after the invitation is not answered")
	}
}

// Any room with the bot and one person is a direct chat: the older ones too. What the bot has to say comes where they wrote last.
func (g *ground) severalDirectChats(t *testing.T) {
	first := g.Direct("cleo")
	g.Must("cleo", first, "ping")
	invite := []string{g.Bot()}
	second := g.chat("cleo", map[string]any{"is_direct": true, "invite": invite})
	g.membership("cleo", second, "join")
	plain := g.chat("cleo", map[string]any{"invite": invite}) // not said to be direct
	g.membership("cleo", plain, "join")
	for _, room := range []string{plain, second, first, plain, first} {
		if r := g.Must("cleo", room, "ping"); r.Answer.Room != room {
			t.Errorf("answered in %s, not in %s", r.Answer.Room, room)
		}
	}
}

// A third person ends a direct chat; when they are gone it is one again.
func (g *ground) thirdPerson(t *testing.T) {
	room := g.chat("abe", map[string]any{"is_direct": true, "invite": []string{g.Bot()}})
	g.membership("abe", room, "join")
	g.Must("abe", room, "ping")
	abe, eve := g.Person("abe"), g.Person("eve")
	if r := abe.Invite(room, eve.ID); !r.OK() {
		t.Fatal(r)
	}
	eve.WaitIn("abe's room", room)
	var asked []string
	for _, words := range []string{"ping", "!lane ping", "!lane project list", "human do you read this?"} {
		asked = append(asked, abe.Text(room, words), eve.Text(room, words))
	}
	if r := eve.Leave(room); !r.OK() {
		t.Fatal(r)
	}
	eve.WaitOut("abe's room", room)
	g.Must("abe", room, "ping")
	for _, event := range asked {
		if _, answered := abe.Saw(bridgetest.From(g.Bot()), func(e bridgetest.Event) bool { return e.Thread() == event || e.ReplyTo() == event }); answered {
			t.Error("the bot answers among three")
		}
	}
}

// In an encrypted room the bot says once, unencrypted, that it cannot read there, and goes on elsewhere.
func (g *ground) encryptedDirect(t *testing.T) {
	room := g.chat("xavi", map[string]any{
		"is_direct": true, "invite": []string{g.Bot()},
		"initial_state": []map[string]any{{"type": "m.room.encryption", "state_key": "", "content": map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}}},
	})
	xavi := g.Person("xavi")
	xavi.Wait("that it cannot read there", bridgetest.In(room), bridgetest.From(g.Bot()), bridgetest.OfType("m.room.message"), bridgetest.Says("encrypted"))
	hello := xavi.Wait("a word in another room", bridgetest.NotIn(room), bridgetest.From(g.Bot()), bridgetest.Says("Here I can read"))
	xavi.Send(room, "m.room.encrypted", map[string]any{"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA", "session_id": "x", "sender_key": "y", "device_id": "z"})
	xavi.Text(room, "ping")
	g.Must("xavi", hello.Room, "ping")
	if n := len(xavi.Events(bridgetest.In(room), bridgetest.From(g.Bot()), bridgetest.OfType("m.room.message"))); n != 1 {
		t.Errorf("the bot said %d things in the encrypted room", n)
	}
	// An older direct chat that is encrypted later ends, too.
	late := g.chat("xavi", map[string]any{"is_direct": true, "invite": []string{g.Bot()}})
	g.membership("xavi", late, "join")
	g.Must("xavi", late, "ping")
	if r := xavi.PutState(late, "m.room.encryption", "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}); !r.OK() {
		t.Fatal(r)
	}
	xavi.Wait("that it cannot read there", bridgetest.In(late), bridgetest.From(g.Bot()), bridgetest.Says("encrypted"))
}

// Rooms that only look like direct chats get nothing that is for one person alone: they can be read by others, or come from somebody
// who may come back. TRUST-15.
func (g *ground) notDirect(t *testing.T) {
	cleo, eve := g.Person("cleo"), g.Person("eve")
	group := g.chat("eve", map[string]any{"is_direct": true, "invite": []string{cleo.ID, g.Bot()}})
	cleo.WaitIn("eve's room", group)
	g.membership("cleo", group, "join")
	if r := eve.Leave(group); !r.OK() {
		t.Fatal(r)
	}
	world := g.chat("cleo", map[string]any{"invite": []string{g.Bot()}, "initial_state": []map[string]any{
		{"type": "m.room.history_visibility", "state_key": "", "content": map[string]any{"history_visibility": "world_readable"}},
	}})
	g.membership("cleo", world, "join")
	public := g.chat("cleo", map[string]any{"preset": "public_chat", "invite": []string{g.Bot()}})
	g.membership("cleo", public, "join")
	opened := g.chat("cleo", map[string]any{"invite": []string{g.Bot()}})
	g.membership("cleo", opened, "join")
	g.Must("cleo", opened, "ping")
	if r := cleo.PutState(opened, "m.room.join_rules", "", map[string]any{"join_rule": "public"}); !r.OK() {
		t.Fatal(r)
	}
	var asked []string
	for _, room := range []string{group, world, public, opened} {
		asked = append(asked, cleo.Text(room, "project list"))
	}
	if r := cleo.PutState(opened, "m.room.join_rules", "", map[string]any{"join_rule": "invite"}); !r.OK() {
		t.Fatal(r)
	}
	g.Must("cleo", opened, "ping")
	g.Must("cleo", g.Direct("cleo"), "ping")
	for _, event := range asked {
		if _, answered := cleo.Saw(bridgetest.From(g.Bot()), bridgetest.InThread(event)); answered {
			t.Error("the bot answers where others can read")
		}
	}
}
