package story_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
)

var update = flag.Bool("update", false, "write docs/story.md anew from what TestStory saw on Dendrite")

// story is one project's life, told by the steps in story_*_test.go. Each step goes on where the last one ended.
type story struct {
	*lab.World
	customer, internal, notes, space string // rooms
	root, mia, carl, xena            *lab.Client
}

// TestStory is the main job from the first command to the last, as the people in it live it, through real clients on real
// homeservers and both databases.
func TestStory(t *testing.T) {
	t.Run("Synapse and SQLite", func(t *testing.T) {
		t.Parallel()
		tell(t, lab.WorldOptions{Server: lab.KindSynapse})
	})
	t.Run("Dendrite and PostgreSQL", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the smoke test is enough for -short runs")
		}
		t.Parallel()
		s := tell(t, lab.WorldOptions{Bridge: lab.BridgeOptions{Postgres: true}, Contract: true})
		t.Run("Twilio's contract was kept", func(t *testing.T) { s.Phones.CheckContract(t) })
		if *update && !t.Failed() {
			writeStory(t, s)
		}
	})
}

func tell(t *testing.T, o lab.WorldOptions) *story {
	o.WhatsApp = true
	s := &story{World: lab.NewWorld(t, o)}
	s.root, s.mia, s.carl, s.xena = s.Person("root"), s.Person("mia"), s.Person("carl"), s.Person("xena")
	for _, step := range []struct {
		name string
		play func(*story, *testing.T)
	}{
		{"a project has its lanes", (*story).lanes},
		{"levels bind", (*story).levels},
		{"an expert is accepted", (*story).accept},
		{"an approval opens the customer lane", (*story).approve},
		{"a revocation closes it", (*story).revoke},
		{"a denial says why", (*story).deny},
		{"asked with a reaction, answered on WhatsApp", (*story).askOnWhatsApp},
		{"asked with a command, answered in Matrix", (*story).askInMatrix},
		{"two questions, one answer without a number", (*story).ambiguous},
		{"a question from the internal lane stays in Matrix", (*story).askInternally},
		{"two agents answer", (*story).twoAgents},
		{"in the end nothing leaked and nothing is left to do", (*story).end},
	} {
		if !t.Run(step.name, func(t *testing.T) { s.During(t); step.play(s, t) }) {
			t.FailNow() // the next step builds on this one
		}
	}
	return s
}

// The first project: everybody is where they belong, and what a room tells about itself betrays nothing.
// LANE-01, LANE-02, LANE-03, LANE-04, LANE-06, LANE-19.
func (s *story) lanes(t *testing.T) {
	rooms := s.Project("acme")
	s.customer, s.internal, s.notes, s.space = rooms["customer"], rooms["internal"], rooms["notes"], rooms["space"]

	bot := s.Bridge.AsBot()
	for kind, room := range rooms {
		if kind != "customer" {
			s.Out("the "+kind+" room", room, "carl")
		}
		for typ, field := range map[string]string{"m.room.join_rules": "join_rule", "m.room.guest_access": "guest_access"} {
			if value := bot.State(room, typ, "").Field(field); value == "public" || value == "can_join" {
				t.Errorf("%s of %s is %s", field, kind, value)
			}
		}
		if alias := bot.State(room, "m.room.canonical_alias", "").Field("alias"); alias != "" {
			t.Errorf("%s shows the alias %s", kind, alias)
		}
		if kind == "space" {
			continue
		}
		lane := bot.State(room, "lanekeeper.lane", "")
		if lane.Field("kind") != kind || lane.Field("project") == "" || len(lane.Body) != 2 {
			t.Errorf("lanekeeper.lane of %s is %s", kind, lane)
		}
		if name := bot.State(room, "m.room.name", "").Field("name"); !strings.HasPrefix(strings.ToLower(name), kind+" · ") {
			t.Errorf("the %s lane is called %q", kind, name)
		}
		if child := bot.State(s.space, "m.space.child", room); !child.OK() || child.Body["via"] == nil {
			t.Errorf("the Space lacks the %s lane: %s", kind, child)
		}
	}

	command := fmt.Sprintf("project create acme %q --profile agency --manager %s --customer %s", "Acme", s.ID("mia"), s.ID("carl"))
	if again := s.Must("root", s.Direct("root"), command); again.Fields["changed"] != false {
		t.Errorf("making it again: %s", again)
	}
	s.Refuse("conflict", "root", s.Direct("root"), `project create acme "Another" --profile open`)

	hello := s.carl.Text(s.customer, "Hi, I am Carl. Here is what we need for the landing page.")
	s.mia.Wait("Carl's first words", lab.ID(hello))
}

// Only the bot invites, kicks and changes rooms, whatever a person's role is. LANE-09.
func (s *story) levels(t *testing.T) {
	for what, r := range map[string]lab.Response{
		"the manager invites":      s.mia.Invite(s.customer, s.ID("eve")),
		"the manager kicks":        s.mia.Kick(s.customer, s.ID("carl")),
		"the customer invites":     s.carl.Invite(s.customer, s.ID("eve")),
		"the customer renames":     s.carl.PutState(s.customer, "m.room.name", "", map[string]any{"name": "Mine"}),
		"the customer sets levels": s.carl.PutState(s.customer, "m.room.power_levels", "", map[string]any{"users": map[string]any{s.carl.ID: 100}}),
		"an outsider joins":        s.Person("eve").Join(s.customer),
	} {
		if !r.Refused() {
			t.Errorf("%s: %s", what, r)
		}
	}
	s.Refuse("not_allowed", "eve", s.Direct("eve"), "add "+s.ID("eve")+" manager --project acme")
}

// LANE-11: an accepted expert gets the internal lane, and that alone.
func (s *story) accept(t *testing.T) {
	s.Must("mia", s.internal, "!lane accept "+s.ID("xena"))
	s.xena.WaitIn("the internal lane", s.internal)
	s.Out("the customer lane", s.customer, "xena")
	s.Out("the notes lane", s.notes, "xena")
	s.Out("the Space", s.space, "xena")
	if r := s.xena.Join(s.customer); !r.Refused() {
		t.Errorf("xena joins the customer lane by hand: %s", r)
	}
}

// LANE-10, LANE-12: a request becomes a card where approvers see it; one reaction there lets the expert in.
func (s *story) approve(t *testing.T) {
	n := s.Must("xena", s.internal, "!lane request customer text need to ask about the logo").Number("request")
	card := s.Card("mia", lab.RequestCard, n)
	if card.Room != s.notes || card.Notice() || !card.Mentions(s.mia.ID) || card.Mentions(s.xena.ID) {
		t.Errorf("the card stands in the notes lane: %v, is a notice: %v, mentions: %v", card.Room == s.notes, card.Notice(), card.Content["m.mentions"])
	}
	s.mia.React(card.Room, card.ID, "✅")
	s.xena.WaitIn("the customer lane", s.customer)
	s.WaitCard("mia", lab.RequestCard, n, "approved")
	if level := s.Bridge.AsBot().Level(s.customer, s.xena.ID); level != 10 {
		t.Errorf("xena's level is %d, not 10 (text)", level)
	}
	s.xena.Wait("where she may write now, in her direct chat", lab.From(s.Bot()), lab.NotIn(s.customer, s.internal), func(e lab.Event) bool {
		return strings.Contains(string(e.Raw), s.customer) && strings.Contains(string(e.Raw), "via=")
	})
	question := s.xena.Text(s.customer, "Hello Carl, which logo should I use?")
	s.carl.Wait("xena's question", lab.ID(question))
	if r := s.xena.Invite(s.customer, s.ID("eve")); !r.Refused() {
		t.Errorf("xena invites: %s", r)
	}
}

// LANE-12, TRUST-16: what was granted can be taken back, without touching anything else.
func (s *story) revoke(t *testing.T) {
	s.Must("mia", s.internal, "!lane revoke "+s.ID("xena")+" customer done with that")
	s.xena.WaitOut("the customer lane", s.customer)
	if s.xena.Membership(s.internal) != "join" {
		t.Error("xena lost the internal lane too")
	}
	if r := s.xena.TrySend(s.customer, "m.room.message", map[string]any{"msgtype": "m.text", "body": "one more thing"}); !r.Refused() {
		t.Errorf("xena still writes: %s", r)
	}
}

// LANE-10: a denied request tells the person why, and changes nothing.
func (s *story) deny(t *testing.T) {
	n := s.Must("xena", s.internal, "!lane request customer full again please").Number("request")
	s.Must("mia", s.internal, fmt.Sprintf("!lane deny #%d not now", n))
	s.WaitCard("mia", lab.RequestCard, n, "denied")
	s.xena.Wait("why not, in her direct chat", lab.From(s.Bot()), lab.NotIn(s.customer, s.internal), lab.Says("not now"))
	s.Out("the customer lane", s.customer, "xena")
	s.Refuse("conflict", "mia", s.internal, fmt.Sprintf("!lane approve #%d", n))
}

// TRUST-15: after all of it, nobody heard what was not for them, and the homeserver is as the record wants it.
func (s *story) end(t *testing.T) {
	people := s.Must("mia", s.internal, "!lane who").Fields["people"]
	if list, _ := people.([]any); len(list) < 2 {
		t.Errorf("who: %v", people)
	}
	for _, room := range []string{s.internal, s.notes, s.space} {
		if strings.Contains(s.carl.Heard(), room) {
			t.Errorf("carl heard of room %s", room)
		}
	}
	for _, words := range []string{"need to ask about the logo", "not now", "done with that"} {
		if strings.Contains(s.carl.Heard(), words) {
			t.Errorf("carl heard %q", words)
		}
	}
	s.CheckAnswers()
	s.CheckSettled("after the story")
}

// writeStory renders what everybody saw, for people who want to know what using this is like.
func writeStory(t *testing.T, s *story) {
	const head = `# What people see

Made by ` + "`go test ./bridge/scenario/story -run TestStory -update`" + ` from a run on a real homeserver: every line stood in somebody's client or on somebody's
phone. Carl is a customer, Mia the manager, Xena an expert, Root the platform's super-admin; Dana and Eli answer on WhatsApp.

`
	text := head + s.Transcript("carl", "xena", "mia", "root")
	if err := os.WriteFile("../../../docs/story.md", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
