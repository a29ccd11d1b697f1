package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/bridgetest"
)

// The fields of every command's result, in lanes, direct chats and the super-admin room.
// LANE-01, LANE-08, LANE-11, LANE-12, LANE-15, LANE-18, LANE-19, HAND-10.
func (g *ground) results(t *testing.T) {
	root, mia, xena := g.Direct("root"), g.Direct("mia"), g.ID("xena")
	command := fmt.Sprintf("project create table %q --profile agency --tier gold --manager %s --customer %s", "The table", g.ID("mia"), g.ID("carl"))
	made := g.Must("root", root, command)
	has(t, made, "project", "rooms")
	rooms := made.Rooms()
	for field, want := range map[string]string{"slug": "table", "name": "The table", "profile": "agency", "tier": "gold", "status": "active"} {
		if made.Object("project")[field] != want {
			t.Errorf("project create: %s is %v", field, made.Object("project")[field])
		}
	}
	if len(made.Object("project")) != 6 || made.Object("project")["id"] == "" || len(rooms) != 4 {
		t.Errorf("project create: %s", made)
	}
	is(t, g.Must("root", root, command), "changed", false)
	g.Person("mia").WaitIn("the internal lane", rooms["internal"])

	has(t, g.Must("mia", mia, "project list"), "projects")
	show := g.Must("mia", mia, "!lane project show table")
	has(t, show, "project", "people", "rooms")
	if fmt.Sprint(show.Rooms()) != fmt.Sprint(rooms) {
		t.Errorf("project show: the rooms are %v", show.Rooms())
	}
	has(t, g.Must("root", g.SuperAdmin(), "project show table"), "project", "people", "rooms")

	internal := rooms["internal"]
	accepted := g.Must("mia", internal, "!lane accept "+xena)
	has(t, accepted, "person", "access")
	is(t, accepted, "person", xena)
	is(t, accepted, "access", map[string]any{"customer": "none", "internal": "full"})
	is(t, g.Must("mia", internal, "!lane accept "+xena), "changed", false)
	added := g.Must("mia", mia, "add "+g.ID("xavi")+" editor table")
	is(t, added, "access", map[string]any{"customer": "none", "internal": "full", "notes": "none"})
	is(t, g.Must("mia", mia, "add "+g.ID("xavi")+" editor --project table"), "changed", false)
	g.Person("xena").WaitIn("the internal lane", internal)

	asked := g.Must("xena", internal, "!lane request customer read to see the brief")
	if asked.Number("request") < 1 {
		t.Errorf("request: %s", asked)
	}
	again := g.Must("xena", internal, "!lane request customer read")
	is(t, again, "changed", false)
	is(t, again, "request", asked.Number("request"))
	for room, person := range map[string]string{mia: "mia", rooms["notes"]: "mia", g.SuperAdmin(): "root"} {
		prefix := map[bool]string{true: "!lane ", false: ""}[room == rooms["notes"]]
		list, _ := g.Must(person, room, prefix+"requests --project table").Fields["requests"].([]any)
		if len(list) != 1 || !strings.Contains(fmt.Sprint(list), "to see the brief") {
			t.Errorf("requests: %v", list)
		}
	}
	g.grants(t, rooms, asked.Number("request"))

	who := g.Must("carl", rooms["customer"], "!lane who")
	if s := fmt.Sprint(who.Fields["people"]); !strings.Contains(s, g.ID("carl")) || strings.Contains(s, "internal") || strings.Contains(s, xena) {
		t.Errorf("who in the customer lane: %s", who)
	}
	for _, p := range who.Fields["people"].([]any) {
		if person := p.(map[string]any); person["user"] == nil || person["role"] == nil || person["access"] == nil || person["membership"] == nil {
			t.Errorf("who: %v", person)
		}
	}
	has(t, g.Must("mia", mia, "why "+xena+" --project table"), "person", "lane", "because")
	has(t, g.Must("mia", mia, "plan table"), "steps")
	is(t, g.Must("mia", mia, "apply table"), "steps", []any{})
	has(t, g.Must("carl", rooms["customer"], "!lane help"))
	has(t, g.Must("carl", rooms["customer"], "!lane version"), "version")
	has(t, g.Must("carl", rooms["customer"], "!lane ping"), "ms")
	g.handoffResults(t, rooms["customer"])
	removed := g.Must("mia", internal, "!lane remove "+xena)
	is(t, removed, "person", xena)
	is(t, g.Must("mia", internal, "!lane remove "+xena), "changed", false)
	is(t, g.Must("mia", mia, "remove "+g.ID("xavi")+" --project table"), "access", map[string]any{"customer": "none", "internal": "none", "notes": "none"})
}

// grants decides in every way.
func (g *ground) grants(t *testing.T, rooms map[string]string, asked int) {
	internal, xena := rooms["internal"], g.ID("xena")
	before := time.Now()
	approved := g.Must("mia", internal, fmt.Sprintf("!lane approve #%d --for 4h for the brief", asked))
	has(t, approved, "person", "lane", "access", "until")
	is(t, approved, "person", xena)
	is(t, approved, "lane", "customer")
	is(t, approved, "access", "read") // the rung requested
	s, _ := approved.Fields["until"].(string)
	until, err := time.Parse(time.RFC3339, s)
	if err != nil || !strings.HasSuffix(s, "Z") || until.Sub(before) < 4*time.Hour-time.Minute || until.Sub(before) > 4*time.Hour+time.Minute {
		t.Errorf("approve: until is %q", s)
	}
	whole := g.Must("root", g.SuperAdmin(), "approve "+xena+" customer full --project table")
	is(t, whole, "access", "full")
	is(t, whole, "until", nil)
	is(t, g.Must("mia", internal, "!lane approve "+xena+" customer full"), "changed", false)
	g.Person("xena").WaitIn("the customer lane", rooms["customer"])
	revoked := g.Must("mia", internal, "!lane revoke "+xena+" customer thank you")
	has(t, revoked, "person", "lane", "access", "until")
	is(t, revoked, "access", "none")
	is(t, g.Must("mia", internal, "!lane revoke "+xena), "changed", false)
	g.Person("xena").WaitOut("the customer lane", rooms["customer"])
	n := g.Must("xena", g.Direct("xena"), "request --project table").Number("request")
	denied := g.Must("mia", g.Direct("mia"), fmt.Sprintf("deny %d not yet", n)) // its number says which project is meant
	has(t, denied, "person", "lane", "access", "until", "request")
	is(t, denied, "access", "none")
}

func (g *ground) handoffResults(t *testing.T, customer string) {
	asked := g.Must("carl", customer, "!lane human What does it cost?")
	has(t, asked, "handoff")
	n := asked.Number("handoff")
	list, _ := g.Must("root", g.SuperAdmin(), "handoffs").Fields["handoffs"].([]any)
	found := false
	for _, h := range list {
		m, _ := h.(map[string]any)
		found = found || m["number"] == float64(n) && m["asker"] == g.ID("carl") && m["state"] == "open" && m["owner"] == nil && m["project"] != nil
	}
	if !found {
		t.Errorf("handoffs: #%d is not in %v", n, list)
	}
	for _, step := range [][2]string{{"take", "taken"}, {"release", "open"}, {"take", "taken"}, {"close", "closed"}, {"reopen", "taken|open"}, {"close", "closed"}} {
		r := g.Must("root", g.SuperAdmin(), fmt.Sprintf("%s #%d", step[0], n))
		has(t, r, "handoff", "state", "owner")
		if state, _ := r.Fields["state"].(string); !strings.Contains(step[1], state) {
			t.Errorf("%s: the state is %q", step[0], state)
		}
	}
	is(t, g.Must("root", g.SuperAdmin(), fmt.Sprintf("close #%d", n)), "changed", false)
}

// Somebody without the right reads the same words whether a thing exists or not. LANE-09, LANE-18.
func (g *ground) nothingBetrayed(t *testing.T) {
	slug, rooms := g.project()
	g.Must("mia", rooms["internal"], "!lane accept "+g.ID("xena"))
	g.Person("xena").WaitIn("the internal lane", rooms["internal"])
	n := g.Must("xena", rooms["internal"], "!lane request").Number("request")
	h := g.Must("carl", rooms["customer"], "!lane human Is anybody there?").Number("handoff")

	eve := g.Direct("eve")
	pairs := [][2]string{
		{"project show " + slug, "project show nosuch"},
		{"who " + slug, "who nosuch"},
		{"why " + g.ID("xena") + " --project " + slug, "why " + g.ID("xena") + " --project nosuch"},
		{"requests --project " + slug, "requests --project nosuch"},
		{"request --project " + slug, "request --project nosuch"},
		{"add " + g.ID("eve") + " manager " + slug, "add " + g.ID("eve") + " manager nosuch"},
		{"remove " + g.ID("carl") + " " + slug, "remove " + g.ID("carl") + " nosuch"},
		{"accept " + g.ID("eve") + " " + slug, "accept " + g.ID("eve") + " nosuch"},
		{"approve " + g.ID("xena") + " --project " + slug, "approve " + g.ID("xena") + " --project nosuch"},
		{fmt.Sprintf("approve #%d", n), "approve #99999"},
		{fmt.Sprintf("deny #%d", n), "deny #99999"},
		{"revoke " + g.ID("xena") + " --project " + slug, "revoke " + g.ID("xena") + " --project nosuch"},
		{"plan " + slug, "plan nosuch"}, {"apply " + slug, "apply nosuch"},
		{"project archive " + slug, "project archive nosuch"}, {"project restore " + slug, "project restore nosuch"},
		{"project create " + slug + " \"Mine\"", "project create nosuch \"Mine\""},
		{fmt.Sprintf("take #%d", h), "take #99999"}, {fmt.Sprintf("release #%d", h), "release #99999"},
		{fmt.Sprintf("close #%d", h), "close #99999"}, {fmt.Sprintf("reopen #%d", h), "reopen #99999"},
		{"handoffs all", "handoffs all"},
	}
	var commands []string
	for _, pair := range pairs {
		commands = append(commands, pair[0], pair[1])
	}
	answers := g.DoAll("eve", eve, commands...)
	for i, pair := range pairs {
		there, not := answers[2*i], answers[2*i+1]
		if there.Code != "not_allowed" || not.Code != "not_allowed" || there.Text != not.Text || len(there.Fields) != len(not.Fields) {
			t.Errorf("%q and %q are told apart:\n%s\n%s", pair[0], pair[1], there, not)
		}
	}
	is(t, g.Must("eve", eve, "project list"), "projects", []any{})
	g.unheard(t, "eve", slug+" ·", rooms["customer"], rooms["internal"], rooms["notes"], rooms["space"])

	// Those who have some rights in it have no others, and none elsewhere.
	other, _ := g.project()
	for person, commands := range map[string][]string{
		"carl": {"request --project " + slug, "add " + g.ID("eve") + " customer " + slug, "approve " + g.ID("xena") + " --project " + slug, "accept " + g.ID("eve") + " --project " + slug,
			"plan " + slug, "project archive " + slug, "why " + g.ID("xena") + " internal --project " + slug, "why " + g.ID("carl") + " notes --project " + slug, "handoffs", fmt.Sprintf("take #%d", h)},
		"xena": {"accept " + g.ID("eve") + " --project " + slug, "approve " + g.ID("xavi") + " --project " + slug, "project show " + other, "who " + other,
			"why " + g.ID("mia") + " notes --project " + slug, "why " + g.ID("xena") + " notes --project " + slug, "why " + g.ID("carl") + " customer --project " + slug, fmt.Sprintf("close #%d", h)},
		"mia": {"project create mine \"Mine\"", "handoffs", fmt.Sprintf("take #%d", h), fmt.Sprintf("close #%d", h)},
	} {
		codes := map[string]string{}
		for _, c := range commands {
			codes[c] = "not_allowed"
		}
		g.refused(t, person, g.Direct(person), codes)
	}
	g.Must("mia", rooms["notes"], fmt.Sprintf("!lane deny #%d", n))
}

// In the customer lane every other command is taken away unseen, not executed, and answered in the direct chat alone. LANE-03,
// LANE-06, MSG-16.
func (g *ground) customerLane(t *testing.T) {
	_, rooms := g.project()
	mia, carl, customer := g.Person("mia"), g.Person("carl"), rooms["customer"]
	for _, command := range []string{
		"!lane approve " + g.ID("xena"), "!lane accept " + g.ID("xena"), "!lane add " + g.ID("eve") + " customer", "!lane plan", "!lane project archive",
		"!lane requests", "!lane frobnicate CANARY", "!LANE remove " + g.ID("carl"), "\u200f!lane\u200f deny #1", "!lane project list",
	} {
		event := mia.Text(customer, command)
		name := strings.Fields(strings.TrimLeft(command, "\u200f"))[1]
		name = strings.Trim(name, "\u200f")
		answer := mia.Wait("wrong_room for "+command, bridgetest.From(g.Bot()), bridgetest.NotIn(customer), func(e bridgetest.Event) bool {
			r := e.Object("lanekeeper.result")
			return r != nil && r["error"] == "wrong_room" && r["ok"] == false && strings.HasPrefix(fmt.Sprint(r["command"]), name)
		})
		if slices.Contains(g.lanes("mia"), answer.Room) {
			t.Errorf("%s is answered in a lane", command)
		}
		carl.Wait("that it is taken away", bridgetest.In(customer), bridgetest.OfType("m.room.redaction"), func(e bridgetest.Event) bool {
			redacts, _ := e.Content["redacts"].(string)
			return e.Redacts == event || redacts == event
		})
	}
	for _, command := range []string{"!lane who", "!lane help", "!lane ping", "!lane version"} {
		g.Must("carl", customer, command)
	}
	if r := g.Refuse("not_found", "mia", customer, "!lane help approve"); strings.Contains(r.Text, "approve") {
		t.Errorf("help in the customer lane speaks of approve: %s", r)
	}
	if help := g.Must("mia", customer, "!lane help"); strings.Contains(help.Text, "approve") || strings.Contains(help.Text, "project") {
		t.Errorf("help in the customer lane: %s", help)
	}
	if again := g.Must("root", g.Direct("root"), "project show "+fmt.Sprintf("p%d", g.made)); fmt.Sprint(again.Object("project")["status"]) != "active" {
		t.Errorf("a command in the customer lane was executed: %s", again)
	}
	g.Out("the customer lane", customer, "eve")
	if _, seen := carl.Saw(bridgetest.In(customer), bridgetest.From(g.Bot()), bridgetest.Says("wrong")); seen {
		t.Error("the customer lane hears of it")
	}
	g.unheard(t, "carl", "wrong_room")
}

// Deciding a decided thing is a conflict, and so is making a slug again with other arguments. LANE-12.
func (g *ground) conflicts(t *testing.T) {
	slug, rooms := g.project()
	internal := rooms["internal"]
	g.Refuse("conflict", "root", g.Direct("root"), fmt.Sprintf("project create %s %q --manager %s", slug, strings.ToUpper(slug), g.ID("mia")))
	g.Refuse("conflict", "mia", internal, "!lane accept "+g.ID("carl"))
	g.Must("mia", internal, "!lane accept "+g.ID("xena"))
	g.Person("xena").WaitIn("the internal lane", internal)
	for _, second := range []string{"approve", "deny"} {
		n := g.Must("xena", internal, "!lane request").Number("request")
		g.Must("mia", internal, fmt.Sprintf("!lane deny #%d", n))
		g.Refuse("conflict", "mia", internal, fmt.Sprintf("!lane %s #%d", second, n))
	}
	n := g.Must("xena", internal, "!lane request").Number("request")
	m := g.Must("xena", internal, "!lane request full after all").Number("request")
	g.WaitCard("mia", bridgetest.RequestCard, n, "withdrawn")
	g.Refuse("conflict", "mia", internal, fmt.Sprintf("!lane approve #%d", n))
	g.Refuse("not_found", "mia", internal, "!lane approve #99999")
	g.Must("mia", internal, fmt.Sprintf("!lane approve #%d", m))
	g.Refuse("conflict", "xena", internal, "!lane request text")
	g.Refuse("not_found", "mia", internal, "!lane approve "+g.ID("xena")+" notes")
	g.Refuse("not_found", "mia", internal, "!lane approve "+g.ID("carl"))
	g.Refuse("not_found", "mia", internal, "!lane approve "+g.ID("eve"))
	g.Refuse("not_found", "mia", internal, "!lane deny "+g.ID("xena"))
	g.Refuse("not_allowed", "mia", internal, "!lane approve "+g.ID("mia"))

	h := g.Must("carl", rooms["customer"], "!lane human who is it?").Number("handoff")
	g.Must("root", g.SuperAdmin(), fmt.Sprintf("take #%d", h))
	g.Refuse("conflict", "olga", g.SuperAdmin(), fmt.Sprintf("take #%d", h))
	g.Must("olga", g.SuperAdmin(), fmt.Sprintf("take #%d --force", h))
	g.Must("carl", rooms["customer"], fmt.Sprintf("!lane close #%d", h))
}

// What is answered in a lane is what each of its members may know; the rest is told to the sender alone. LANE-03, LANE-04.
func (g *ground) answersForAll(t *testing.T) {
	slug, rooms := g.project()
	other, _ := g.project()
	internal, mia := rooms["internal"], g.Person("mia")
	g.Must("mia", internal, "!lane accept "+g.ID("xena"))
	g.Person("xena").WaitIn("the internal lane", internal)

	private := func(r bridgetest.Result, matches ...bridgetest.Match) bridgetest.Event {
		t.Helper()
		if !strings.Contains(r.Text, "📨") {
			t.Errorf("%s does not say that the rest is told elsewhere: %s", r.Fields["command"], r)
		}
		return g.private("mia", fmt.Sprint(r.Fields["command"]), matches...)
	}
	about := func(field string, words ...string) bridgetest.Match {
		return func(e bridgetest.Event) bool {
			s := fmt.Sprint(e.Object("lanekeeper.result")[field])
			for _, w := range words {
				if !strings.Contains(s, w) {
					return false
				}
			}
			return true
		}
	}
	added := g.Must("mia", internal, "!lane add "+g.ID("abe")+" agency")
	is(t, added, "access", map[string]any{"customer": "full", "internal": "full"})
	private(added, about("person", g.ID("abe")), about("access", "notes:full"))
	show := g.Must("mia", internal, "!lane project show")
	is(t, show, "rooms", map[string]any{"internal": internal})
	private(show, about("rooms", rooms["notes"], rooms["customer"], rooms["space"]))
	list := g.Must("mia", internal, "!lane project list")
	if projects, _ := list.Fields["projects"].([]any); len(projects) != 1 || strings.Contains(list.Text, other) {
		t.Errorf("project list in a lane: %s", list)
	}
	private(list, about("projects", "slug:"+slug, "slug:"+other))
	n := g.Must("xena", internal, "!lane request customer read CANARY-REASON").Number("request")
	is(t, g.Must("mia", internal, "!lane requests"), "requests", []any{})
	g.private("mia", "requests", about("requests", "CANARY-REASON"))
	g.Refuse("wrong_room", "mia", internal, "!lane who "+other)
	g.Refuse("not_allowed", "xena", internal, "!lane who "+other)
	g.Refuse("not_allowed", "xena", internal, "!lane who nosuch")
	g.Refuse("not_allowed", "mia", internal, "!lane why "+g.ID("mia")+" notes")

	g.Must("mia", rooms["notes"], fmt.Sprintf("!lane deny #%d", n))
	who := g.Must("mia", rooms["notes"], "!lane project show")
	if len(who.Rooms()) != 4 || strings.Contains(who.Text, "📨") {
		t.Errorf("all members of the notes lane see everything: %s", who)
	}
	g.unheard(t, "xena", rooms["notes"], rooms["space"], rooms["customer"], "Notes ·", other+" ·", "notes:")
	if _, seen := g.Person("xena").Saw(bridgetest.In(internal), func(e bridgetest.Event) bool {
		return e.Sender == g.Bot() && strings.Contains(string(e.Raw), `"notes"`)
	}); seen {
		t.Error("an answer in the internal lane speaks of the notes lane")
	}
	_ = mia
}

// Without the prefix only what parses as a command is one in the super-admin room.
func (g *ground) staffTalk(t *testing.T) {
	room, root := g.SuperAdmin(), g.Person("root")
	var said []string
	for _, words := range []string{
		"who knows about this invoice?", "close the window please", "help me with this", "take a break", "plan B then", "add some sugar", "project list of last year", "apply for leave",
		"human error, I guess", "request denied", "ping me later", "why not",
	} {
		said = append(said, root.Text(room, words))
	}
	g.Must("root", room, "ping") // all before it are through: one key, in order
	for i, event := range said {
		if _, answered := root.Saw(bridgetest.From(g.Bot()), func(e bridgetest.Event) bool { return e.Thread() == event || e.ReplyTo() == event }); answered {
			t.Errorf("talk is taken for a command: line %d", i)
		}
	}
	g.Refuse("unknown_command", "root", room, "!lane frobnicate")
	g.Refuse("wrong_room", "root", room, "!lane human hello?")
	g.Refuse("bad_argument", "root", room, "!lane handoffs some")
}
