package lanes_test

import (
	"testing"

	"lanekeeper/bridge/lab"
)

// Lanes work the same in every room version that clients meet today, whichever gives the bot its power: LANE-08.
func TestRoomVersions(t *testing.T) {
	if testing.Short() {
		t.Skip("room version 12 is what the other tests use")
	}
	for _, version := range []string{"10", "11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			w := lab.NewWorld(t, lab.WorldOptions{
				Shared: true,
				Server: lab.KindSynapse,
				Bridge: lab.BridgeOptions{Extra: "rooms: {version: \"" + version + "\"}\n"},
				People: []string{"root", "mia", "carl", "xena"},
			})
			rooms := w.Project("acme")
			bot := w.Bridge.AsBot()
			for kind, room := range rooms {
				if got := bot.State(room, "m.room.create", "").Field("room_version"); got != version {
					t.Errorf("the %s room has version %q", kind, got)
				}
				if level := bot.Level(room, w.Bot()); level != 100 {
					t.Errorf("the bot's level in %s is %d", kind, level)
				}
			}
			w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
			w.Must("mia", rooms["internal"], "!lane approve "+w.ID("xena")+" full for the drafts")
			w.Person("xena").WaitIn("the customer lane", rooms["customer"])
			if level := bot.Level(rooms["customer"], w.ID("xena")); level != 20 {
				t.Errorf("xena's level is %d, not 20 (full)", level)
			}
			if r := w.Person("mia").Kick(rooms["customer"], w.ID("carl")); !r.Refused() {
				t.Errorf("the manager kicks: %s", r)
			}
			w.Must("mia", rooms["internal"], "!lane revoke "+w.ID("xena"))
			w.Person("xena").WaitOut("the customer lane", rooms["customer"])
			w.CheckAnswers()
			w.CheckSettled("in the end")
		})
	}
}
