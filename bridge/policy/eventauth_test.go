//go:build goexperiment.jsonv2 || go1.27

package policy_test

import (
	"encoding/json"
	"encoding/json/jsontext"
	"fmt"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/federation/eventauth"
	"maunium.net/go/mautrix/federation/pdu"
	"maunium.net/go/mautrix/id"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// These tests ask code that is not ours, mautrix' event authorisation, whether
// the compiled levels mean what we say. Run them with
//
//	GOEXPERIMENT=jsonv2 go test ./bridge/policy

// authRoom is a room as the authorisation rules see it.
type authRoom struct {
	t       *testing.T
	version id.RoomVersion
	id      id.RoomID
	create  *pdu.PDU
	state   map[pdu.StateKey]*pdu.PDU
}

// newAuthRoom is made by the bot, with these levels and these people in it.
func newAuthRoom(t *testing.T, version string, levels map[string]any, members ...string) *authRoom {
	r := &authRoom{t: t, version: id.RoomVersion(version), state: map[pdu.StateKey]*pdu.PDU{}}
	r.create = r.event(bot, event.StateCreate.Type, new(""), map[string]any{"room_version": version, "creator": bot})
	r.id = "!room:example.org"
	if r.version.RoomIDIsCreateEventID() {
		created, err := r.create.GetEventID(r.version)
		if err != nil {
			t.Fatal(err)
		}
		r.id = id.RoomID("!" + created[1:])
	}
	for _, user := range append([]string{bot}, members...) {
		r.put(user, event.StateMember.Type, user, map[string]any{"membership": "join"})
	}
	r.put(bot, event.StateJoinRules.Type, "", map[string]any{"join_rule": "invite"})
	first := r.event(bot, event.StatePowerLevels.Type, new(""), levels)
	if err := r.ask(first); err != nil {
		t.Fatalf("version %s: the levels are no levels: %v", version, err)
	}
	r.put(bot, event.StatePowerLevels.Type, "", levels)
	if err := r.ask(first); err != nil {
		t.Fatalf("version %s: the bot cannot write the levels again: %v", version, err)
	}
	return r
}

func (r *authRoom) event(sender, typ string, key *string, content map[string]any) *pdu.PDU {
	b, err := json.Marshal(content)
	if err != nil {
		r.t.Fatal(err)
	}
	return &pdu.PDU{Type: typ, Sender: id.UserID(sender), StateKey: key, RoomID: r.id, Content: jsontext.Value(b)}
}

func (r *authRoom) put(sender, typ, key string, content map[string]any) {
	r.state[pdu.StateKey{Type: typ, StateKey: key}] = r.event(sender, typ, &key, content)
}

// ask is nil if the rules let the event into the room.
func (r *authRoom) ask(e *pdu.PDU) error {
	auth := []*pdu.PDU{}
	if !r.version.RoomIDIsCreateEventID() {
		auth = append(auth, r.create)
	}
	for _, key := range e.AuthEventSelection(r.version) {
		if s := r.state[key]; s != nil {
			auth = append(auth, s)
		}
	}
	return eventauth.Authorize(r.version, e, auth, func([]id.EventID) ([]*pdu.PDU, error) { return []*pdu.PDU{r.create}, nil }, nil)
}

func (r *authRoom) mayMember(sender, target, membership string) bool {
	return r.ask(r.event(sender, event.StateMember.Type, &target, map[string]any{"membership": membership})) == nil
}

func (r *authRoom) may(sender string, s sent) bool {
	var key *string
	if s.state {
		key = new(s.key)
		if s.key == "me" {
			key = &sender
		}
	}
	return r.ask(r.event(sender, s.typ, key, map[string]any{"a": 1})) == nil
}

// LANE-08: for every role, access and event type in room versions 10, 11 and 12,
// the levels of a lane are what the ladder promises.
func TestLadderByEventAuth(t *testing.T) {
	p := policy.Default()
	for _, version := range []string{"10", "11", "12"} {
		for _, profile := range p.Catalogue().Profiles {
			for _, role := range p.Catalogue().Roles {
				pr := one(p, profile, "enterprise")
				for _, lane := range p.Lanes(pr) {
					for _, granted := range []project.Access{project.None, project.Read, project.Text, project.Full} {
						pr.Grants = nil
						grant(pr, role, lane, granted)
						t.Run(fmt.Sprint(version, " ", profile, " ", lane, " ", role, " ", granted), func(t *testing.T) {
							checkLadder(t, p, pr, lane, version, user(role))
						})
					}
				}
			}
		}
	}
}

func checkLadder(t *testing.T, p *policy.Policy, pr *project.Project, lane project.Kind, version, who string) {
	listed := map[string]project.Access{}
	var members []string
	for _, m := range p.Members(pr, lane, noon) {
		listed[m.User] = m.Access
		members = append(members, m.User)
	}
	r := newAuthRoom(t, version, p.Levels(pr, lane, version, bot, listed), members...)
	access := p.Access(pr, who, lane, noon)
	for _, line := range ladder {
		for _, s := range line.what {
			if got := r.may(who, s); got != (access != project.None && access >= line.least) {
				t.Errorf("%s with %s sends %s: %v", who, access, s, got)
			}
			if !r.may(bot, s) {
				t.Errorf("the bot may not send %s", s)
			}
			if s.key == "me" && r.ask(r.event(who, s.typ, new(bot), map[string]any{})) == nil {
				t.Errorf("%s sends %s of the bot", who, s)
			}
		}
	}
}

// LANE-09: nobody but the bot moves people, or raises anybody.
func TestOnlyTheBotByEventAuth(t *testing.T) {
	const quiet, stranger, outcast = "@quiet:example.org", "@stranger:example.org", "@outcast:example.org"
	p := policy.Default()
	for _, version := range []string{"10", "11", "12"} {
		listed := everyRung()
		members := []string{quiet}
		for who := range listed {
			members = append(members, who)
		}
		for name, levels := range map[string]map[string]any{
			"lane": laneLevels(version, listed), "Space": p.Levels(one(p, "agency", ""), project.Space, version, bot, listed),
			"super-admin": policy.SuperAdminLevels(version, bot), "direct": policy.DirectLevels(version, bot),
		} {
			r := newAuthRoom(t, version, levels, members...)
			r.put(bot, event.StateMember.Type, outcast, map[string]any{"membership": "ban"})
			for _, who := range append(members, stranger, bot) {
				isBot := who == bot
				for what, got := range map[string]bool{
					"invites": r.mayMember(who, stranger, "invite"), "kicks": r.mayMember(who, quiet, "leave") && who != quiet,
					"bans": r.mayMember(who, quiet, "ban"), "lifts a ban": r.mayMember(who, outcast, "leave"),
					"raises": r.ask(r.event(who, event.StatePowerLevels.Type, new(""), raised(version, listed))) == nil,
				} {
					if got != isBot {
						t.Errorf("%s, version %s: %s %s: %v", name, version, who, what, got)
					}
				}
				for what, got := range map[string]bool{
					"joins uninvited": r.mayMember(stranger, stranger, "join"), "knocks": r.mayMember(stranger, stranger, "knock"),
					"kicks the bot": !isBot && r.mayMember(who, bot, "leave"),
				} {
					if got {
						t.Errorf("%s, version %s: %s %s", name, version, who, what)
					}
				}
			}
		}
	}
}

// raised are the levels of a lane in which everybody got more.
func raised(version string, listed map[string]project.Access) map[string]any {
	more := map[string]project.Access{}
	for who := range listed {
		more[who] = project.Ops
	}
	return laneLevels(version, more)
}
