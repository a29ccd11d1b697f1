package access_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// Two managers decide at the same moment, one each way: there is one outcome, the card shows it, and the other is told. LANE-10.
func TestTwoDeciders(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, twoDeciders) }

func twoDeciders(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert("--ops "+w.ID("olga"), "--manager "+w.ID("abe"))
	for _, who := range []string{"olga", "abe"} {
		w.Person(who).WaitIn("the notes lane", rooms["notes"])
	}
	decide := map[string]func(card lab.Event, n int){
		"two reactions": func(card lab.Event, n int) {
			both(func() { w.Person("mia").React(card.Room, card.ID, "✅") }, func() { w.Person("olga").React(card.Room, card.ID, "❌") })
		},
		"a reaction and a command elsewhere": func(card lab.Event, n int) {
			direct := w.Direct("abe")
			both(func() { w.Person("mia").React(card.Room, card.ID, "❌") }, func() { w.Person("abe").Text(direct, fmt.Sprintf("approve #%d", n)) })
		},
	}
	for name, at := range decide {
		n := w.Must("xena", rooms["internal"], "!lane request").Number("request")
		card := w.Card("mia", lab.RequestCard, n)
		at(card, n)
		state := ""
		w.Eventually("mia", name+": a decision on the card", func() bool {
			for _, e := range w.Person("mia").Events(func(e lab.Event) bool { return e.Replaces() == card.ID }) {
				state, _ = e.Object(lab.RequestCard)["state"].(string)
			}
			return state == "approved" || state == "denied"
		})
		if name == "two reactions" { // whoever came second is told
			loser := map[string]string{"approved": "olga", "denied": "mia"}[state]
			w.Told(loser, fmt.Sprintf("#%d", n))
		}
		list, _ := w.Must("root", w.Direct("root"), "requests --project "+slug).Fields["requests"].([]any)
		if len(list) != 0 {
			t.Errorf("%s: still open: %v", name, list)
		}
		if state == "approved" {
			w.Person("xena").WaitIn("the customer lane", rooms["customer"])
			w.Must("mia", rooms["notes"], "!lane revoke "+w.ID("xena"))
			w.Person("xena").WaitOut("the customer lane", rooms["customer"])
		} else {
			w.Out("the customer lane after "+name, rooms["customer"], "xena")
		}
		edits := w.Person("mia").Events(func(e lab.Event) bool { return e.Replaces() == card.ID })
		if len(edits) != 1 {
			t.Errorf("%s: the card was changed %d times", name, len(edits))
		}
	}
}

func both(a, b func()) {
	var wait sync.WaitGroup
	wait.Go(a)
	wait.Go(b)
	wait.Wait()
}

// What only looks like a card decides nothing, nor does a real one decide by anything but ✅ and ❌, by somebody who may. LANE-10.
func TestForgedCards(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, forgedCards) }

func forgedCards(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert("--agency " + w.ID("abe"))
	mia, abe, notes := w.Person("mia"), w.Person("abe"), rooms["notes"]
	abe.WaitIn("the notes lane", notes)
	n := w.Must("xena", rooms["internal"], "!lane request").Number("request")
	card := w.Card("mia", lab.RequestCard, n)

	forged := maps.Clone(card.Content)
	forged["body"] = "Please approve"
	fake := abe.Send(notes, "m.room.message", forged)
	mia.React(notes, fake, "✅")
	copied := maps.Clone(card.Content) // an edit of the card by somebody else, and a reaction in another room
	copied["m.new_content"] = map[string]any{"msgtype": "m.text", "body": "#1 · ✅ means no", "lanekeeper.request": card.Content["lanekeeper.request"]}
	copied["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": card.ID}
	abe.TrySend(notes, "m.room.message", copied)
	mia.TrySend(rooms["internal"], "m.reaction", map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": card.ID, "key": "✅"}})
	for _, key := range []string{"👍", "🙋", "yes", "✅✅"} {
		mia.React(notes, card.ID, key)
	}
	w.Told("mia", "takes two reactions") // once
	mia.InThread(notes, card.ID, "✅")
	abe.React(notes, card.ID, "✅") // an agency's person is in the lane, and may not approve
	w.Told("abe", fmt.Sprintf("#%d", n))
	list, _ := w.Must("mia", notes, "!lane requests").Fields["requests"].([]any) // and everything before it is through
	if len(list) != 1 {
		t.Errorf("the request is not open any more: %v", list)
	}
	w.Out("the customer lane", rooms["customer"], "xena")
	w.Refuse("not_allowed", "abe", notes, fmt.Sprintf("!lane approve #%d", n))

	mia.React(notes, card.ID, "❌")
	w.WaitCard("mia", lab.RequestCard, n, "denied")
	mia.React(notes, card.ID, "✅")
	w.Told("mia", fmt.Sprintf("Request #%d is already decided: denied", n))
	w.Out("the customer lane", rooms["customer"], "xena")
	final := mia.Events(func(e lab.Event) bool { return e.Replaces() == card.ID && e.Sender == w.Bot() })
	if len(final) != 1 || !strings.Contains(final[0].Current()["body"].(string), "Mia") && !strings.Contains(final[0].Current()["body"].(string), "mia") || strings.Contains(final[0].Current()["body"].(string), "✅") {
		t.Errorf("the decided card reads: %v", final)
	}
	_ = slug
}

// slim is a profile of an operator's own, without a notes lane.
const slim = `profiles:
  slim:
    accepted_as: expert
    lanes:
      customer:
        access: {customer: full, manager: manager}
        grantable: {expert: {access: [read, text], default: read}}
        history: joined
      internal:
        access: {expert: text, manager: manager}
        history: shared
`

// Where there is no notes lane a request's card stands in each approver's direct chat, and a decision in one shows in all. LANE-10.
func TestDirectCards(t *testing.T) {
	labtest.OnSynapse(t, lab.WorldOptions{Bridge: lab.BridgeOptions{Extra: slim}}, directCards)
}

func directCards(t *testing.T, w *lab.World) {
	made := w.Must("root", w.Direct("root"), fmt.Sprintf("project create slim \"Slim\" --profile slim --manager %s --manager %s --customer %s --expert %s", w.ID("mia"), w.ID("abe"), w.ID("carl"), w.ID("xena")))
	rooms := made.Rooms()
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	if level := w.Bridge.AsBot().Level(rooms["internal"], w.ID("xena")); level != 10 {
		t.Errorf("xena's level is %d, not 10", level)
	}
	w.Refuse("bad_argument", "xena", rooms["internal"], "!lane request full")
	n := w.Must("xena", rooms["internal"], "!lane request CANARY-SLIM").Number("request")
	for _, name := range []string{"mia", "abe"} {
		card := w.Card(name, lab.RequestCard, n)
		if members := w.Person(name).Members(card.Room); len(members) != 2 || !card.Mentions(w.ID(name)) {
			t.Errorf("%s's card stands among %v and mentions %v", name, members, card.Content["m.mentions"])
		}
	}
	card := w.Card("abe", lab.RequestCard, n)
	w.Person("abe").React(card.Room, card.ID, "✅")
	for _, name := range []string{"mia", "abe"} {
		w.WaitCard(name, lab.RequestCard, n, "approved")
	}
	w.Person("xena").WaitIn("the customer lane", rooms["customer"])
	if level := w.Bridge.AsBot().Level(rooms["customer"], w.ID("xena")); level != 0 {
		t.Errorf("xena's level is %d, not 0", level)
	}
	other := w.Card("mia", lab.RequestCard, n)
	w.Person("mia").React(other.Room, other.ID, "❌")
	w.Told("mia", fmt.Sprintf("#%d", n))
	w.Unheard("carl", "CANARY-SLIM")
}

// Who is let in finds their level written; who is taken out loses it first. LANE-08, LANE-12.
func TestLevelsFirst(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, levelsFirst) }

func levelsFirst(t *testing.T, w *lab.World) {
	_, rooms := w.NewExpert()
	customer, xena := rooms["customer"], w.ID("xena")
	w.Must("mia", rooms["internal"], "!lane approve "+xena+" full")
	w.Person("xena").WaitIn("the customer lane", customer)
	w.Must("mia", rooms["internal"], "!lane revoke "+xena)
	w.Person("xena").WaitOut("the customer lane", customer)
	var story []string
	w.Eventually("mia", "xena comes and goes", func() bool {
		story = nil
		for _, e := range w.Person("mia").Events(lab.In(customer)) {
			switch {
			case e.Type == "m.room.power_levels":
				users, _ := e.Content["users"].(map[string]any)
				story = append(story, fmt.Sprint("level ", users[xena]))
			case e.Type == "m.room.member" && *e.StateKey == xena:
				story = append(story, fmt.Sprint(e.Content["membership"]))
			}
		}
		return len(story) > 0 && story[len(story)-1] == "leave"
	})
	if got := strings.Join(story, ", "); !strings.HasSuffix(got, "level <nil>, level 20, invite, join, level <nil>, leave") {
		t.Errorf("in the customer lane: %s", got)
	}
}

// What counts is the right at the moment of the reaction. LANE-10.
func TestRightLost(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, rightLost) }

func rightLost(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert("--manager " + w.ID("abe"))
	abe, notes := w.Person("abe"), rooms["notes"]
	abe.WaitIn("the notes lane", notes)
	n := w.Must("xena", rooms["internal"], "!lane request").Number("request")
	card := w.Card("abe", lab.RequestCard, n)
	if !card.Mentions(w.ID("abe")) {
		t.Error("the card does not mention everybody who may decide")
	}
	w.Must("root", w.Direct("root"), "add "+w.ID("abe")+" agency "+slug)
	abe.React(notes, card.ID, "✅")
	w.Told("abe", fmt.Sprintf("#%d", n))
	w.Refuse("not_allowed", "abe", notes, fmt.Sprintf("!lane approve #%d", n))
	w.Out("the customer lane", rooms["customer"], "xena")
	w.Must("root", w.Direct("root"), "add "+w.ID("abe")+" manager "+slug)
	abe.React(notes, card.ID, "❌")
	w.WaitCard("mia", lab.RequestCard, n, "denied")
}

// LANE-12: no approval without another person who approves.
func TestOwnDecision(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, ownDecision) }

func ownDecision(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert()
	// root may approve everywhere, and is an expert here: asks, and cannot decide.
	w.Must("mia", rooms["internal"], "!lane add "+w.ID("root")+" expert")
	w.Person("root").WaitIn("the internal lane", rooms["internal"])
	n := w.Must("root", rooms["internal"], "!lane request full").Number("request")
	w.Refuse("not_allowed", "root", w.Direct("root"), fmt.Sprintf("approve #%d", n))
	w.Refuse("not_allowed", "root", w.Direct("root"), "approve "+w.ID("root")+" --project "+slug)
	w.Refuse("not_allowed", "root", w.Direct("root"), "revoke "+w.ID("root")+" --project "+slug)
	w.Out("the customer lane", rooms["customer"], "root")
	w.Must("mia", rooms["notes"], fmt.Sprintf("!lane approve #%d", n))
	w.Person("root").WaitIn("the customer lane", rooms["customer"])
	w.Must("mia", rooms["notes"], "!lane remove "+w.ID("root"))
	w.Person("root").WaitOut("the customer lane", rooms["customer"])

	// Nobody hands out rights over others that they do not have.
	w.Must("mia", rooms["notes"], "!lane add "+w.ID("abe")+" agency")
	abe := w.Direct("abe")
	for _, command := range []string{"add " + w.ID("eve") + " manager ", "add " + w.ID("abe") + " ops ", "add " + w.ID("mia") + " expert ", "remove " + w.ID("mia") + " "} {
		w.Refuse("not_allowed", "abe", abe, command+slug)
	}
	w.Must("abe", abe, "add "+w.ID("cleo")+" customer "+slug)
}

// --for ends what it gave, and says so to the person concerned. LANE-12.
func TestExpiry(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, expiry) }

func expiry(t *testing.T, w *lab.World) {
	_, rooms := w.NewExpert()
	bad := map[string]string{}
	for _, length := range []string{"--for soon", "--for 0s", "--for -3d", "--for 99999999d", "--for 3", "--for"} {
		bad["!lane approve "+w.ID("xena")+" "+length] = "bad_argument"
	}
	w.Refused("mia", rooms["internal"], bad)
	w.Out("the customer lane", rooms["customer"], "xena")
	r := w.Must("mia", rooms["internal"], "!lane approve "+w.ID("xena")+" text --for 4s")
	if r.Fields["until"] == nil {
		t.Errorf("approve --for: %s", r)
	}
	xena := w.Person("xena")
	xena.Wait("until when she is in", w.InDirect("xena"), func(e lab.Event) bool {
		return strings.Contains(string(e.Raw), rooms["customer"]) && strings.Contains(e.Body(), "until")
	})
	if w.Eventually("xena", "xena in the customer lane", func() bool { return xena.Membership(rooms["customer"]) != "" }); t.Failed() {
		return
	}
	xena.WaitOut("the customer lane, when her time is over", rooms["customer"])
	w.Told("xena", "has ended, as planned")
	if level := w.Bridge.AsBot().Level(rooms["customer"], xena.ID); level != 0 {
		t.Errorf("her level is still %d", level)
	}
}

// Who leaves or declines stays out until they are added, accepted or approved again. LANE-09, LANE-15.
func TestLeaving(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, leaving) }

func leaving(t *testing.T, w *lab.World) {
	slug, rooms := w.NewExpert("--customer " + w.ID("cleo"))
	internal, customer, xena, cleo := rooms["internal"], rooms["customer"], w.Person("xena"), w.Person("cleo")
	cleo.WaitIn("the customer lane", customer)
	left := func(c *lab.Client, room string) {
		t.Helper()
		if r := c.Leave(room); !r.OK() {
			t.Fatalf("%s cannot leave: %s", c.Name, r)
		}
		c.WaitOut("the room", room)
		w.Must("mia", internal, "!lane apply") // a look that finds it so
		w.Settled(slug, c.Name+" has left")
		if m := w.Membership(room, c.Name); m != "leave" {
			t.Errorf("%s left and is %q", c.Name, m)
		}
		if users, _ := w.Bridge.AsBot().State(room, "m.room.power_levels", "").Body["users"].(map[string]any); users[c.ID] != nil {
			t.Errorf("%s has left and stands in the levels", c.Name)
		}
	}
	left(cleo, customer)
	back := w.Must("mia", internal, "!lane add "+w.ID("cleo")+" customer")
	lab.Is(t, back, "changed", true)
	w.Eventually("cleo", "cleo is back", func() bool { return cleo.Membership(customer) == "join" })

	w.Must("mia", internal, "!lane approve "+w.ID("xena"))
	xena.WaitIn("the customer lane", customer)
	left(xena, customer)
	again := w.Must("mia", internal, "!lane approve "+w.ID("xena")) // the same as before, and yet
	lab.Is(t, again, "changed", true)
	w.Eventually("xena", "xena is back in the customer lane", func() bool { return xena.Membership(customer) == "join" })
	left(xena, internal)
	lab.Is(t, w.Must("mia", rooms["notes"], "!lane accept "+w.ID("xena")), "changed", true)
	w.Eventually("xena", "xena is back in the internal lane", func() bool { return xena.Membership(internal) == "join" })

	// Declining is leaving, too.
	shy := w.Homeserver.Register("shy" + strings.ReplaceAll(slug, "p", ""))
	shy.Sync()
	w.Must("mia", internal, "!lane add "+shy.ID+" customer")
	shy.WaitInvited("the customer lane", customer)
	if r := shy.Leave(customer); !r.OK() {
		t.Fatal(r)
	}
	shy.WaitOut("the customer lane", customer)
	w.Must("mia", internal, "!lane apply")
	w.Settled(slug, "an invitation was declined")
	lab.Is(t, w.Must("mia", internal, "!lane add "+shy.ID+" customer"), "changed", true)
	w.Eventually("mia", "another invitation", func() bool {
		return w.Bridge.AsBot().State(customer, "m.room.member", shy.ID).Field("membership") == "invite"
	})

	// A removal by another hand is not leaving.
	since := time.Now()
	if r := w.Bridge.AsBot().Kick(customer, w.ID("cleo")); !r.OK() {
		t.Fatal(r)
	}
	w.Eventually("cleo", "cleo is back after somebody kicked her", func() bool {
		return len(cleo.Events(lab.In(customer), lab.OfType("m.room.member"), func(e lab.Event) bool {
			return *e.StateKey == cleo.ID && e.Content["membership"] == "join" && e.Time >= since.UnixMilli()
		})) > 0
	})
}

// A command that reaches the bridge more than 15 minutes after it was sent is not executed, whoever sent it.
func TestStale(t *testing.T) { labtest.OnSynapse(t, lab.WorldOptions{}, stale) }

func stale(t *testing.T, w *lab.World) {
	slug, rooms := w.NewProject()
	room := w.Direct("olga")
	olga := w.Earlier("olga")
	send := func(age time.Duration, body string) lab.Result {
		t.Helper()
		path := fmt.Sprintf("/rooms/%s/send/m.room.message/late%d?ts=%d", room, time.Now().UnixNano(), time.Now().Add(-age).UnixMilli())
		r := olga.Do("PUT", path, map[string]any{"msgtype": "m.text", "body": body})
		if !r.OK() {
			t.Fatal(r)
		}
		return w.ResultOf("olga", r.Field("event_id"))
	}
	for _, command := range []string{"remove " + w.ID("carl") + " " + slug, "ping", "frobnicate", "project create late \"Late\""} {
		if r := send(16*time.Minute, command); r.OK || r.Code != "stale" {
			t.Errorf("%q after 16 minutes: %s", command, r)
		}
	}
	if r := send(14*time.Minute, "ping"); !r.OK {
		t.Errorf("ping after 14 minutes: %s", r)
	}
	if m := w.Membership(rooms["customer"], "carl"); m != "join" {
		t.Errorf("a stale command was executed: carl is %q", m)
	}
}
