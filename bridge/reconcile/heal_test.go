package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"testing"

	"lanekeeper/bridge/lab"
)

// The whole program: rooms that somebody with the bot's token changes at random heal
// by themselves, people come back, and staff reads of it in the notes lane.
// (LANE-02, LANE-09, LANE-15)
func TestRoomsHealByThemselves(t *testing.T) {
	if testing.Short() {
		t.Skip("many rounds")
	}
	for _, kind := range []lab.Kind{lab.KindDendrite, lab.KindSynapse} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := lab.NewWorld(t, lab.WorldOptions{Server: kind, People: []string{"root", "mia", "carl", "eve"}})
			rooms := w.Project("acme")
			w.CheckSettled("new")
			v := &vandal{t: t, w: w, bot: w.Bridge.AsBot(), rooms: rooms, luck: rand.New(rand.NewPCG(7, 11))}
			for round := range 5 {
				v.strike()
				v.healed(fmt.Sprintf("round %d", round))
			}
			w.Person("mia").Wait("word of the drift", lab.In(rooms["notes"]), lab.From(w.Bot()), lab.Says("by hand; I changed it back"))
			if _, saw := w.Person("carl").Saw(lab.Says("by hand; I changed it back")); saw {
				t.Error("the customer reads of the drift")
			}
		})
	}
}

// vandal has the bot's token.
type vandal struct {
	t     *testing.T
	w     *lab.World
	bot   *lab.Client
	rooms map[string]string
	luck  *rand.Rand
}

// strike does one to four things that are undone.
func (v *vandal) strike() {
	v.t.Helper()
	for range 1 + v.luck.IntN(4) {
		room := v.rooms[[]string{"customer", "internal", "notes", "space"}[v.luck.IntN(4)]]
		who := v.w.ID([]string{"mia", "carl"}[v.luck.IntN(2)])
		member := func(verb, user string) lab.Response {
			return v.bot.Do(http.MethodPost, "/rooms/"+url.PathEscape(room)+"/"+verb, map[string]any{"user_id": user})
		}
		switch v.luck.IntN(8) {
		case 0:
			member("kick", who) // 403 where they are not
		case 1:
			member("ban", who)
		case 2:
			member("invite", v.w.ID("eve"))
		case 3:
			v.bot.PutState(room, "m.room.join_rules", "", map[string]any{"join_rule": "public"})
		case 4:
			v.bot.PutState(room, "m.room.history_visibility", "", map[string]any{"history_visibility": "world_readable"})
		case 5:
			v.bot.PutState(room, "m.room.name", "", map[string]any{"name": fmt.Sprint("Name ", v.luck.Int())})
		case 6:
			v.bot.PutState(v.rooms["space"], "m.space.child", v.rooms["customer"], map[string]any{})
		case 7:
			levels := v.bot.State(room, "m.room.power_levels", "").Body
			levels["invite"], levels["events_default"] = 0, 0
			v.bot.PutState(room, "m.room.power_levels", "", levels)
		}
	}
}

// healed waits until everything is as it was.
func (v *vandal) healed(when string) {
	v.t.Helper()
	// What is planned may be under way: each plan is a whole process, so some of
	// them are time enough.
	out, code := "", 2
	for range 40 {
		if out, code = v.w.Bridge.Plan(); code == 0 {
			break
		}
	}
	if code != 0 {
		v.t.Fatalf("%s: plan ends with %d:\n%s", when, code, out)
	}
	for kind, room := range v.rooms {
		v.w.Person("mia").WaitIn(kind, room)
	}
	v.w.Person("carl").WaitIn("customer", v.rooms["customer"])
	v.w.Out("the customer lane", v.rooms["customer"], "eve")
}
