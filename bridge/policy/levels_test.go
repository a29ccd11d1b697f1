package policy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// The ladder, in the words of the design: what the lowest rung is that may send a
// type. bots is above all people.
const bots = project.Ops + 1

type sent struct {
	typ   string
	state bool
	key   string // of state; "me" stands for the sender
}

var ladder = []struct {
	least project.Access
	what  []sent
}{
	{project.Text, messages("m.room.message", "m.reaction", "m.room.redaction")},
	// A type has one level for messages and state: see laneTypes.
	{project.Text, states("m.room.message", "m.reaction", "m.room.redaction")},
	{project.Full, messages("m.sticker", "m.poll.start", "m.poll.response", "m.poll.end",
		"org.matrix.msc3381.poll.start", "org.matrix.msc3381.poll.response", "org.matrix.msc3381.poll.end",
		"m.call.invite", "m.call.candidates", "m.call.answer", "m.call.hangup", "m.rtc.notification",
		"org.matrix.msc4075.call.notify", "m.beacon", "org.matrix.msc3672.beacon",
		"m.image", "m.file", "m.voice", "org.example.custom")},
	{project.Full, states("m.room.pinned_events")},
	{project.Full, own("m.beacon_info", "org.matrix.msc3672.beacon_info", "m.call.member",
		"org.matrix.msc3401.call.member", "m.rtc.member", "org.matrix.msc4143.rtc.member")},
	{project.Manager, states("m.room.name")},
	{bots, messages("m.room.encrypted", "m.room.power_levels", "m.room.encryption")},
	{bots, states("m.sticker", "m.poll.start", "m.call.invite", "org.example.custom", "m.room.encrypted", // message types
		"m.room.power_levels", "m.room.join_rules", "m.room.history_visibility", "m.room.guest_access",
		"m.room.server_acl", "m.room.canonical_alias", "m.room.topic", "m.room.avatar", "m.room.tombstone",
		"m.room.encryption", "m.room.third_party_invite", "m.space.child", "m.space.parent", "m.widget",
		"im.vector.modular.widgets", "m.room.policy", "m.policy.rule.user", "lanekeeper.lane", "lanekeeper.project")},
}

func messages(types ...string) []sent { return all(types, sent{}) }
func states(types ...string) []sent   { return all(types, sent{state: true}) }
func own(types ...string) []sent      { return all(types, sent{state: true, key: "me"}) }

func all(types []string, like sent) (out []sent) {
	for _, t := range types {
		like.typ = t
		out = append(out, like)
	}
	return out
}

func (s sent) String() string {
	if s.state {
		return "state " + s.typ
	}
	return s.typ
}

var versions = []string{"1", "10", "11", "12"}

// everyRung lists one person of each rung, named by it.
func everyRung() map[string]project.Access {
	listed := map[string]project.Access{}
	for a := project.Read; a <= project.Ops; a++ {
		listed[user(project.Role(a.String()))] = a
	}
	return listed
}

func laneLevels(version string, listed map[string]project.Access) map[string]any {
	p := policy.Default()
	return p.Levels(one(p, "agency", ""), project.Customer, version, bot, listed)
}

// wire is the content as it goes to the homeserver.
type wire struct {
	Users         map[string]int
	UsersDefault  *int `json:"users_default"`
	Events        map[string]int
	EventsDefault *int `json:"events_default"`
	StateDefault  *int `json:"state_default"`
	Invite        *int
	Kick          *int
	Ban           *int
	Redact        *int
	Historical    *int
	Notifications map[string]int
}

func onWire(t *testing.T, content map[string]any) (w wire) {
	t.Helper()
	b, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		t.Fatal(err)
	}
	for key, n := range map[string]*int{"users_default": w.UsersDefault, "events_default": w.EventsDefault, "state_default": w.StateDefault,
		"invite": w.Invite, "kick": w.Kick, "ban": w.Ban, "redact": w.Redact, "historical": w.Historical} {
		if n == nil {
			t.Fatalf("%s is missing: clients and servers would assume their own", key)
		}
	}
	return w
}

func (w wire) may(level int, s sent) bool {
	need, named := w.Events[s.typ]
	if !named {
		if need = *w.EventsDefault; s.state {
			need = *w.StateDefault
		}
	}
	return level >= need
}

// LANE-08: what every rung may send in a lane, in every room version.
func TestLadder(t *testing.T) {
	for _, version := range versions {
		w := onWire(t, laneLevels(version, everyRung()))
		for _, line := range ladder {
			for _, s := range line.what {
				for a := project.Read; a <= project.Ops; a++ {
					level := w.Users[user(project.Role(a.String()))]
					if got := w.may(level, s); got != (a >= line.least) {
						t.Errorf("version %s: %s sends %s: %v", version, a, s, got)
					}
				}
			}
		}
		if *w.Redact != 50 || w.Notifications["room"] != 10 || *w.UsersDefault != 0 {
			t.Errorf("version %s: %+v", version, w)
		}
	}
}

// LANE-09: in every room of ours only the bot invites, kicks, bans and decides.
func TestOnlyTheBot(t *testing.T) {
	p := policy.Default()
	for _, version := range versions {
		for name, content := range map[string]map[string]any{
			"lane": laneLevels(version, everyRung()), "Space": p.Levels(one(p, "agency", ""), project.Space, version, bot, everyRung()),
			"super-admin room": policy.SuperAdminLevels(version, bot), "direct chat": policy.DirectLevels(version, bot),
		} {
			w := onWire(t, content)
			level, listed := w.Users[bot]
			if above := version == "12"; listed == above || listed && level != 100 || policy.CreatorIsAbove(version) != above {
				t.Errorf("%s %s: the bot is at %d, listed %v", name, version, level, listed)
			}
			for who, level := range w.Users {
				if who != bot && level > 75 {
					t.Errorf("%s %s: %s has %d", name, version, who, level)
				}
			}
			for _, need := range []int{*w.Invite, *w.Kick, *w.Ban, *w.StateDefault, w.Events["m.room.power_levels"], w.Events["m.room.encrypted"], w.Events["m.room.encryption"]} {
				if need != 100 {
					t.Errorf("%s %s: people reach %d", name, version, need)
				}
			}
			if tombstone := map[bool]int{true: 150, false: 100}[version == "12"]; w.Events["m.room.tombstone"] != tombstone {
				t.Errorf("%s %s: m.room.tombstone %d", name, version, w.Events["m.room.tombstone"])
			}
			text := sent{typ: "m.room.message"}
			if got, want := w.may(0, text), name == "super-admin room" || name == "direct chat"; got != want {
				t.Errorf("%s %s: level 0 writes: %v", name, version, got)
			}
			if name == "Space" && (w.may(75, text) || w.may(75, sent{typ: "m.room.name", state: true}) || len(w.Users) > 1) {
				t.Errorf("%s: somebody writes in the Space: %+v", version, w)
			}
		}
	}
}

// Who is not in the room does not stand in its levels; nor does who needs no entry.
func TestOnlyTheListed(t *testing.T) {
	for _, version := range versions {
		w := onWire(t, laneLevels(version, map[string]project.Access{"@carl:example.org": project.Full, "@rita:example.org": project.Read, "@gone:example.org": project.None, bot: project.Text}))
		want := []string{"@carl:example.org", bot}
		if version == "12" {
			want = want[:1]
		}
		if got := slices.Sorted(maps.Keys(w.Users)); !slices.Equal(got, want) {
			t.Errorf("version %s lists %v", version, got)
		}
	}
}

func TestRoomVersions(t *testing.T) {
	for version, want := range map[string]bool{"1": false, "11": false, "12": true, "13": true, "": false, "org.example.new": false} {
		if policy.CreatorIsAbove(version) != want {
			t.Errorf("%q", version)
		}
	}
	if a, b := fmt.Sprint(laneLevels("1", everyRung())), fmt.Sprint(laneLevels("11", everyRung())); a != b {
		t.Error("versions 1 and 11 differ")
	}
}
