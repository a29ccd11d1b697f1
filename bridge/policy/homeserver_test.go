//go:build !goexperiment.jsonv2 || go1.27

// With the experiment mautrix judges, see eventauth_test.go: all that starts homeservers would have to be compiled anew for it.

package policy_test

import (
	"net/http"
	"net/url"
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// hall is a room on a real homeserver with one person of each rung.
type hall struct {
	bot    *lab.Client
	people map[project.Access]*lab.Client
	guest  *lab.Client // in no room
	listed map[string]project.Access
}

func newHall(hs *lab.Homeserver) *hall {
	h := &hall{bot: hs.Register("keeper"), guest: hs.Register("guest"), people: map[project.Access]*lab.Client{}, listed: map[string]project.Access{}}
	for a := project.Read; a <= project.Ops; a++ {
		h.people[a] = hs.Register("rung_" + a.String())
		h.listed[h.people[a].ID] = a
	}
	return h
}

// open makes a room with levels in which everybody is. The first levels are part
// of the creation, as for our rooms; people are listed when they are invited.
func (h *hall) open(t *testing.T, version string, made, levels map[string]any) (room string) {
	t.Helper()
	room = h.bot.CreateRoom(map[string]any{"room_version": version, "preset": "private_chat", "power_level_content_override": made})
	if r := h.bot.PutState(room, "m.room.power_levels", "", levels); !r.OK() {
		t.Fatalf("version %s: levels: %s", version, r)
	}
	for _, c := range h.people {
		if r := h.bot.Invite(room, c.ID); !r.OK() {
			t.Fatal(r)
		}
		if r := c.Join(room); !r.OK() {
			t.Fatal(r)
		}
	}
	return room
}

// send tries one event of the ladder, with content that a server takes for it.
func send(c *lab.Client, room string, s sent) lab.Response {
	content := map[string]any{"by": c.ID} // different for each, else Dendrite answers 200 without asking
	switch s.typ {
	case "m.room.message":
		content["msgtype"], content["body"] = "m.text", "hello"
	case "m.room.pinned_events":
		content["pinned"] = []string{}
	case "m.room.name":
		content["name"] = c.ID
	case "m.room.topic":
		content["topic"] = c.ID
	case "m.room.tombstone":
		content["replacement_room"] = "!other:example.org"
	case "m.room.server_acl":
		content["allow"] = []string{"*"}
	}
	key := s.key
	if key == "me" {
		key = c.ID
	}
	if s.state {
		return c.PutState(room, s.typ, key, content)
	}
	return c.TrySend(room, s.typ, content)
}

// LANE-08, LANE-09: real homeservers hold people to the ladder, in every room
// version that we make.
func TestHomeserversKeepTheLadder(t *testing.T) {
	labtest.EachServer(t, lab.Options{}, func(t *testing.T, hs *lab.Homeserver) {
		h, p := newHall(hs), policy.Default()
		for _, version := range []string{"10", "11", "12"} {
			t.Run(version, func(t *testing.T) {
				levels := func(kind project.Kind, listed map[string]project.Access) map[string]any {
					return p.Levels(one(p, "agency", ""), kind, version, h.bot.ID, listed)
				}
				lane := h.open(t, version, levels(project.Customer, nil), levels(project.Customer, h.listed))
				h.ladder(t, lane)
				h.redactions(t, lane)
				h.members(t, lane, version, p)
				space := h.open(t, version, levels(project.Space, nil), levels(project.Space, h.listed))
				chat := h.open(t, version, policy.DirectLevels(version, h.bot.ID), policy.DirectLevels(version, h.bot.ID))
				for a, c := range h.people {
					if r := send(c, space, sent{typ: "m.room.message"}); !r.Refused() {
						t.Errorf("%s writes in the Space: %s", a, r)
					}
					if r := send(c, chat, sent{typ: "m.room.message"}); !r.OK() {
						t.Errorf("%s cannot write in a chat: %s", a, r)
					}
					if r := send(c, chat, sent{typ: "m.room.name", state: true}); !r.Refused() {
						t.Errorf("%s renames a chat: %s", a, r)
					}
				}
				h.members(t, space, version, p)
				h.members(t, chat, version, p)
			})
		}
	})
}

// ladder tries each type at the lowest rung that may send it and at the one below:
// levels are linear, so these decide.
func (h *hall) ladder(t *testing.T, room string) {
	for _, line := range ladder {
		for _, s := range line.what {
			if s.typ == "m.room.redaction" || s.typ == "m.reaction" && s.state {
				continue // see redactions; servers have their own rules for these as state
			}
			if below := h.people[line.least-1]; below != nil {
				if r := send(below, room, s); !r.Refused() {
					t.Errorf("%s sends %s: %s", line.least-1, s, r)
				}
			}
			if least := h.people[line.least]; least != nil {
				if r := send(least, room, s); !r.OK() {
					t.Errorf("%s cannot send %s: %s", line.least, s, r)
				}
				if s.key == "me" {
					if r := least.PutState(room, s.typ, h.bot.ID, map[string]any{"a": 1}); !r.Refused() {
						t.Errorf("%s sends %s of the bot: %s", line.least, s, r)
					}
				}
			}
		}
	}
}

// redactions are checked by who wrote the message, which event types do not say.
func (h *hall) redactions(t *testing.T, room string) {
	for a, c := range h.people {
		others := h.people[project.Full].Text(room, "words of somebody")
		if a == project.Full {
			others = h.people[project.Text].Text(room, "words of somebody")
		}
		if r := c.TryRedact(room, others); r.OK() != (a >= project.Manager) {
			t.Errorf("%s redacts another: %s", a, r)
		}
		if a == project.Read {
			continue
		}
		if r := c.TryRedact(room, c.Text(room, "own words")); !r.OK() {
			t.Errorf("%s cannot redact their own: %s", a, r)
		}
	}
}

// members checks that only the bot moves people and levels: not even who has the
// highest rung does.
func (h *hall) members(t *testing.T, room, version string, p *policy.Policy) {
	more := map[string]project.Access{}
	for user := range h.listed {
		more[user] = project.Ops
	}
	levels := p.Levels(one(p, "agency", ""), project.Customer, version, h.bot.ID, more)
	c, victim := h.people[project.Ops], h.people[project.Read].ID
	for what, r := range map[string]lab.Response{
		"invites": c.Invite(room, h.guest.ID), "kicks": c.Kick(room, victim), "kicks the bot": c.Kick(room, h.bot.ID),
		"bans":   c.Do(http.MethodPost, "/rooms/"+url.PathEscape(room)+"/ban", map[string]any{"user_id": victim}),
		"raises": c.PutState(room, "m.room.power_levels", "", levels),
	} {
		if !r.Refused() {
			t.Errorf("ops %s: %s", what, r)
		}
	}
	if r := h.guest.Join(room); !r.Refused() {
		t.Errorf("somebody joins uninvited: %s", r)
	}
}
