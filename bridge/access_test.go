package bridge_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/bridgetest"
)

// ground is one world in which many scenes play that have nothing to do with each other: each makes projects of its own.
type ground struct {
	*bridgetest.World
	made int
}

// scene is a thing that somebody tries, and what comes of it.
type scene struct {
	name string
	both bool // also on Dendrite and PostgreSQL
	play func(*ground, *testing.T)
}

// accessScenes are about who may what. Those on direct chats and odd input stand in files of their own.
var accessScenes = []scene{
	{"results are as the contract's table", true, (*ground).results},
	{"who has no right learns nothing", true, (*ground).nothingBetrayed},
	{"the customer lane knows six commands", true, (*ground).customerLane},
	{"what was decided stays decided", false, (*ground).conflicts},
	{"answers name what all readers may know", true, (*ground).answersForAll},
	{"talk among staff is no command", false, (*ground).staffTalk},
	{"two deciders at once", true, (*ground).twoDeciders},
	{"cards that decide nothing", true, (*ground).forgedCards},
	{"a right lost between card and reaction", false, (*ground).rightLost},
	{"cards without a notes lane", false, (*ground).directCards},
	{"levels come first, and go first", true, (*ground).levelsFirst},
	{"nobody decides their own", false, (*ground).ownDecision},
	{"an approval that ends", true, (*ground).expiry},
	{"who leaves is not called back", true, (*ground).leaving},
	{"a command that comes late", false, (*ground).stale},
	{"archived and restored", true, (*ground).archive},
	{"the profile managed", false, (*ground).managed},
	{"the profile open", false, (*ground).open},
	{"drift heals", true, (*ground).drift},
	{"direct chats with people it knows", true, (*ground).strangers},
	{"what was said before the bot came", true, (*ground).beforeTheBot},
	{"several direct chats", false, (*ground).severalDirectChats},
	{"a third person in a direct chat", true, (*ground).thirdPerson},
	{"an encrypted direct chat", true, (*ground).encryptedDirect},
	{"rooms that only look like direct chats", false, (*ground).notDirect},
	{"odd people, links and marks", true, (*ground).oddArguments},
	{"long texts", true, (*ground).longTexts},
	{"events of any shape", true, (*ground).oddEvents},
	{"names that try to be something else", false, (*ground).oddNames},
	{"webhooks that Twilio did not send", false, (*ground).forgedWebhooks},
	{"transactions that the homeserver did not send", false, (*ground).forgedTransactions},
	{"drift while the bridge is down heals", true, (*ground).driftWhileDown}, // stops the bridge: after the others
}

// TestAccess plays all of them on Synapse and the most important ones on Dendrite too.
func TestAccess(t *testing.T) {
	t.Run("Synapse and SQLite", func(t *testing.T) {
		playAll(t, false, bridgetest.WorldOptions{Server: bridgetest.KindSynapse, Homeserver: bridgetest.Options{Another: masquerade}})
	})
	t.Run("Dendrite and PostgreSQL", func(t *testing.T) {
		if testing.Short() {
			t.Skip("the smoke test is enough for -short runs")
		}
		playAll(t, true, bridgetest.WorldOptions{Bridge: bridgetest.BridgeOptions{Postgres: true}})
	})
}

func playAll(t *testing.T, both bool, o bridgetest.WorldOptions) {
	o.WhatsApp, o.Proxy = true, true
	o.People = append(slices.Clone(bridgetest.People), "stranger")
	o.Bridge.Extra = slim
	o.Bridge.Permissions = "  \"@stranger:" + bridgetest.Domain + "\": none\n"
	g := &ground{World: bridgetest.NewWorld(t, o)}
	held := g.hold()
	for _, s := range accessScenes {
		if both && !s.both {
			continue
		}
		t.Run(s.name, func(t *testing.T) { g.During(t); s.play(g, t) })
	}
	t.Run("what Matrix does not show is pending", func(t *testing.T) { g.During(t); g.pending(t, held) })
	t.Run("each command has one answer", func(t *testing.T) {
		g.During(t)
		g.CheckAnswers()
		g.CheckSettled("in the end")
	})
}

// project makes a project of the profile agency with a name of its own: mia manages, carl is the customer.
func (g *ground) project(flags ...string) (slug string, rooms map[string]string) {
	g.made++
	slug = fmt.Sprintf("p%d", g.made)
	return slug, g.Project(slug, flags...)
}

// settled reports an error unless the homeserver is as one project wants it.
func (g *ground) settled(t *testing.T, slug, when string) {
	t.Helper()
	if out, code := g.Bridge.Plan(slug); code != 0 {
		t.Errorf("%s: plan ends with %d:\n%s", when, code, out)
	}
}

// eventually waits until something holds that shows in what somebody's client gets.
func (g *ground) eventually(t *testing.T, watcher, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), bridgetest.Patience)
	defer cancel()
	if !g.Person(watcher).Until(ctx, holds) {
		t.Errorf("it never came to be: %s", what)
	}
}

// private waits for the result of a command that is told in the direct chat alone.
func (g *ground) private(person, command string, matches ...bridgetest.Match) bridgetest.Event {
	return g.Person(person).Wait("the rest of the answer to "+command, append(matches, g.inDirect(person), func(e bridgetest.Event) bool {
		r := e.Object("lanekeeper.result")
		return r != nil && r["command"] == command && e.Thread() == "" && e.Replaces() == ""
	})...)
}

// told waits for words of the bot in somebody's direct chat that answer no command.
func (g *ground) told(person, words string) bridgetest.Event {
	return g.Person(person).Wait(fmt.Sprintf("%q in the direct chat", words), g.inDirect(person), bridgetest.Says(words))
}

// inDirect matches what the bot says to somebody alone: in no lane and no Space.
func (g *ground) inDirect(person string) bridgetest.Match {
	others := bridgetest.NotIn(g.lanes(person)...)
	return func(e bridgetest.Event) bool { return e.Sender == g.Bot() && others(e) }
}

// lanes are the rooms of somebody that say what they are.
func (g *ground) lanes(person string) (rooms []string) {
	for _, e := range g.Person(person).Events(bridgetest.OfType("lanekeeper.lane")) {
		rooms = append(rooms, e.Room)
	}
	return rooms
}

// refused says commands that all have to be refused, each with its code ("": it has to succeed).
func (g *ground) refused(t *testing.T, person, room string, codes map[string]string) {
	t.Helper()
	commands := slices.Sorted(maps.Keys(codes))
	for i, r := range g.DoAll(person, room, commands...) {
		if want := codes[commands[i]]; r.Code != want || r.OK != (want == "") {
			t.Errorf("%s: %.100q should be refused as %q, not answered %s", person, commands[i], want, r)
		} else if r.Text == "" || len(r.Text) > 2000 {
			t.Errorf("%s: %.100q is answered with %d bytes", person, commands[i], len(r.Text))
		}
	}
}

// has reports every one of the fields that a result lacks, and those it has beyond them.
func has(t *testing.T, r bridgetest.Result, fields ...string) {
	t.Helper()
	fields = append(fields, "ok", "command")
	var names []string
	for name := range r.Fields {
		names = append(names, name)
	}
	for _, f := range fields {
		if !slices.Contains(names, f) {
			t.Errorf("%s has no %q: %s", r.Fields["command"], f, r)
		}
	}
	for _, n := range names {
		if !slices.Contains(fields, n) && n != "changed" {
			t.Errorf("%s has %q, which nobody was promised: %s", r.Fields["command"], n, r)
		}
	}
}

// is compares a field of a result, as text.
func is(t *testing.T, r bridgetest.Result, field string, want any) {
	t.Helper()
	if got := fmt.Sprint(r.Fields[field]); got != fmt.Sprint(want) {
		t.Errorf("%s: %q is %s, not %v", r.Fields["command"], field, got, want)
	}
}

// unheard reports words that somebody should not have heard.
func (g *ground) unheard(t *testing.T, person string, words ...string) {
	t.Helper()
	heard := g.Person(person).Heard()
	for _, w := range words {
		if strings.Contains(heard, w) {
			t.Errorf("%s heard %q", person, w)
		}
	}
}
