package lanes_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// The lanes of an archived project can be read, and only staff can write; restoring undoes it. LANE-12.
func TestArchive(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, archive) }

func archive(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert()
	customer, carl, xena, mia := rooms["customer"], w.Person("carl"), w.Person("xena"), w.Person("mia")
	w.Must("mia", rooms["internal"], "!lane approve "+w.ID("xena"))
	xena.WaitIn("the customer lane", customer)
	text := map[string]any{"msgtype": "m.text", "body": "still there?"}

	question := w.Must("carl", customer, "!lane human When do we go live?")
	mia.InThread(customer, question.Command, "In May, says the plan.")
	w.Person("root").Wait("the manager's answer in the card's thread", lab.In(w.SuperAdmin()), lab.Says("In May, says the plan."))

	r := w.Must("mia", w.Direct("mia"), "project archive "+slug)
	carl.Wait("the end of his lane", lab.In(customer), lab.Says("has archived"))
	xena.Wait("the end of hers", lab.In(rooms["internal"]), lab.Says("has archived"))
	carl.Wait("what becomes of his question", lab.In(customer), lab.InThread(question.Command), lab.Says("was archived"))
	lab.Has(t, r, "project")
	if r.Object("project")["status"] != "archived" {
		t.Errorf("archive: %s", r)
	}
	lab.Is(t, w.Must("mia", w.Direct("mia"), "project archive "+slug), "changed", false)
	for who, refused := range map[*lab.Client]bool{carl: true, xena: true, mia: false} {
		if got := who.TrySend(customer, "m.room.message", text); got.Refused() != refused {
			t.Errorf("%s writes in an archived customer lane: %s", who.Name, got)
		}
	}
	if got := xena.TrySend(rooms["internal"], "m.room.message", text); !got.Refused() {
		t.Errorf("xena writes in an archived internal lane: %s", got)
	}
	if got := carl.Do("GET", "/rooms/"+customer+"/messages?dir=b&limit=5", nil); !got.OK() {
		t.Errorf("carl reads in an archived lane: %s", got)
	}
	if status := w.Bridge.AsBot().State(rooms["space"], "lanekeeper.project", "").Field("status"); status != "archived" {
		t.Errorf("the Space says %q", status)
	}
	w.Refuse("conflict", "mia", w.Direct("mia"), "approve "+w.ID("xena")+" full --project "+slug)
	lab.Is(t, w.Must("mia", w.Direct("mia"), "project restore "+slug), "changed", true)
	for _, who := range []*lab.Client{carl, xena, mia} {
		if got := who.TrySend(customer, "m.room.message", text); !got.OK() {
			t.Errorf("%s writes in a restored lane: %s", who.Name, got)
		}
	}
}

// Profile managed: experts are with the customer from the start, nothing is granted, account managers come with the tier enterprise,
// newcomers read the whole history. LANE-04, LANE-10, LANE-16, LANE-17.
func TestManaged(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, managed) }

func managed(t *testing.T, w *lab.World) {
	people := fmt.Sprintf("--manager %s --customer %s --expert %s --expert %s --account_manager %s", w.ID("mia"), w.ID("carl"), w.ID("xena"), w.ID("xavi"), w.ID("abe"))
	rooms := w.Must("root", w.Direct("root"), "project create plain \"Plain\" --profile managed "+people).Rooms()
	if len(rooms) != 3 || rooms["internal"] != "" {
		t.Fatalf("the rooms of managed are %v", rooms)
	}
	for _, name := range []string{"carl", "xena", "xavi", "mia"} {
		w.Person(name).WaitIn("the customer lane", rooms["customer"])
	}
	w.Out("the customer lane of a small customer", rooms["customer"], "abe")
	for _, name := range []string{"abe", "xena", "carl"} {
		w.Out("the notes lane", rooms["notes"], name)
		w.Out("the Space", rooms["space"], name)
	}
	bot := w.Bridge.AsBot()
	if got := bot.State(rooms["customer"], "m.room.history_visibility", "").Field("history_visibility"); got != "shared" {
		t.Errorf("the customer lane's history is %q", got)
	}
	if level := bot.Level(rooms["customer"], w.ID("xena")); level != 20 {
		t.Errorf("xena's level is %d", level)
	}
	w.Refuse("not_found", "mia", w.Direct("mia"), "approve "+w.ID("xena")+" --project plain")
	w.Refuse("conflict", "xena", w.Direct("xena"), "request --project plain")
	w.Refuse("not_found", "xena", w.Direct("xena"), "request internal --project plain")

	large := w.Must("root", w.Direct("root"), "project create large \"Large\" --profile managed --tier enterprise "+people).Rooms()
	w.Person("abe").WaitIn("the customer lane of a large customer", large["customer"])
	w.Out("the notes lane", large["notes"], "abe")
	first := w.Person("carl").Text(large["customer"], "said before cleo came")
	w.Must("mia", w.Direct("mia"), "add "+w.ID("cleo")+" stakeholder large")
	w.Person("cleo").WaitIn("the customer lane", large["customer"])
	if got := w.Person("cleo").Do("GET", "/rooms/"+large["customer"]+"/event/"+first, nil); !got.OK() {
		t.Errorf("a newcomer in managed cannot read what was said before: %s", got)
	}
}

// Profile open: one room, in which everybody has everything, and no Space. LANE-10, TRUST-12.
func TestOpen(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, open) }

func open(t *testing.T, w *lab.World) {
	r := w.Must("root", w.Direct("root"), fmt.Sprintf("project create wide \"Wide\" --profile open --manager %s --customer %s --expert %s", w.ID("mia"), w.ID("carl"), w.ID("xena")))
	rooms := r.Rooms()
	if len(rooms) != 1 || rooms["customer"] == "" {
		t.Fatalf("the rooms of open are %v", rooms)
	}
	for name, level := range map[string]int{"carl": 20, "xena": 20, "mia": 50} {
		w.Person(name).WaitIn("the room", rooms["customer"])
		if got := w.Bridge.AsBot().Level(rooms["customer"], w.ID(name)); got != level {
			t.Errorf("%s's level is %d, not %d", name, got, level)
		}
	}
	before := w.Person("carl").Text(rooms["customer"], "said before xavi came")
	lab.Is(t, w.Must("mia", w.Direct("mia"), "accept "+w.ID("xavi")+" wide"), "access", map[string]any{"customer": "full"})
	w.Person("xavi").WaitIn("the room", rooms["customer"])
	if got := w.Person("xavi").Do("GET", "/rooms/"+rooms["customer"]+"/event/"+before, nil); got.OK() {
		t.Errorf("a newcomer in open reads what was said before: %s", got)
	}
	w.Out("a room of participants", rooms["customer"], "root")
	w.Refuse("not_found", "mia", w.Direct("mia"), "approve "+w.ID("xena")+" --project wide")
}

// vandalise changes by hand whatever can be changed, with the bot's own power, and gives what shows that all is well again.
func vandalise(t *testing.T, w *lab.World, rooms map[string]string) (healed map[string]func() bool) {
	t.Helper()
	bot, since := w.Bridge.AsBot(), time.Now().UnixMilli()
	levels := bot.State(rooms["customer"], "m.room.power_levels", "").Body
	raised := map[string]any{}
	for key, value := range levels {
		raised[key] = value
	}
	users, _ := levels["users"].(map[string]any)
	raised["users"] = map[string]any{w.ID("carl"): 75, w.ID("eve"): 60}
	if bot := users[w.Bot()]; bot != nil {
		raised["users"].(map[string]any)[w.Bot()] = bot
	}
	raised["users_default"], raised["invite"] = 20, 0
	must := func(r lab.Response) {
		t.Helper()
		if !r.OK() {
			t.Fatalf("the vandal is stopped: %s", r)
		}
	}
	must(bot.PutState(rooms["customer"], "m.room.power_levels", "", raised))
	must(bot.PutState(rooms["customer"], "m.room.join_rules", "", map[string]any{"join_rule": "public"}))
	must(bot.PutState(rooms["customer"], "m.room.guest_access", "", map[string]any{"guest_access": "can_join"}))
	must(bot.PutState(rooms["internal"], "m.room.history_visibility", "", map[string]any{"history_visibility": "world_readable"}))
	must(bot.PutState(rooms["internal"], "m.room.name", "", map[string]any{"name": "Our chat"}))
	must(bot.PutState(rooms["internal"], "lanekeeper.lane", "", map[string]any{"kind": "customer"}))
	must(bot.PutState(rooms["space"], "m.space.child", rooms["notes"], map[string]any{}))
	must(bot.PutState(rooms["space"], "m.space.child", "!elsewhere:"+lab.Domain, map[string]any{"via": []string{lab.Domain}}))
	must(bot.PutState(rooms["notes"], "m.space.parent", rooms["space"], map[string]any{"via": []string{lab.Domain}}))
	must(bot.Invite(rooms["internal"], w.ID("eve")))
	must(bot.Kick(rooms["notes"], w.ID("mia")))
	must(bot.Do("POST", "/rooms/"+rooms["customer"]+"/ban", map[string]any{"user_id": w.ID("carl")}))

	back := func(name, room string) func() bool {
		return func() bool {
			return len(w.Person(name).Events(lab.In(room), lab.OfType("m.room.member"), func(e lab.Event) bool {
				return *e.StateKey == w.ID(name) && e.Content["membership"] == "join" && e.Time >= since
			})) > 0 && w.Membership(room, name) == "join"
		}
	}
	field := func(room, typ, field, want string) func() bool {
		return func() bool { return bot.State(rooms[room], typ, "").Field(field) == want }
	}
	return map[string]func() bool{
		"carl is back":             back("carl", rooms["customer"]),
		"mia is back":              back("mia", rooms["notes"]),
		"join rule":                field("customer", "m.room.join_rules", "join_rule", "invite"),
		"guests":                   field("customer", "m.room.guest_access", "guest_access", "forbidden"),
		"history":                  field("internal", "m.room.history_visibility", "history_visibility", "invited"),
		"name":                     field("internal", "m.room.name", "name", "Internal · Our chat"),
		"mark":                     field("internal", "lanekeeper.lane", "kind", "internal"),
		"the notes lane is linked": func() bool { return bot.State(rooms["space"], "m.space.child", rooms["notes"]).Body["via"] != nil },
		"nothing foreign is linked": func() bool {
			return len(bot.State(rooms["space"], "m.space.child", "!elsewhere:"+lab.Domain).Body) == 0
		},
		"no lane names its Space": func() bool { return len(bot.State(rooms["notes"], "m.space.parent", rooms["space"]).Body) == 0 },
		"eve is out":              func() bool { m := w.Membership(rooms["internal"], "eve"); return m == "leave" },
		"levels": func() bool {
			return bot.Level(rooms["customer"], w.ID("carl")) == 20 && bot.Level(rooms["customer"], w.ID("eve")) == 0 && bot.State(rooms["customer"], "m.room.power_levels", "").Body["invite"] == float64(100)
		},
	}
}

// Whatever somebody changes by hand is put right as soon as it is seen, and said among staff once. LANE-02, LANE-09, LANE-15.
func TestDrift(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, drift) }

func drift(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	for what, well := range vandalise(t, w, rooms) {
		w.Eventually("mia", what, well)
	}
	w.Person("mia").Wait("that somebody changed by hand", lab.In(rooms["notes"]), lab.From(w.Bot()), lab.Says("by hand"))
	w.Settled(slug, "after drift")
	for _, room := range []string{rooms["customer"], rooms["internal"]} {
		if _, seen := w.Person("mia").Saw(lab.In(room), lab.Says("by hand")); seen {
			t.Error("drift is told where others read")
		}
	}
	// A name that begins with the lane's word is anybody's to give who has the right.
	if r := w.Person("mia").PutState(rooms["customer"], "m.room.name", "", map[string]any{"name": "Customer · Acme relaunch"}); !r.OK() {
		t.Errorf("the manager renames: %s", r)
	}
	w.Must("mia", rooms["notes"], "!lane apply")
	if name := w.Bridge.AsBot().State(rooms["customer"], "m.room.name", "").Field("name"); name != "Customer · Acme relaunch" {
		t.Errorf("the name is %q", name)
	}
}

// So is what was changed while the bridge was down; what was said then is answered, and what ended then has ended. LANE-02, LANE-09,
// LANE-12.
func TestDriftWhileDown(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, driftWhileDown) }

func driftWhileDown(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject("--expert " + w.ID("xena"))
	w.Must("mia", rooms["internal"], "!lane approve "+w.ID("xena")+" --for 1s")
	late := w.Person("mia").Text(rooms["internal"], "!lane who")
	w.Bridge.Stop()
	healed := vandalise(t, w, rooms)
	while := w.Person("mia").Text(rooms["internal"], "!lane add "+w.ID("cleo")+" customer")
	w.Bridge.Start()
	for _, command := range []string{late, while} {
		if r := w.ResultOf("mia", command); !r.OK {
			t.Errorf("a command from when the bridge was down: %s", r)
		}
	}
	w.Person("cleo").WaitIn("the customer lane", rooms["customer"])
	w.Eventually("mia", "xena's time is over", func() bool { m := w.Membership(rooms["customer"], "xena"); return m == "leave" })
	for what, well := range healed {
		w.Eventually("mia", what, well)
	}
	w.Settled(slug, "after drift while the bridge was down")
}

// TestRaised: in room versions below 12 nobody can lower somebody at the bot's own level. Plan names it, the super-admin room is
// told once, and everything else goes on. LANE-08, LANE-09.
func TestRaised(t *testing.T) {
	for _, version := range []string{"10", "11"} {
		t.Run("version "+version, func(t *testing.T) {
			t.Parallel()
			w := lab.NewWorld(t, lab.WorldOptions{
				Shared: true,
				People: []string{"root", "mia", "carl", "xena", "eve"},
				Bridge: lab.BridgeOptions{Extra: "rooms: {version: \"" + version + "\"}\n"},
			})
			slug, rooms := w.NewProject()
			bot := w.Bridge.AsBot()
			if got := bot.State(rooms["customer"], "m.room.create", "").Field("room_version"); got != version {
				t.Fatalf("the room version is %q", got)
			}
			levels := bot.State(rooms["internal"], "m.room.power_levels", "").Body
			users, _ := levels["users"].(map[string]any)
			users[w.ID("mia")] = 100
			if r := bot.PutState(rooms["internal"], "m.room.power_levels", "", levels); !r.OK() {
				t.Fatal(r)
			}
			root := w.Person("root")
			notice := root.Wait("that it cannot be undone", lab.In(w.SuperAdmin()), lab.From(w.Bot()), lab.Says("nobody can"))
			if !strings.Contains(string(notice.Raw), w.ID("mia")) {
				t.Errorf("whom it is about is not said: %s", notice.Body())
			}
			out, code := w.Bridge.Plan(slug, "--json")
			if code != 2 || !strings.Contains(out, "impossible") || !strings.Contains(out, w.ID("mia")) {
				t.Errorf("plan ends with %d: %s", code, out)
			}
			// Everything else goes on, and she is told nothing new about it.
			w.Must("mia", rooms["notes"], "!lane accept "+w.ID("xena"))
			w.Person("xena").WaitIn("the internal lane", rooms["internal"])
			steps, _ := w.Must("root", w.Direct("root"), "plan "+slug).Fields["steps"].([]any)
			if len(steps) != 1 || steps[0].(map[string]any)["op"] != "impossible" {
				t.Errorf("plan: %v", steps)
			}
			w.Must("root", w.Direct("root"), "apply "+slug)
			w.Bridge.Restart()
			w.Must("root", w.Direct("root"), "apply "+slug)
			if n := len(root.Events(lab.In(w.SuperAdmin()), lab.Says("nobody can"), lab.NotEdit)); n != 1 {
				t.Errorf("the super-admin room was told %d times", n)
			}
			w.CheckAnswers()
		})
	}
}
