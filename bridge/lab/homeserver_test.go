package lab_test

import (
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// A server keeps what it stored over a clean stop and over kill -9, and clients go on syncing.
func TestServers(t *testing.T) {
	labtest.EachServer(t, lab.Options{}, func(t *testing.T, hs *lab.Homeserver) {
		ann, ben := hs.Register("ann"), hs.Register("ben")
		ben.AutoJoin = true
		ann.Sync()
		ben.Sync()
		room := ann.CreateRoom(map[string]any{"room_version": "10", "preset": "private_chat", "name": "Two"})
		if r := ann.Invite(room, ben.ID); !r.OK() {
			t.Fatal(r)
		}
		ben.WaitIn("the room", room)

		first := ann.Text(room, "before")
		ben.Wait("the first message", lab.ID(first), lab.Says("before"))
		hs.Restart()
		second := ann.Text(room, "after a restart")
		ben.Wait("the second message", lab.ID(second))
		hs.Kill9()
		if hs.Running() {
			t.Fatal("it runs after kill -9")
		}
		hs.Start()
		third := ann.Text(room, "after kill -9")
		ben.Wait("the third message", lab.ID(third))
		if got := len(ben.Events(lab.From(ann.ID), lab.OfType("m.room.message"))); got != 3 {
			t.Errorf("ben saw %d messages, not 3", got)
		}
		if !strings.Contains(ben.Heard(), "after a restart") || strings.Contains(ben.Heard(), "never said") {
			t.Error("Heard is not what ben read")
		}
	})
}

// What a person can do with a Client, as the other one sees it.
func TestClient(t *testing.T) {
	labtest.EachServer(t, lab.Options{RoomVersion: "11"}, func(t *testing.T, hs *lab.Homeserver) {
		ann, ben, eve := hs.Register("ann"), hs.Register("ben"), hs.Register("eve")
		ben.AutoJoin = true
		ann.Sync()
		ben.Sync()
		eve.Sync()
		// With the history that the preset gives, Synapse shows the room to whoever declines.
		joined := []map[string]any{{"type": "m.room.history_visibility", "state_key": "", "content": map[string]any{"history_visibility": "joined"}}}
		room := ann.CreateRoom(map[string]any{"room_version": "11", "preset": "private_chat", "invite": []string{ben.ID, eve.ID}, "initial_state": joined})
		ben.WaitIn("the room", room)
		eve.WaitInvited("the room", room)

		question := ben.Text(room, "Which logo?")
		answer := ann.InThread(room, question, "The red one")
		ann.React(room, question, "👍️")
		ann.Edit(room, answer, "The blue one")
		ben.Wait("the answer in the thread", lab.InThread(question), lab.Says("red"))
		ben.Wait("the edit", lab.Says("The blue one"), func(e lab.Event) bool { return e.Replaces() == answer })
		ben.Wait("the reaction", lab.Reacts(question, "👍"))
		ann.Redact(room, answer)
		ben.Wait("the redaction", lab.OfType("m.room.redaction"), func(e lab.Event) bool {
			return e.Redacts == answer || e.Content["redacts"] == answer
		})

		if r := ben.PutState(room, "m.room.name", "", map[string]any{"name": "Mine"}); !r.Refused() {
			t.Errorf("ben renames the room: %s", r)
		}
		if r := ann.PutState(room, "m.room.name", "", map[string]any{"name": "Ours"}); !r.OK() {
			t.Errorf("ann cannot rename the room: %s", r)
		}
		if got := ben.State(room, "m.room.name", "").Field("name"); got != "Ours" {
			t.Errorf("the room is called %q", got)
		}
		if got := ann.Level(room, ann.ID); got != 100 {
			t.Errorf("ann's level is %d", got)
		}
		if m := ann.Members(room); m[ben.ID] != "join" || m[eve.ID] != "invite" {
			t.Errorf("members: %v", m)
		}
		if uri, r := ben.Upload("logo.txt", "text/plain", []byte("logo")); !strings.HasPrefix(uri, "mxc://") {
			t.Errorf("upload: %s", r)
		}
		if r := ann.Kick(room, ben.ID); !r.OK() {
			t.Errorf("kick: %s", r)
		}
		ben.WaitOut("the room", room)
		if r := eve.Leave(room); !r.OK() {
			t.Errorf("eve cannot decline: %s", r)
		}
		if strings.Contains(eve.Heard(), "Which logo?") {
			t.Error("eve read a room that she was not in")
		}
	})
}

// Synapse also runs on a database of its own on PostgreSQL.
func TestSynapseOnPostgres(t *testing.T) {
	hs := lab.Synapse(t, lab.Options{Postgres: true})
	ann := hs.Register("ann")
	room := ann.CreateRoom(map[string]any{"room_version": "12"})
	said := ann.Text(room, "stored")
	hs.Kill9()
	hs.Start()
	ann.Sync()
	ann.Wait("what was said before kill -9", lab.ID(said))
}
