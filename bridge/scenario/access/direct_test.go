package access_test

import (
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// The bot comes to people whom it knows, by a platform role or as members of a project, and declines all others.
func TestStrangers(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, strangers) }

func strangers(t *testing.T, w *lab.World) {
	slug, _ := w.NewProject()
	direct := map[string]any{"is_direct": true, "invite": []string{w.Bot()}}
	w.BotIs("leave", "stranger", w.Chat("stranger", direct))
	w.Must("mia", w.Direct("mia"), "add "+w.ID("stranger")+" customer "+slug)
	room := w.Chat("stranger", direct)
	w.BotIs("join", "stranger", room)
	w.Must("stranger", room, "project list")
	w.Must("mia", w.Direct("mia"), "remove "+w.ID("stranger")+" "+slug)
	asked := w.Person("stranger").Text(room, "human let me in again")
	w.BotIs("leave", "stranger", w.Chat("stranger", direct))
	// That came after it, so it was not answered.
	if _, answered := w.Person("stranger").Saw(lab.From(w.Bot()), lab.Answering(asked)); answered {
		t.Error("a person who is in no project any more gets answers")
	}
}

// What was said before the bot was invited was said to somebody else.
func TestBeforeTheBot(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, beforeTheBot) }

func beforeTheBot(t *testing.T, w *lab.World) {
	room := w.Chat("carl", map[string]any{"is_direct": true})
	carl := w.Person("carl")
	before := carl.Text(room, "help")
	if r := carl.Invite(room, w.Bot()); !r.OK() {
		t.Fatal(r)
	}
	between := carl.Text(room, "version") // it may read this one
	w.BotIs("join", "carl", room)
	w.Must("carl", room, "ping")
	if _, answered := carl.Saw(lab.From(w.Bot()), lab.Answering(before)); answered {
		t.Error("a message from before the invitation is answered")
	}
	if _, answered := carl.Saw(lab.From(w.Bot()), lab.Answering(between)); !answered {
		t.Error("a message from after the invitation is not answered")
	}
}

// Any room with the bot and one person is a direct chat: the older ones too. What the bot has to say comes where they wrote last.
func TestSeveralDirectChats(t *testing.T) {
	labtest.OnSynapse(t, lab.WorldOptions{}, severalDirectChats)
}

func severalDirectChats(t *testing.T, w *lab.World) {
	first := w.Direct("cleo")
	w.Must("cleo", first, "ping")
	invite := []string{w.Bot()}
	second := w.Chat("cleo", map[string]any{"is_direct": true, "invite": invite})
	w.BotIs("join", "cleo", second)
	plain := w.Chat("cleo", map[string]any{"invite": invite}) // not said to be direct
	w.BotIs("join", "cleo", plain)
	for _, room := range []string{plain, second, first, plain, first} {
		if r := w.Must("cleo", room, "ping"); r.Answer.Room != room {
			t.Errorf("answered in %s, not in %s", r.Answer.Room, room)
		}
	}
}

// A third person ends a direct chat; when they are gone it is one again.
func TestThirdPerson(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, thirdPerson) }

func thirdPerson(t *testing.T, w *lab.World) {
	room := w.Chat("abe", map[string]any{"is_direct": true, "invite": []string{w.Bot()}})
	w.BotIs("join", "abe", room)
	w.Must("abe", room, "ping")
	abe, eve := w.Person("abe"), w.Person("eve")
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
	w.Must("abe", room, "ping")
	for _, event := range asked {
		if _, answered := abe.Saw(lab.From(w.Bot()), func(e lab.Event) bool { return e.Thread() == event || e.ReplyTo() == event }); answered {
			t.Error("the bot answers among three")
		}
	}
}

// In an encrypted room the bot says once, unencrypted, that it cannot read there, and goes on elsewhere.
func TestEncryptedDirect(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, encryptedDirect) }

func encryptedDirect(t *testing.T, w *lab.World) {
	room := w.Chat("xavi", map[string]any{
		"is_direct": true, "invite": []string{w.Bot()},
		"initial_state": []map[string]any{{"type": "m.room.encryption", "state_key": "", "content": map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}}},
	})
	xavi := w.Person("xavi")
	xavi.Wait("that it cannot read there", lab.In(room), lab.From(w.Bot()), lab.OfType("m.room.message"), lab.Says("encrypted"))
	hello := xavi.Wait("a word in another room", lab.NotIn(room), lab.From(w.Bot()), lab.Says("I can read this chat"))
	xavi.Send(room, "m.room.encrypted", map[string]any{"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "AAAA", "session_id": "x", "sender_key": "y", "device_id": "z"})
	xavi.Text(room, "ping")
	w.Must("xavi", hello.Room, "ping")
	if n := len(xavi.Events(lab.In(room), lab.From(w.Bot()), lab.OfType("m.room.message"))); n != 1 {
		t.Errorf("the bot said %d things in the encrypted room", n)
	}
	// An older direct chat that is encrypted later ends, too.
	late := w.Chat("xavi", map[string]any{"is_direct": true, "invite": []string{w.Bot()}})
	w.BotIs("join", "xavi", late)
	w.Must("xavi", late, "ping")
	if r := xavi.PutState(late, "m.room.encryption", "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2"}); !r.OK() {
		t.Fatal(r)
	}
	xavi.Wait("that it cannot read there", lab.In(late), lab.From(w.Bot()), lab.Says("encrypted"))
}

// Rooms that only look like direct chats get nothing that is for one person alone: they can be read by others, or come from somebody
// who may come back. TRUST-15.
func TestNotDirect(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, notDirect) }

func notDirect(t *testing.T, w *lab.World) {
	cleo, eve, direct := w.Person("cleo"), w.Person("eve"), w.Direct("cleo")
	// R7, R14: what can be seen to be none is declined, what turns out to be none is left after a sentence.
	w.BotIs("leave", "cleo", w.Chat("cleo", map[string]any{"preset": "public_chat", "invite": []string{w.Bot()}}))
	w.BotIs("leave", "cleo", w.Chat("cleo", map[string]any{"creation_content": map[string]any{"type": "m.space"}, "invite": []string{w.Bot()}}))
	group := w.Chat("eve", map[string]any{"is_direct": true, "invite": []string{cleo.ID, w.Bot()}})
	cleo.WaitIn("eve's room", group)
	world := w.Chat("cleo", map[string]any{"invite": []string{w.Bot()}, "initial_state": []map[string]any{
		{"type": "m.room.history_visibility", "state_key": "", "content": map[string]any{"history_visibility": "world_readable"}},
	}})
	for _, room := range []string{group, world} {
		cleo.Wait("why the bot leaves", lab.In(room), lab.From(w.Bot()), lab.Says("one person at a time"))
		w.BotIs("leave", "cleo", room)
	}
	if r := eve.Leave(group); !r.OK() {
		t.Fatal(r)
	}
	opened := w.Chat("cleo", map[string]any{"invite": []string{w.Bot()}})
	w.BotIs("join", "cleo", opened)
	w.Must("cleo", opened, "ping")
	if r := cleo.PutState(opened, "m.room.join_rules", "", map[string]any{"join_rule": "public"}); !r.OK() {
		t.Fatal(r)
	}
	var asked []string
	for _, room := range []string{group, world, opened} {
		asked = append(asked, cleo.Text(room, "project list"))
	}
	if r := cleo.PutState(opened, "m.room.join_rules", "", map[string]any{"join_rule": "invite"}); !r.OK() {
		t.Fatal(r)
	}
	w.Must("cleo", opened, "ping")
	w.Must("cleo", direct, "ping")
	for _, event := range asked {
		if _, answered := cleo.Saw(lab.From(w.Bot()), lab.Answering(event)); answered {
			t.Error("the bot answers where others can read")
		}
	}
}
