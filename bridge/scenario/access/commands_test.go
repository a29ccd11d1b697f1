package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// The fields of every command's result, in lanes, direct chats and the super-admin room.
// LANE-01, LANE-08, LANE-11, LANE-12, LANE-15, LANE-18, LANE-19, HAND-10.
func TestResults(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, results) }

func results(t *testing.T, w *lab.World) {
	root, mia, xena := w.Direct("root"), w.Direct("mia"), w.ID("xena")
	command := fmt.Sprintf("project create table %q --profile agency --tier gold --manager %s --customer %s", "The table", w.ID("mia"), w.ID("carl"))
	made := w.Must("root", root, command)
	lab.Has(t, made, "project", "rooms")
	rooms := made.Rooms()
	for field, want := range map[string]string{"slug": "table", "name": "The table", "profile": "agency", "tier": "gold", "status": "active"} {
		if made.Object("project")[field] != want {
			t.Errorf("project create: %s is %v", field, made.Object("project")[field])
		}
	}
	if len(made.Object("project")) != 6 || made.Object("project")["id"] == "" || len(rooms) != 4 {
		t.Errorf("project create: %s", made)
	}
	lab.Is(t, w.Must("root", root, command), "changed", false)
	w.Person("mia").WaitIn("the internal lane", rooms["internal"])

	lab.Has(t, w.Must("mia", mia, "project list"), "projects")
	show := w.Must("mia", mia, "!lane project show table")
	lab.Has(t, show, "project", "people", "rooms")
	if fmt.Sprint(show.Rooms()) != fmt.Sprint(rooms) {
		t.Errorf("project show: the rooms are %v", show.Rooms())
	}
	lab.Has(t, w.Must("root", w.SuperAdmin(), "project show table"), "project", "people", "rooms")

	internal := rooms["internal"]
	accepted := w.Must("mia", internal, "!lane accept "+xena)
	lab.Has(t, accepted, "person", "access")
	lab.Is(t, accepted, "person", xena)
	lab.Is(t, accepted, "access", map[string]any{"customer": "none", "internal": "full"})
	lab.Is(t, w.Must("mia", internal, "!lane accept "+xena), "changed", false)
	added := w.Must("mia", mia, "add "+w.ID("xavi")+" editor table")
	lab.Is(t, added, "access", map[string]any{"customer": "none", "internal": "full", "notes": "none"})
	lab.Is(t, w.Must("mia", mia, "add "+w.ID("xavi")+" editor --project table"), "changed", false)
	w.Person("xena").WaitIn("the internal lane", internal)

	asked := w.Must("xena", internal, "!lane request customer read to see the brief")
	if asked.Number("request") < 1 {
		t.Errorf("request: %s", asked)
	}
	again := w.Must("xena", internal, "!lane request customer read")
	lab.Is(t, again, "changed", false)
	lab.Is(t, again, "request", asked.Number("request"))
	for room, person := range map[string]string{mia: "mia", rooms["notes"]: "mia", w.SuperAdmin(): "root"} {
		prefix := map[bool]string{true: "!lane ", false: ""}[room == rooms["notes"]]
		list, _ := w.Must(person, room, prefix+"requests --project table").Fields["requests"].([]any)
		if len(list) != 1 || !strings.Contains(fmt.Sprint(list), "to see the brief") {
			t.Errorf("requests: %v", list)
		}
	}
	grants(t, w, rooms, asked.Number("request"))

	who := w.Must("carl", rooms["customer"], "!lane who")
	if s := fmt.Sprint(who.Fields["people"]); !strings.Contains(s, w.ID("carl")) || strings.Contains(s, "internal") || strings.Contains(s, xena) {
		t.Errorf("who in the customer lane: %s", who)
	}
	for _, p := range who.Fields["people"].([]any) {
		if person := p.(map[string]any); person["user"] == nil || person["role"] == nil || person["access"] == nil || person["membership"] == nil {
			t.Errorf("who: %v", person)
		}
	}
	lab.Has(t, w.Must("mia", mia, "why "+xena+" --project table"), "person", "lane", "because")
	lab.Has(t, w.Must("mia", mia, "plan table"), "steps")
	lab.Is(t, w.Must("mia", mia, "apply table"), "steps", []any{})
	lab.Has(t, w.Must("carl", rooms["customer"], "!lane help"))
	lab.Has(t, w.Must("carl", rooms["customer"], "!lane version"), "version")
	lab.Has(t, w.Must("carl", rooms["customer"], "!lane ping"), "ms")
	handoffResults(t, w, rooms["customer"])
	removed := w.Must("mia", internal, "!lane remove "+xena)
	lab.Is(t, removed, "person", xena)
	lab.Is(t, w.Must("mia", internal, "!lane remove "+xena), "changed", false)
	lab.Is(t, w.Must("mia", mia, "remove "+w.ID("xavi")+" --project table"), "access", map[string]any{"customer": "none", "internal": "none", "notes": "none"})
}

// grants decides in every way.
func grants(t *testing.T, w *lab.World, rooms map[string]string, asked int) {
	internal, xena := rooms["internal"], w.ID("xena")
	before := time.Now()
	approved := w.Must("mia", internal, fmt.Sprintf("!lane approve #%d --for 4h for the brief", asked))
	lab.Has(t, approved, "person", "lane", "access", "until")
	lab.Is(t, approved, "person", xena)
	lab.Is(t, approved, "lane", "customer")
	lab.Is(t, approved, "access", "read") // the rung requested
	s, _ := approved.Fields["until"].(string)
	until, err := time.Parse(time.RFC3339, s)
	if err != nil || !strings.HasSuffix(s, "Z") || until.Sub(before) < 4*time.Hour-time.Minute || until.Sub(before) > 4*time.Hour+time.Minute {
		t.Errorf("approve: until is %q", s)
	}
	whole := w.Must("root", w.SuperAdmin(), "approve "+xena+" customer full --project table")
	lab.Is(t, whole, "access", "full")
	lab.Is(t, whole, "until", nil)
	lab.Is(t, w.Must("mia", internal, "!lane approve "+xena+" customer full"), "changed", false)
	w.Person("xena").WaitIn("the customer lane", rooms["customer"])
	revoked := w.Must("mia", internal, "!lane revoke "+xena+" customer thank you")
	lab.Has(t, revoked, "person", "lane", "access", "until")
	lab.Is(t, revoked, "access", "none")
	lab.Is(t, w.Must("mia", internal, "!lane revoke "+xena), "changed", false)
	w.Person("xena").WaitOut("the customer lane", rooms["customer"])
	n := w.Must("xena", w.Direct("xena"), "request --project table").Number("request")
	denied := w.Must("mia", w.Direct("mia"), fmt.Sprintf("deny %d not yet", n)) // its number says which project is meant
	lab.Has(t, denied, "person", "lane", "access", "until", "request")
	lab.Is(t, denied, "access", "none")
}

func handoffResults(t *testing.T, w *lab.World, customer string) {
	asked := w.Must("carl", customer, "!lane human What does it cost?")
	lab.Has(t, asked, "handoff")
	n := asked.Number("handoff")
	list, _ := w.Must("root", w.SuperAdmin(), "handoffs").Fields["handoffs"].([]any)
	found := false
	for _, h := range list {
		m, _ := h.(map[string]any)
		found = found || m["number"] == float64(n) && m["asker"] == w.ID("carl") && m["state"] == "open" && m["owner"] == nil && m["project"] != nil
	}
	if !found {
		t.Errorf("handoffs: #%d is not in %v", n, list)
	}
	for _, step := range [][2]string{{"take", "taken"}, {"release", "open"}, {"take", "taken"}, {"close", "closed"}, {"reopen", "taken|open"}, {"close", "closed"}} {
		r := w.Must("root", w.SuperAdmin(), fmt.Sprintf("%s #%d", step[0], n))
		lab.Has(t, r, "handoff", "state", "owner")
		if state, _ := r.Fields["state"].(string); !strings.Contains(step[1], state) {
			t.Errorf("%s: the state is %q", step[0], state)
		}
	}
	lab.Is(t, w.Must("root", w.SuperAdmin(), fmt.Sprintf("close #%d", n)), "changed", false)
}

// Somebody without the right reads the same words whether a thing exists or not. LANE-09, LANE-18.
func TestNothingBetrayed(t *testing.T) {
	labtest.Both(t, lab.WorldOptions{WhatsApp: true}, nothingBetrayed)
}

func nothingBetrayed(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	n := w.Must("xena", rooms["internal"], "!lane request").Number("request")
	h := w.Must("carl", rooms["customer"], "!lane human Is anybody there?").Number("handoff")

	eve := w.Direct("eve")
	pairs := [][2]string{
		{"project show " + slug, "project show nosuch"},
		{"who " + slug, "who nosuch"},
		{"why " + w.ID("xena") + " --project " + slug, "why " + w.ID("xena") + " --project nosuch"},
		{"requests --project " + slug, "requests --project nosuch"},
		{"request --project " + slug, "request --project nosuch"},
		{"add " + w.ID("eve") + " manager " + slug, "add " + w.ID("eve") + " manager nosuch"},
		{"remove " + w.ID("carl") + " " + slug, "remove " + w.ID("carl") + " nosuch"},
		{"accept " + w.ID("eve") + " " + slug, "accept " + w.ID("eve") + " nosuch"},
		{"approve " + w.ID("xena") + " --project " + slug, "approve " + w.ID("xena") + " --project nosuch"},
		{fmt.Sprintf("approve #%d", n), "approve #99999"},
		{fmt.Sprintf("deny #%d", n), "deny #99999"},
		{"revoke " + w.ID("xena") + " --project " + slug, "revoke " + w.ID("xena") + " --project nosuch"},
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
	answers := w.DoAll("eve", eve, commands...)
	for i, pair := range pairs {
		there, not := answers[2*i], answers[2*i+1]
		if there.Code != "not_allowed" || not.Code != "not_allowed" || there.Text != not.Text || len(there.Fields) != len(not.Fields) {
			t.Errorf("%q and %q are told apart:\n%s\n%s", pair[0], pair[1], there, not)
		}
	}
	lab.Is(t, w.Must("eve", eve, "project list"), "projects", []any{})
	w.Unheard("eve", slug+" ·", rooms["customer"], rooms["internal"], rooms["notes"], rooms["space"])

	// Those who have some rights in it have no others, and none elsewhere.
	other, _ := w.NewProject()
	for person, commands := range map[string][]string{
		"carl": {"request --project " + slug, "add " + w.ID("eve") + " customer " + slug, "approve " + w.ID("xena") + " --project " + slug, "accept " + w.ID("eve") + " --project " + slug,
			"plan " + slug, "project archive " + slug, "why " + w.ID("xena") + " internal --project " + slug, "why " + w.ID("carl") + " notes --project " + slug, "handoffs", fmt.Sprintf("take #%d", h)},
		"xena": {"accept " + w.ID("eve") + " --project " + slug, "approve " + w.ID("xavi") + " --project " + slug, "project show " + other, "who " + other,
			"why " + w.ID("mia") + " notes --project " + slug, "why " + w.ID("xena") + " notes --project " + slug, "why " + w.ID("carl") + " customer --project " + slug, fmt.Sprintf("close #%d", h)},
		"mia": {"project create mine \"Mine\"", "handoffs", fmt.Sprintf("take #%d", h), fmt.Sprintf("close #%d", h)},
	} {
		codes := map[string]string{}
		for _, c := range commands {
			codes[c] = "not_allowed"
		}
		w.Refused(person, w.Direct(person), codes)
	}
	w.Must("mia", rooms["notes"], fmt.Sprintf("!lane deny #%d", n))
}

// In the customer lane every other command is taken away unseen, not executed, and answered in the direct chat alone. LANE-03,
// LANE-06, MSG-16.
func TestCustomerLane(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, customerLane) }

func customerLane(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	mia, carl, customer := w.Person("mia"), w.Person("carl"), rooms["customer"]
	for _, command := range []string{
		"!lane approve " + w.ID("xena"), "!lane accept " + w.ID("xena"), "!lane add " + w.ID("eve") + " customer", "!lane plan", "!lane project archive",
		"!lane requests", "!lane frobnicate CANARY", "!LANE remove " + w.ID("carl"), "\u200f!lane\u200f deny #1", "!lane project list",
	} {
		event := mia.Text(customer, command)
		name := strings.Fields(strings.TrimLeft(command, "\u200f"))[1]
		name = strings.Trim(name, "\u200f")
		answer := mia.Wait("wrong_room for "+command, lab.From(w.Bot()), lab.NotIn(customer), func(e lab.Event) bool {
			r := e.Object("lanekeeper.result")
			return r != nil && r["error"] == "wrong_room" && r["ok"] == false && strings.HasPrefix(fmt.Sprint(r["command"]), name)
		})
		if slices.Contains(w.Lanes("mia"), answer.Room) {
			t.Errorf("%s is answered in a lane", command)
		}
		carl.Wait("that it is taken away", lab.In(customer), lab.OfType("m.room.redaction"), func(e lab.Event) bool {
			redacts, _ := e.Content["redacts"].(string)
			return e.Redacts == event || redacts == event
		})
	}
	for _, command := range []string{"!lane who", "!lane help", "!lane ping", "!lane version"} {
		w.Must("carl", customer, command)
	}
	if r := w.Refuse("not_found", "mia", customer, "!lane help approve"); strings.Contains(r.Text, "approve") {
		t.Errorf("help in the customer lane speaks of approve: %s", r)
	}
	if help := w.Must("mia", customer, "!lane help"); strings.Contains(help.Text, "approve") || strings.Contains(help.Text, "project") {
		t.Errorf("help in the customer lane: %s", help)
	}
	if again := w.Must("root", w.Direct("root"), "project show "+slug); fmt.Sprint(again.Object("project")["status"]) != "active" {
		t.Errorf("a command in the customer lane was executed: %s", again)
	}
	w.Out("the customer lane", customer, "eve")
	if _, seen := carl.Saw(lab.In(customer), lab.From(w.Bot()), lab.Says("wrong")); seen {
		t.Error("the customer lane hears of it")
	}
	w.Unheard("carl", "wrong_room")
}

// Deciding a decided thing is a conflict, and so is making a slug again with other arguments. LANE-12.
func TestConflicts(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{WhatsApp: true}, conflicts) }

func conflicts(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	internal := rooms["internal"]
	w.Refuse("conflict", "root", w.Direct("root"), fmt.Sprintf("project create %s %q --manager %s", slug, strings.ToUpper(slug), w.ID("mia")))
	w.Refuse("conflict", "mia", internal, "!lane accept "+w.ID("carl"))
	w.Must("mia", internal, "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", internal)
	for _, second := range []string{"approve", "deny"} {
		n := w.Must("xena", internal, "!lane request").Number("request")
		w.Must("mia", internal, fmt.Sprintf("!lane deny #%d", n))
		w.Refuse("conflict", "mia", internal, fmt.Sprintf("!lane %s #%d", second, n))
	}
	n := w.Must("xena", internal, "!lane request").Number("request")
	m := w.Must("xena", internal, "!lane request full after all").Number("request")
	w.WaitCard("mia", lab.RequestCard, n, "withdrawn")
	w.Refuse("conflict", "mia", internal, fmt.Sprintf("!lane approve #%d", n))
	w.Refuse("not_found", "mia", internal, "!lane approve #99999")
	w.Must("mia", internal, fmt.Sprintf("!lane approve #%d", m))
	w.Refuse("conflict", "xena", internal, "!lane request text")
	w.Refuse("not_found", "mia", internal, "!lane approve "+w.ID("xena")+" notes")
	w.Refuse("not_found", "mia", internal, "!lane approve "+w.ID("carl"))
	w.Refuse("not_found", "mia", internal, "!lane approve "+w.ID("eve"))
	w.Refuse("not_found", "mia", internal, "!lane deny "+w.ID("xena"))
	w.Refuse("not_allowed", "mia", internal, "!lane approve "+w.ID("mia"))

	h := w.Must("carl", rooms["customer"], "!lane human who is it?").Number("handoff")
	w.Must("root", w.SuperAdmin(), fmt.Sprintf("take #%d", h))
	w.Refuse("conflict", "olga", w.SuperAdmin(), fmt.Sprintf("take #%d", h))
	w.Must("olga", w.SuperAdmin(), fmt.Sprintf("take #%d --force", h))
	w.Must("carl", rooms["customer"], fmt.Sprintf("!lane close #%d", h))
}

// What is answered in a lane is what each of its members may know; the rest is told to the sender alone. LANE-03, LANE-04.
func TestAnswersForAll(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, answersForAll) }

func answersForAll(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	other, _ := w.NewProject()
	internal, mia := rooms["internal"], w.Person("mia")
	w.Must("mia", internal, "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", internal)

	private := func(r lab.Result, matches ...lab.Match) lab.Event {
		t.Helper()
		if !strings.Contains(r.Text, "📨") {
			t.Errorf("%s does not say that the rest is told elsewhere: %s", r.Fields["command"], r)
		}
		return w.Private("mia", fmt.Sprint(r.Fields["command"]), matches...)
	}
	about := func(field string, words ...string) lab.Match {
		return func(e lab.Event) bool {
			s := fmt.Sprint(e.Object("lanekeeper.result")[field])
			for _, w := range words {
				if !strings.Contains(s, w) {
					return false
				}
			}
			return true
		}
	}
	added := w.Must("mia", internal, "!lane add "+w.ID("abe")+" agency")
	lab.Is(t, added, "access", map[string]any{"customer": "full", "internal": "full"})
	private(added, about("person", w.ID("abe")), about("access", "notes:full"))
	show := w.Must("mia", internal, "!lane project show")
	lab.Is(t, show, "rooms", map[string]any{"internal": internal})
	private(show, about("rooms", rooms["notes"], rooms["customer"], rooms["space"]))
	list := w.Must("mia", internal, "!lane project list")
	if projects, _ := list.Fields["projects"].([]any); len(projects) != 1 || strings.Contains(list.Text, other) {
		t.Errorf("project list in a lane: %s", list)
	}
	private(list, about("projects", "slug:"+slug, "slug:"+other))
	n := w.Must("xena", internal, "!lane request customer read CANARY-REASON").Number("request")
	lab.Is(t, w.Must("mia", internal, "!lane requests"), "requests", []any{})
	w.Private("mia", "requests", about("requests", "CANARY-REASON"))
	w.Refuse("wrong_room", "mia", internal, "!lane who "+other)
	w.Refuse("not_allowed", "xena", internal, "!lane who "+other)
	w.Refuse("not_allowed", "xena", internal, "!lane who nosuch")
	private(w.Must("mia", internal, "!lane why "+w.ID("mia")+" notes"), about("lane", "notes"))

	w.Must("mia", rooms["notes"], fmt.Sprintf("!lane deny #%d", n))
	who := w.Must("mia", rooms["notes"], "!lane project show")
	if len(who.Rooms()) != 4 || strings.Contains(who.Text, "📨") {
		t.Errorf("all members of the notes lane see everything: %s", who)
	}
	w.Unheard("xena", rooms["notes"], rooms["space"], rooms["customer"], "Notes ·", other+" ·", "notes:")
	if _, seen := w.Person("xena").Saw(lab.In(internal), func(e lab.Event) bool {
		return e.Sender == w.Bot() && strings.Contains(string(e.Raw), `"notes"`)
	}); seen {
		t.Error("an answer in the internal lane speaks of the notes lane")
	}
	_ = mia
}

// Without the prefix only what parses as a command is one in the super-admin room.
func TestStaffTalk(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{WhatsApp: true}, staffTalk) }

func staffTalk(t *testing.T, w *lab.World) {
	room, root := w.SuperAdmin(), w.Person("root")
	var said []string
	for _, words := range []string{
		"who knows about this invoice?", "close the window please", "help me with this", "take a break", "plan B then", "add some sugar", "project list of last year", "apply for leave",
		"human error, I guess", "request denied", "ping me later", "why not",
	} {
		said = append(said, root.Text(room, words))
	}
	w.Must("root", room, "ping") // all before it are through: one key, in order
	for i, event := range said {
		if _, answered := root.Saw(lab.From(w.Bot()), func(e lab.Event) bool { return e.Thread() == event || e.ReplyTo() == event }); answered {
			t.Errorf("talk is taken for a command: line %d", i)
		}
	}
	w.Refuse("unknown_command", "root", room, "!lane frobnicate")
	w.Refuse("wrong_room", "root", room, "!lane human hello?")
	w.Refuse("bad_argument", "root", room, "!lane handoffs some")
}
