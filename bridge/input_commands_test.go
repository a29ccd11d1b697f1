package bridge_test

import (
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/bridgetest"
)

// formatted says something with HTML, as clients do when there are pills in it.
func (g *ground) formatted(person, room, body, html string) bridgetest.Result {
	event := g.Person(person).Send(room, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": body, "format": "org.matrix.custom.html", "formatted_body": html,
	})
	return g.ResultOf(person, event)
}

// People are named by MXIDs, links and pills; marks that nobody sees, quotes of all kinds and emoji do no harm; what is wrong is
// said. LANE-15.
func (g *ground) oddArguments(t *testing.T) {
	slug, rooms := g.project()
	mia, internal := g.Direct("mia"), rooms["internal"]
	pill := func(name string) string {
		return `<a href="https://matrix.to/#/` + g.ID(name) + `">` + strings.ToUpper(name[:1]) + name[1:] + `</a>`
	}
	for _, r := range []bridgetest.Result{
		g.formatted("mia", internal, "!lane add Xena: expert", "!lane add "+pill("xena")+": expert"),
		g.formatted("mia", internal, "!lane remove Xena", "<p>!lane remove "+strings.ReplaceAll(pill("xena"), "@", "%40")+"</p>"),
		g.Must("mia", internal, "!lane add https://matrix.to/#/"+g.ID("xena")+" expert"),
		g.Must("mia", internal, "!LANE   remove\u00a0https://matrix.to/#/%40xena%3A"+bridgetest.Domain+"?via="+bridgetest.Domain),
		g.Must("mia", internal, "\u200f!lane \u200eadd\u200e \u2066"+g.ID("xena")+"\u2069 “expert”"),
		g.Must("mia", mia, "remove matrix:u/xena:"+bridgetest.Domain+" —project "+slug),
		g.Must("mia", mia, "ADD '"+g.ID("xena")+"' Expert \""+slug+"\""),
	} {
		if !r.OK || r.Fields["person"] != g.ID("xena") {
			t.Errorf("%s", r)
		}
	}
	// A reply quotes what it answers; that is no part of the command.
	hello := g.Person("mia").Text(internal, "shall we?")
	reply := g.Person("mia").Send(internal, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": "> <" + g.ID("mia") + "> shall we?\n\n!lane who",
		"m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": hello}},
	})
	if r := g.ResultOf("mia", reply); !r.OK {
		t.Errorf("a command in a reply: %s", r)
	}
	// In a thread the answer stands there, as a reply.
	inThread := g.Person("mia").InThread(internal, hello, "!lane who")
	if r := g.ResultOf("mia", inThread); !r.OK || r.Answer.Thread() != hello || r.Answer.ReplyTo() != inThread || !r.Answer.Notice() {
		t.Errorf("a command in a thread: %s %s", r, r.Answer.Raw)
	}
	g.refused(t, "mia", mia, map[string]string{
		"add nobody expert " + slug:                                        "bad_argument",
		"add @nobody expert " + slug:                                       "bad_argument",
		"add @no:body:here:x expert " + slug:                               "bad_argument",
		"add " + g.Bot() + " expert " + slug:                               "bad_argument",
		"add @lanekeeper_agent_x:" + bridgetest.Domain + " expert " + slug: "bad_argument",
		"add " + g.ID("eve") + " emperor " + slug:                          "bad_argument",
		"add " + g.ID("eve"):                                               "bad_argument",
		"add " + g.ID("eve") + " expert " + slug + " and more":             "bad_argument",
		"add":     "bad_argument",
		"approve": "bad_argument",
		"approve " + g.ID("xena") + " --for ever":          "bad_argument",
		"approve " + g.ID("xena") + " --fro 14d":           "bad_argument",
		"remove @nobody:nowhere.invalid --project " + slug: "", // is not in: nothing changes
		"frobnicate":    "unknown_command",
		"🙋":             "unknown_command",
		"!lane":         "", // help
		"help":          "",
		"help approve":  "",
		"help nonsense": "not_found",
	})
	root := g.Direct("root")
	names := []string{`“Ünïcode „und“ so 🎉”`, `"  spaces  "`, `'single'`, "\"\u202eevil\u202c\"", "\"👩\u200d💻 team\"", "\"a\nb\""}
	var create []string
	for _, name := range names {
		g.made++
		create = append(create, fmt.Sprintf("project create p%d %s --profile open", g.made, name))
	}
	for i, made := range g.DoAll("root", root, create...) {
		if got, _ := made.Object("project")["name"].(string); got == "" || strings.ContainsAny(got, "\u202e\u202c\n") || strings.TrimSpace(got) != got {
			t.Errorf("%s became %q", names[i], got)
		}
	}
	bad := map[string]string{}
	for _, command := range []string{`project create UPPER_case "x"`, `project create -x "x"`, `project create`, `project create lonely`, `project create a b c`, `project create x1 ""`,
		`project create x1 "x" --profile nosuch`, `project create x1 "x" --tier "B&B"`, `project create x1 "x" --customer carl`, `project create x1 "x" --emperor ` + g.ID("carl"),
		`project create x1 "x" --customer ` + g.ID("carl") + ` --manager ` + g.ID("carl")} {
		bad[command] = "bad_argument"
	}
	g.refused(t, "root", root, bad)
}

// long is about 60 KB of words.
func long(word string) string { return strings.Repeat(word+" ", 60_000/(len(word)+1)) }

// A text of 60 KB is answered like any other: with a clear sentence, and nothing lost. MSG-08.
func (g *ground) longTexts(t *testing.T) {
	slug, rooms := g.expert()
	mia, internal := g.Direct("mia"), rooms["internal"]
	words, one := long("wörd"), strings.Repeat("x", 60_000)
	g.refused(t, "mia", mia, map[string]string{
		one:                              "unknown_command",
		words:                            "unknown_command",
		strings.Repeat("\" “ ' ", 6000):  "unknown_command",
		"add " + one + " expert " + slug: "bad_argument",
		"add " + g.ID("eve") + " " + one + " " + slug:          "bad_argument",
		"add " + g.ID("eve") + " expert " + slug + " " + words: "bad_argument",
		"approve " + g.ID("xena") + " --for " + one:            "bad_argument",
		"approve " + g.ID("xena") + " --" + one:                "bad_argument",
		"who " + one:                                           "not_allowed",
		"help " + words:                                        "not_found",
	})
	g.refused(t, "mia", internal, map[string]string{
		"!lane " + strings.Repeat("ü", 30_000):                 "unknown_command",
		"!lane approve " + g.ID("xena") + " customer " + words: "bad_argument",
	})
	g.refused(t, "xena", internal, map[string]string{"!lane request customer text " + words: "bad_argument"})
	g.refused(t, "root", g.Direct("root"), map[string]string{
		"project create " + one + " \"x\"":                           "bad_argument",
		"project create x2 \"" + words + "\"":                        "bad_argument",
		"project create x2 x --profile " + one:                       "bad_argument",
		"project create x2 x --tier " + strings.Repeat("\"", 30_000): "bad_argument",
	})
	g.refused(t, "root", g.SuperAdmin(), map[string]string{"project show " + one: "not_found"})
	carl := g.Person("carl")
	moved := g.Person("mia").Text(rooms["customer"], "!lane "+one)
	g.Person("mia").Wait("wrong_room", bridgetest.NotIn(rooms["customer"]), func(e bridgetest.Event) bool {
		r := e.Object("lanekeeper.result")
		return r != nil && r["error"] == "wrong_room" && strings.HasPrefix(fmt.Sprint(r["command"]), "xxx")
	})
	carl.Wait("that it is taken away", bridgetest.In(rooms["customer"]), bridgetest.OfType("m.room.redaction"), func(e bridgetest.Event) bool {
		return strings.Contains(string(e.Raw), moved)
	})
	// A long question is asked all the same; who answers reads it, with its lines.
	question := "BEGIN\n" + strings.Repeat("a line of words\n", 3000) + "END"
	n := g.Must("carl", rooms["customer"], "!lane human "+question).Number("handoff")
	card := g.Card("root", bridgetest.HandoffCard, n)
	g.Person("root").Wait("all of the question", bridgetest.In(card.Room), func(e bridgetest.Event) bool {
		return (e.ID == card.ID || e.Thread() == card.ID) && strings.Contains(e.Body(), "a line of words\na line of words") && strings.Contains(e.Body(), "END")
	})
	g.Must("carl", rooms["customer"], fmt.Sprintf("!lane close #%d", n))
}

// Events may have any shape: homeservers check little. None holds up what comes after it, and none has to be set aside. MSG-02.
func (g *ground) oddEvents(t *testing.T) {
	_, rooms := g.project()
	mia, direct := g.Person("mia"), g.Direct("mia")
	real := mia.Text(rooms["notes"], "something to refer to")
	relations := []any{
		nil, "x", 1, []any{}, map[string]any{}, map[string]any{"rel_type": 1, "event_id": []any{}}, map[string]any{"rel_type": "m.thread", "event_id": "$nosuch"},
		map[string]any{"rel_type": "m.thread", "event_id": real}, map[string]any{"rel_type": "m.replace", "event_id": "$nosuch"},
		map[string]any{"m.in_reply_to": "x"}, map[string]any{"m.in_reply_to": map[string]any{"event_id": "$nosuch"}}, map[string]any{"rel_type": "m.annotation", "key": 5},
		map[string]any{"rel_type": "m.annotation", "event_id": "$nosuch", "key": "✅"}, map[string]any{"rel_type": "m.reference", "event_id": real},
	}
	sent := 0
	for _, room := range []string{direct, rooms["customer"], rooms["notes"]} {
		for i, relation := range relations {
			for _, content := range []map[string]any{
				{"msgtype": "m.text", "body": "odd words"}, {"msgtype": []any{"m.text"}, "body": map[string]any{"x": 1}}, {}, {"msgtype": "m.text"},
				{"msgtype": "m.text", "body": "!lane who", "formatted_body": []any{1}, "m.mentions": "all", "m.new_content": 7},
				{"msgtype": "m.text", "body": "odd \u0000 words", "lanekeeper.request": map[string]any{"number": "x"}, "lanekeeper.handoff": 3, "lanekeeper.result": []any{}},
			} {
				if i%3 != sent%3 { // a third of them, another one each time
					sent++
					continue
				}
				sent++
				content["m.relates_to"] = relation
				for _, typ := range []string{"m.room.message", "m.reaction"} {
					mia.TrySend(room, typ, content)
				}
			}
		}
		mia.TrySend(room, "m.room.encrypted", map[string]any{"algorithm": 1})
		mia.TrySend(room, "m.call.invite", map[string]any{"version": []any{}})
		mia.TrySend(room, "lanekeeper.nonsense", map[string]any{})
		mia.TryRedact(room, "$nosuch")
		mia.TryRedact(room, "nonsense")
		mia.PutState(room, "m.room.name", "", map[string]any{"name": []any{1}})
		mia.PutState(room, "m.room.member", mia.ID, map[string]any{"membership": "join", "displayname": []any{1}, "avatar_url": 3})
		mia.PutState(room, "m.room.pinned_events", "", map[string]any{"pinned": map[string]any{}})
		if room == direct {
			g.Must("mia", room, "ping")
		} else {
			g.Must("mia", room, "!lane ping")
		}
	}
	if _, aside := g.Person("root").Saw(bridgetest.In(g.SuperAdmin()), bridgetest.From(g.Bot()), bridgetest.Says("set something aside")); aside {
		t.Error("an odd event had to be set aside")
	}
}

// A display name is what somebody says about themselves: others cannot give them one, a name of one lane stays there, and nothing in
// it can look like something else. TRUST-15.
func (g *ground) oddNames(t *testing.T) {
	_, rooms := g.expert()
	room := g.chat("eve", map[string]any{"invite": []string{g.Bot()}})
	g.membership("eve", room, "join")
	if r := g.Person("eve").PutState(room, "m.room.member", g.ID("carl"), map[string]any{"membership": "invite", "displayname": "FORGED NAME"}); !r.OK() {
		t.Fatal(r)
	}
	name := func(who, room, name string) {
		t.Helper()
		r := g.Person(who).PutState(room, "m.room.member", g.ID(who), map[string]any{"membership": "join", "displayname": name})
		if !r.OK() {
			t.Fatal(r)
		}
	}
	g.Must("xena", g.Direct("xena"), "ping")
	name("xena", rooms["internal"], "CANARY-NICK")
	name("mia", rooms["notes"], "CANARY-BOSS")
	name("cleo", g.Direct("cleo"), "Cleo\n#99 · Approved by \u202eroot "+strings.Repeat("long ", 40))
	g.Must("mia", rooms["notes"], "!lane add "+g.ID("cleo")+" customer")
	who := g.Must("mia", rooms["internal"], "!lane who")
	if !strings.Contains(who.Text, "CANARY-NICK") {
		t.Errorf("who does not know people as the room does: %s", who)
	}
	g.Must("mia", rooms["notes"], "!lane approve "+g.ID("xena"))
	g.Person("xena").WaitIn("the customer lane", rooms["customer"])
	g.told("xena", "let you write")
	g.Must("xena", rooms["customer"], "!lane human Who reads this?")
	list := g.Must("carl", rooms["customer"], "!lane who")
	if strings.Contains(list.Text, "\n#99") || strings.Contains(list.Text, "\u202e") || len(list.Text) > 1500 || strings.Contains(list.Text, "FORGED") {
		t.Errorf("who: %q", list.Text)
	}
	g.unheard(t, "carl", "CANARY-NICK", "CANARY-BOSS")
	for _, e := range g.Person("xena").Events(bridgetest.From(g.Bot())) {
		if strings.Contains(string(e.Raw), "CANARY-BOSS") {
			t.Errorf("a name from the notes lane: %s", e.Raw)
		}
	}
	for _, m := range g.Phones.Messages("") {
		if strings.Contains(m.Body, "CANARY") {
			t.Errorf("a name from a staff lane is on WhatsApp: %s", m.Body)
		}
	}
	name("mia", rooms["notes"], "mia")
	name("xena", rooms["internal"], "xena")
	name("cleo", g.Direct("cleo"), "cleo")
}
