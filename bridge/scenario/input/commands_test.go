package input_test

import (
	"fmt"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// formatted says something with HTML, as clients do when there are pills in it.
func formatted(w *lab.World, person, room, body, html string) lab.Result {
	event := w.Person(person).Send(room, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": body, "format": "org.matrix.custom.html", "formatted_body": html,
	})
	return w.ResultOf(person, event)
}

// People are named by MXIDs, links and pills; marks that nobody sees, quotes of all kinds and emoji do no harm; what is wrong is
// said. LANE-15.
func TestOddArguments(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, oddArguments) }

func oddArguments(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	mia, internal := w.Direct("mia"), rooms["internal"]
	pill := func(name string) string {
		return `<a href="https://matrix.to/#/` + w.ID(name) + `">` + strings.ToUpper(name[:1]) + name[1:] + `</a>`
	}
	for _, r := range []lab.Result{
		formatted(w, "mia", internal, "!lane add Xena: expert", "!lane add "+pill("xena")+": expert"),
		formatted(w, "mia", internal, "!lane remove Xena", "<p>!lane remove "+strings.ReplaceAll(pill("xena"), "@", "%40")+"</p>"),
		w.Must("mia", internal, "!lane add https://matrix.to/#/"+w.ID("xena")+" expert"),
		w.Must("mia", internal, "!LANE   remove\u00a0https://matrix.to/#/"+strings.NewReplacer("@", "%40", ":", "%3A").Replace(w.ID("xena"))+"?via="+lab.Domain),
		w.Must("mia", internal, "\u200f!lane \u200eadd\u200e \u2066"+w.ID("xena")+"\u2069 “expert”"),
		w.Must("mia", mia, "remove matrix:u/"+strings.TrimPrefix(w.ID("xena"), "@")+" —project "+slug),
		w.Must("mia", mia, "ADD '"+w.ID("xena")+"' Expert \""+slug+"\""),
	} {
		if !r.OK || r.Fields["person"] != w.ID("xena") {
			t.Errorf("%s", r)
		}
	}
	// A reply quotes what it answers; that is no part of the command.
	hello := w.Person("mia").Text(internal, "shall we?")
	reply := w.Person("mia").Send(internal, "m.room.message", map[string]any{
		"msgtype": "m.text", "body": "> <" + w.ID("mia") + "> shall we?\n\n!lane who",
		"m.relates_to": map[string]any{"m.in_reply_to": map[string]any{"event_id": hello}},
	})
	if r := w.ResultOf("mia", reply); !r.OK {
		t.Errorf("a command in a reply: %s", r)
	}
	// In a thread the answer stands there, as a reply.
	inThread := w.Person("mia").InThread(internal, hello, "!lane who")
	if r := w.ResultOf("mia", inThread); !r.OK || r.Answer.Thread() != hello || r.Answer.ReplyTo() != inThread || !r.Answer.Notice() {
		t.Errorf("a command in a thread: %s %s", r, r.Answer.Raw)
	}
	w.Refused("mia", mia, map[string]string{
		"add nobody expert " + slug:                                              "bad_argument",
		"add @nobody expert " + slug:                                             "bad_argument",
		"add @no:body:here:x expert " + slug:                                     "bad_argument",
		"add " + w.Bot() + " expert " + slug:                                     "bad_argument",
		"add " + w.Bridge.Ghosts() + "agent_x:" + lab.Domain + " expert " + slug: "bad_argument",
		"add " + w.ID("eve") + " emperor " + slug:                                "bad_argument",
		"add " + w.ID("eve"):                                                     "bad_argument",
		"add " + w.ID("eve") + " expert " + slug + " and more":                   "bad_argument",
		"add":     "bad_argument",
		"approve": "bad_argument",
		"approve " + w.ID("xena") + " --for ever":          "bad_argument",
		"approve " + w.ID("xena") + " --fro 14d":           "bad_argument",
		"remove @nobody:nowhere.invalid --project " + slug: "", // is not in: nothing changes
		"frobnicate":    "unknown_command",
		"🙋":             "unknown_command",
		"!lane":         "", // help
		"help":          "",
		"help approve":  "",
		"help nonsense": "not_found",
	})
	root := w.Direct("root")
	names := []string{`“Ünïcode „und“ so 🎉”`, `"  spaces  "`, `'single'`, "\"\u202eevil\u202c\"", "\"👩\u200d💻 team\"", "\"a\nb\""}
	var create []string
	for i, name := range names {
		create = append(create, fmt.Sprintf("project create named%d %s --profile open", i, name))
	}
	for i, made := range w.DoAll("root", root, create...) {
		if got, _ := made.Object("project")["name"].(string); got == "" || strings.ContainsAny(got, "\u202e\u202c\n") || strings.TrimSpace(got) != got {
			t.Errorf("%s became %q", names[i], got)
		}
	}
	bad := map[string]string{}
	for _, command := range []string{`project create UPPER_case "x"`, `project create -x "x"`, `project create`, `project create lonely`, `project create a b c`, `project create x1 ""`,
		`project create x1 "x" --profile nosuch`, `project create x1 "x" --tier "B&B"`, `project create x1 "x" --customer carl`, `project create x1 "x" --emperor ` + w.ID("carl"),
		`project create x1 "x" --customer ` + w.ID("carl") + ` --manager ` + w.ID("carl")} {
		bad[command] = "bad_argument"
	}
	w.Refused("root", root, bad)
}

// long is about 60 KB of words.
func long(word string) string { return strings.Repeat(word+" ", 60_000/(len(word)+1)) }

// A text of 60 KB is answered like any other: with a clear sentence, and nothing lost. MSG-08.
func TestLongTexts(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, longTexts) }

func longTexts(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert()
	mia, internal := w.Direct("mia"), rooms["internal"]
	words, one := long("wörd"), strings.Repeat("x", 60_000)
	w.Refused("mia", mia, map[string]string{
		one:                              "unknown_command",
		words:                            "unknown_command",
		strings.Repeat("\" “ ' ", 6000):  "unknown_command",
		"add " + one + " expert " + slug: "bad_argument",
		"add " + w.ID("eve") + " " + one + " " + slug:          "bad_argument",
		"add " + w.ID("eve") + " expert " + slug + " " + words: "bad_argument",
		"approve " + w.ID("xena") + " --for " + one:            "bad_argument",
		"approve " + w.ID("xena") + " --" + one:                "bad_argument",
		"who " + one:                                           "not_allowed",
		"help " + words:                                        "not_found",
	})
	w.Refused("mia", internal, map[string]string{
		"!lane " + strings.Repeat("ü", 30_000):                 "unknown_command",
		"!lane approve " + w.ID("xena") + " customer " + words: "bad_argument",
	})
	w.Refused("xena", internal, map[string]string{"!lane request customer text " + words: "bad_argument"})
	w.Refused("root", w.Direct("root"), map[string]string{
		"project create " + one + " \"x\"":                           "bad_argument",
		"project create x2 \"" + words + "\"":                        "bad_argument",
		"project create x2 x --profile " + one:                       "bad_argument",
		"project create x2 x --tier " + strings.Repeat("\"", 30_000): "bad_argument",
	})
	w.Refused("root", w.SuperAdmin(), map[string]string{"project show " + one: "not_found"})
	carl := w.Person("carl")
	moved := w.Person("mia").Text(rooms["customer"], "!lane "+one)
	w.Person("mia").Wait("wrong_room", lab.NotIn(rooms["customer"]), func(e lab.Event) bool {
		r := e.Object("lanekeeper.result")
		return r != nil && r["error"] == "wrong_room" && strings.HasPrefix(fmt.Sprint(r["command"]), "xxx")
	})
	carl.Wait("that it is taken away", lab.In(rooms["customer"]), lab.OfType("m.room.redaction"), func(e lab.Event) bool {
		return strings.Contains(string(e.Raw), moved)
	})
	// A long question is asked all the same; who answers reads it, with its lines.
	question := "BEGIN\n" + strings.Repeat("a line of words\n", 3000) + "END"
	n := w.Must("carl", rooms["customer"], "!lane human "+question).Number("handoff")
	card := w.Card("root", lab.HandoffCard, n)
	w.Person("root").Wait("all of the question", lab.In(card.Room), func(e lab.Event) bool {
		return (e.ID == card.ID || e.Thread() == card.ID) && strings.Contains(e.Body(), "a line of words\n> a line of words") && strings.Contains(e.Body(), "END")
	})
	w.Must("carl", rooms["customer"], fmt.Sprintf("!lane close #%d", n))
}

// Events may have any shape: homeservers check little. None holds up what comes after it, and none has to be set aside. MSG-02.
func TestOddEvents(t *testing.T) { labtest.Both(t, lab.WorldOptions{WhatsApp: true}, oddEvents) }

func oddEvents(t *testing.T, w *lab.World) {
	_, rooms := w.NewProject()
	mia, direct := w.Person("mia"), w.Direct("mia")
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
			w.Must("mia", room, "ping")
		} else {
			w.Must("mia", room, "!lane ping")
		}
	}
	if _, aside := w.Person("root").Saw(lab.In(w.SuperAdmin()), lab.From(w.Bot()), lab.Says("set it aside")); aside {
		t.Error("an odd event had to be set aside")
	}
}

// A display name is what somebody says about themselves: others cannot give them one, a name of one lane stays there, and nothing in
// it can look like something else. TRUST-15.
func TestOddNames(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{WhatsApp: true}, oddNames) }

func oddNames(t *testing.T, w *lab.World) {
	_, rooms := w.NewExpert()
	room := w.Chat("eve", map[string]any{"invite": []string{w.Bot()}})
	w.BotIs("join", "eve", room)
	if r := w.Person("eve").PutState(room, "m.room.member", w.ID("carl"), map[string]any{"membership": "invite", "displayname": "FORGED NAME"}); !r.OK() {
		t.Fatal(r)
	}
	name := func(who, room, name string) {
		t.Helper()
		r := w.Person(who).PutState(room, "m.room.member", w.ID(who), map[string]any{"membership": "join", "displayname": name})
		if !r.OK() {
			t.Fatal(r)
		}
	}
	w.Must("xena", w.Direct("xena"), "ping")
	name("xena", rooms["internal"], "CANARY-NICK")
	name("mia", rooms["notes"], "CANARY-BOSS")
	name("cleo", w.Direct("cleo"), "Cleo\n#99 · Approved by \u202eroot "+strings.Repeat("long ", 40))
	w.Must("mia", rooms["notes"], "!lane add "+w.ID("cleo")+" customer")
	who := w.Must("mia", rooms["internal"], "!lane who")
	if !strings.Contains(who.Text, "CANARY-NICK") {
		t.Errorf("who does not know people as the room does: %s", who)
	}
	w.Must("mia", rooms["notes"], "!lane approve "+w.ID("xena"))
	w.Person("xena").WaitIn("the customer lane", rooms["customer"])
	w.Told("xena", "You can now write in")
	w.Must("xena", rooms["customer"], "!lane human Who reads this?")
	list := w.Must("carl", rooms["customer"], "!lane who")
	if strings.Contains(list.Text, "\n#99") || strings.Contains(list.Text, "\u202e") || len(list.Text) > 1500 || strings.Contains(list.Text, "FORGED") {
		t.Errorf("who: %q", list.Text)
	}
	w.Unheard("carl", "CANARY-NICK", "CANARY-BOSS")
	for _, e := range w.Person("xena").Events(lab.From(w.Bot())) {
		if strings.Contains(string(e.Raw), "CANARY-BOSS") {
			t.Errorf("a name from the notes lane: %s", e.Raw)
		}
	}
	for _, m := range w.Phones.Messages("") {
		if strings.Contains(m.Body, "CANARY") {
			t.Errorf("a name from a staff lane is on WhatsApp: %s", m.Body)
		}
	}
	name("mia", rooms["notes"], "mia")
	name("xena", rooms["internal"], "xena")
	name("cleo", w.Direct("cleo"), "cleo")
}
