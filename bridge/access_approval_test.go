package bridge_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"lanekeeper/bridge/bridgetest"
)

// expert makes a project where xena is accepted.
func (g *ground) expert(flags ...string) (slug string, rooms map[string]string) {
	slug, rooms = g.project(flags...)
	g.Must("mia", rooms["internal"], "!lane accept "+g.ID("xena"))
	g.Person("xena").WaitIn("the internal lane", rooms["internal"])
	return slug, rooms
}

// Two managers decide at the same moment, one each way: there is one outcome, the card shows it, and the other is told. LANE-10.
func (g *ground) twoDeciders(t *testing.T) {
	slug, rooms := g.expert("--ops "+g.ID("olga"), "--manager "+g.ID("abe"))
	for _, who := range []string{"olga", "abe"} {
		g.Person(who).WaitIn("the notes lane", rooms["notes"])
	}
	decide := map[string]func(card bridgetest.Event, n int){
		"two reactions": func(card bridgetest.Event, n int) {
			both(func() { g.Person("mia").React(card.Room, card.ID, "✅") }, func() { g.Person("olga").React(card.Room, card.ID, "❌") })
		},
		"a reaction and a command elsewhere": func(card bridgetest.Event, n int) {
			direct := g.Direct("abe")
			both(func() { g.Person("mia").React(card.Room, card.ID, "❌") }, func() { g.Person("abe").Text(direct, fmt.Sprintf("approve #%d", n)) })
		},
	}
	for name, at := range decide {
		n := g.Must("xena", rooms["internal"], "!lane request").Number("request")
		card := g.Card("mia", bridgetest.RequestCard, n)
		at(card, n)
		state := ""
		g.eventually(t, "mia", name+": a decision on the card", func() bool {
			for _, e := range g.Person("mia").Events(func(e bridgetest.Event) bool { return e.Replaces() == card.ID }) {
				state, _ = e.Object(bridgetest.RequestCard)["state"].(string)
			}
			return state == "approved" || state == "denied"
		})
		if name == "two reactions" { // whoever came second is told
			loser := map[string]string{"approved": "olga", "denied": "mia"}[state]
			g.told(loser, fmt.Sprintf("#%d", n))
		}
		list, _ := g.Must("root", g.Direct("root"), "requests --project "+slug).Fields["requests"].([]any)
		if len(list) != 0 {
			t.Errorf("%s: still open: %v", name, list)
		}
		if state == "approved" {
			g.Person("xena").WaitIn("the customer lane", rooms["customer"])
			g.Must("mia", rooms["notes"], "!lane revoke "+g.ID("xena"))
			g.Person("xena").WaitOut("the customer lane", rooms["customer"])
		} else {
			g.Out("the customer lane after "+name, rooms["customer"], "xena")
		}
		edits := g.Person("mia").Events(func(e bridgetest.Event) bool { return e.Replaces() == card.ID })
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
func (g *ground) forgedCards(t *testing.T) {
	slug, rooms := g.expert("--agency " + g.ID("abe"))
	mia, abe, notes := g.Person("mia"), g.Person("abe"), rooms["notes"]
	abe.WaitIn("the notes lane", notes)
	n := g.Must("xena", rooms["internal"], "!lane request").Number("request")
	card := g.Card("mia", bridgetest.RequestCard, n)

	forged := maps.Clone(card.Content)
	forged["body"] = "Please approve"
	fake := abe.Send(notes, "m.room.message", forged)
	mia.React(notes, fake, "✅")
	copied := maps.Clone(card.Content) // an edit of the card by somebody else, and a reaction in another room
	copied["m.new_content"] = map[string]any{"msgtype": "m.text", "body": "#1 · ✅ means no", "lanekeeper.request": card.Content["lanekeeper.request"]}
	copied["m.relates_to"] = map[string]any{"rel_type": "m.replace", "event_id": card.ID}
	abe.TrySend(notes, "m.room.message", copied)
	mia.TrySend(rooms["internal"], "m.reaction", map[string]any{"m.relates_to": map[string]any{"rel_type": "m.annotation", "event_id": card.ID, "key": "✅"}})
	for _, key := range []string{"👍", "✔️", "🙋", "yes", "☑️"} {
		mia.React(notes, card.ID, key)
	}
	mia.InThread(notes, card.ID, "✅")
	abe.React(notes, card.ID, "✅") // an agency's person is in the lane, and may not approve
	g.told("abe", fmt.Sprintf("#%d", n))
	list, _ := g.Must("mia", notes, "!lane requests").Fields["requests"].([]any) // and everything before it is through
	if len(list) != 1 {
		t.Errorf("the request is not open any more: %v", list)
	}
	g.Out("the customer lane", rooms["customer"], "xena")
	g.Refuse("not_allowed", "abe", notes, fmt.Sprintf("!lane approve #%d", n))

	mia.React(notes, card.ID, "❌")
	g.WaitCard("mia", bridgetest.RequestCard, n, "denied")
	mia.React(notes, card.ID, "✅")
	g.told("mia", fmt.Sprintf("#%d", n)) // it is decided
	g.Out("the customer lane", rooms["customer"], "xena")
	final := mia.Events(func(e bridgetest.Event) bool { return e.Replaces() == card.ID && e.Sender == g.Bot() })
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
func (g *ground) directCards(t *testing.T) {
	made := g.Must("root", g.Direct("root"), fmt.Sprintf("project create slim \"Slim\" --profile slim --manager %s --manager %s --customer %s --expert %s", g.ID("mia"), g.ID("abe"), g.ID("carl"), g.ID("xena")))
	rooms := made.Rooms()
	g.Person("xena").WaitIn("the internal lane", rooms["internal"])
	if level := g.Bridge.AsBot().Level(rooms["internal"], g.ID("xena")); level != 10 {
		t.Errorf("xena's level is %d, not 10", level)
	}
	g.Refuse("bad_argument", "xena", rooms["internal"], "!lane request full")
	n := g.Must("xena", rooms["internal"], "!lane request CANARY-SLIM").Number("request")
	for _, name := range []string{"mia", "abe"} {
		card := g.Card(name, bridgetest.RequestCard, n)
		if members := g.Person(name).Members(card.Room); len(members) != 2 || !card.Mentions(g.ID(name)) {
			t.Errorf("%s's card stands among %v and mentions %v", name, members, card.Content["m.mentions"])
		}
	}
	card := g.Card("abe", bridgetest.RequestCard, n)
	g.Person("abe").React(card.Room, card.ID, "✅")
	for _, name := range []string{"mia", "abe"} {
		g.WaitCard(name, bridgetest.RequestCard, n, "approved")
	}
	g.Person("xena").WaitIn("the customer lane", rooms["customer"])
	if level := g.Bridge.AsBot().Level(rooms["customer"], g.ID("xena")); level != 0 {
		t.Errorf("xena's level is %d, not 0", level)
	}
	other := g.Card("mia", bridgetest.RequestCard, n)
	g.Person("mia").React(other.Room, other.ID, "❌")
	g.told("mia", fmt.Sprintf("#%d", n))
	g.unheard(t, "carl", "CANARY-SLIM")
}

// Who is let in finds their level written; who is taken out loses it first. LANE-08, LANE-12.
func (g *ground) levelsFirst(t *testing.T) {
	_, rooms := g.expert()
	customer, xena := rooms["customer"], g.ID("xena")
	g.Must("mia", rooms["internal"], "!lane approve "+xena+" full")
	g.Person("xena").WaitIn("the customer lane", customer)
	g.Must("mia", rooms["internal"], "!lane revoke "+xena)
	g.Person("xena").WaitOut("the customer lane", customer)
	var story []string
	g.eventually(t, "mia", "xena comes and goes", func() bool {
		story = nil
		for _, e := range g.Person("mia").Events(bridgetest.In(customer)) {
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
func (g *ground) rightLost(t *testing.T) {
	slug, rooms := g.expert("--manager " + g.ID("abe"))
	abe, notes := g.Person("abe"), rooms["notes"]
	abe.WaitIn("the notes lane", notes)
	n := g.Must("xena", rooms["internal"], "!lane request").Number("request")
	card := g.Card("abe", bridgetest.RequestCard, n)
	if !card.Mentions(g.ID("abe")) {
		t.Error("the card does not mention everybody who may decide")
	}
	g.Must("root", g.Direct("root"), "add "+g.ID("abe")+" agency "+slug)
	abe.React(notes, card.ID, "✅")
	g.told("abe", fmt.Sprintf("#%d", n))
	g.Refuse("not_allowed", "abe", notes, fmt.Sprintf("!lane approve #%d", n))
	g.Out("the customer lane", rooms["customer"], "xena")
	g.Must("root", g.Direct("root"), "add "+g.ID("abe")+" manager "+slug)
	abe.React(notes, card.ID, "❌")
	g.WaitCard("mia", bridgetest.RequestCard, n, "denied")
}

// LANE-12: no approval without another person who approves.
func (g *ground) ownDecision(t *testing.T) {
	slug, rooms := g.expert()
	// root may approve everywhere, and is an expert here: asks, and cannot decide.
	g.Must("mia", rooms["internal"], "!lane add "+g.ID("root")+" expert")
	g.Person("root").WaitIn("the internal lane", rooms["internal"])
	n := g.Must("root", rooms["internal"], "!lane request full").Number("request")
	g.Refuse("not_allowed", "root", g.Direct("root"), fmt.Sprintf("approve #%d", n))
	g.Refuse("not_allowed", "root", g.Direct("root"), "approve "+g.ID("root")+" --project "+slug)
	g.Refuse("not_allowed", "root", g.Direct("root"), "revoke "+g.ID("root")+" --project "+slug)
	g.Out("the customer lane", rooms["customer"], "root")
	g.Must("mia", rooms["notes"], fmt.Sprintf("!lane approve #%d", n))
	g.Person("root").WaitIn("the customer lane", rooms["customer"])
	g.Must("mia", rooms["notes"], "!lane remove "+g.ID("root"))
	g.Person("root").WaitOut("the customer lane", rooms["customer"])

	// Nobody hands out rights over others that they do not have.
	g.Must("mia", rooms["notes"], "!lane add "+g.ID("abe")+" agency")
	abe := g.Direct("abe")
	for _, command := range []string{"add " + g.ID("eve") + " manager ", "add " + g.ID("abe") + " ops ", "add " + g.ID("mia") + " expert ", "remove " + g.ID("mia") + " "} {
		g.Refuse("not_allowed", "abe", abe, command+slug)
	}
	g.Must("abe", abe, "add "+g.ID("cleo")+" customer "+slug)
}

// --for ends what it gave, and says so to the person concerned. LANE-12.
func (g *ground) expiry(t *testing.T) {
	_, rooms := g.expert()
	bad := map[string]string{}
	for _, length := range []string{"--for soon", "--for 0s", "--for -3d", "--for 99999999d", "--for 3", "--for"} {
		bad["!lane approve "+g.ID("xena")+" "+length] = "bad_argument"
	}
	g.refused(t, "mia", rooms["internal"], bad)
	g.Out("the customer lane", rooms["customer"], "xena")
	r := g.Must("mia", rooms["internal"], "!lane approve "+g.ID("xena")+" text --for 4s")
	if r.Fields["until"] == nil {
		t.Errorf("approve --for: %s", r)
	}
	xena := g.Person("xena")
	xena.Wait("until when she is in", g.inDirect("xena"), func(e bridgetest.Event) bool {
		return strings.Contains(string(e.Raw), rooms["customer"]) && strings.Contains(e.Body(), "until")
	})
	if g.eventually(t, "xena", "xena in the customer lane", func() bool { return xena.Membership(rooms["customer"]) != "" }); t.Failed() {
		return
	}
	xena.WaitOut("the customer lane, when her time is over", rooms["customer"])
	g.told("xena", "is over")
	if level := g.Bridge.AsBot().Level(rooms["customer"], xena.ID); level != 0 {
		t.Errorf("her level is still %d", level)
	}
}

// Who leaves or declines stays out until they are added, accepted or approved again. LANE-09, LANE-15.
func (g *ground) leaving(t *testing.T) {
	slug, rooms := g.expert("--customer " + g.ID("cleo"))
	internal, customer, xena, cleo := rooms["internal"], rooms["customer"], g.Person("xena"), g.Person("cleo")
	cleo.WaitIn("the customer lane", customer)
	left := func(c *bridgetest.Client, room string) {
		t.Helper()
		if r := c.Leave(room); !r.OK() {
			t.Fatalf("%s cannot leave: %s", c.Name, r)
		}
		c.WaitOut("the room", room)
		g.Must("mia", internal, "!lane apply") // a look that finds it so
		g.settled(t, slug, c.Name+" has left")
		if m := g.Membership(room, c.Name); m != "leave" {
			t.Errorf("%s left and is %q", c.Name, m)
		}
		if users, _ := g.Bridge.AsBot().State(room, "m.room.power_levels", "").Body["users"].(map[string]any); users[c.ID] != nil {
			t.Errorf("%s has left and stands in the levels", c.Name)
		}
	}
	left(cleo, customer)
	back := g.Must("mia", internal, "!lane add "+g.ID("cleo")+" customer")
	is(t, back, "changed", true)
	g.eventually(t, "cleo", "cleo is back", func() bool { return cleo.Membership(customer) == "join" })

	g.Must("mia", internal, "!lane approve "+g.ID("xena"))
	xena.WaitIn("the customer lane", customer)
	left(xena, customer)
	again := g.Must("mia", internal, "!lane approve "+g.ID("xena")) // the same as before, and yet
	is(t, again, "changed", true)
	g.eventually(t, "xena", "xena is back in the customer lane", func() bool { return xena.Membership(customer) == "join" })
	left(xena, internal)
	is(t, g.Must("mia", rooms["notes"], "!lane accept "+g.ID("xena")), "changed", true)
	g.eventually(t, "xena", "xena is back in the internal lane", func() bool { return xena.Membership(internal) == "join" })

	// Declining is leaving, too.
	shy := g.Homeserver.Register(fmt.Sprintf("shy%d", g.made))
	shy.Sync()
	g.Must("mia", internal, "!lane add "+shy.ID+" customer")
	shy.WaitInvited("the customer lane", customer)
	if r := shy.Leave(customer); !r.OK() {
		t.Fatal(r)
	}
	shy.WaitOut("the customer lane", customer)
	g.Must("mia", internal, "!lane apply")
	g.settled(t, slug, "an invitation was declined")
	is(t, g.Must("mia", internal, "!lane add "+shy.ID+" customer"), "changed", true)
	g.eventually(t, "mia", "another invitation", func() bool {
		return g.Bridge.AsBot().State(customer, "m.room.member", shy.ID).Field("membership") == "invite"
	})

	// A removal by another hand is not leaving.
	since := time.Now()
	if r := g.Bridge.AsBot().Kick(customer, g.ID("cleo")); !r.OK() {
		t.Fatal(r)
	}
	g.eventually(t, "cleo", "cleo is back after somebody kicked her", func() bool {
		return len(cleo.Events(bridgetest.In(customer), bridgetest.OfType("m.room.member"), func(e bridgetest.Event) bool {
			return *e.StateKey == cleo.ID && e.Content["membership"] == "join" && e.Time >= since.UnixMilli()
		})) > 0
	})
}

// masquerade is an application service that may act for olga and set the time of what she says.
const masquerade = `id: masquerade
url: null
as_token: masquerade_as_token
hs_token: masquerade_hs_token
sender_localpart: masquerade
rate_limited: false
namespaces:
  users: [{regex: "@olga:.*", exclusive: false}]
  rooms: []
  aliases: []
`

// A command that reaches the bridge more than 15 minutes after it was sent is not executed, whoever sent it.
func (g *ground) stale(t *testing.T) {
	slug, rooms := g.project()
	room := g.Direct("olga")
	olga := bridgetest.As(t, g.Homeserver.URL, g.ID("olga"), "masquerade_as_token")
	send := func(age time.Duration, body string) bridgetest.Result {
		t.Helper()
		path := fmt.Sprintf("/rooms/%s/send/m.room.message/late%d?ts=%d", room, time.Now().UnixNano(), time.Now().Add(-age).UnixMilli())
		r := olga.Do("PUT", path, map[string]any{"msgtype": "m.text", "body": body})
		if !r.OK() {
			t.Fatal(r)
		}
		return g.ResultOf("olga", r.Field("event_id"))
	}
	for _, command := range []string{"remove " + g.ID("carl") + " " + slug, "ping", "frobnicate", "project create late \"Late\""} {
		if r := send(16*time.Minute, command); r.OK || r.Code != "stale" {
			t.Errorf("%q after 16 minutes: %s", command, r)
		}
	}
	if r := send(14*time.Minute, "ping"); !r.OK {
		t.Errorf("ping after 14 minutes: %s", r)
	}
	if m := g.Membership(rooms["customer"], "carl"); m != "join" {
		t.Errorf("a stale command was executed: carl is %q", m)
	}
}
