package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// LANE-01, LANE-02, LANE-03, LANE-04, LANE-08
func TestProjectIsMade(t *testing.T) {
	for _, version := range []string{"10", "11", "12"} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			b.acme()
			b.look("p1")
			if got := b.laneCount(); !maps.Equal(got, oneOfEach) {
				t.Errorf("rooms: %v", got)
			}
			for kind, want := range map[string]string{
				"customer": "@carl:lanes.test @mia:lanes.test", "internal": "@mia:lanes.test @xena:lanes.test",
				"notes": "@mia:lanes.test", "space": "@mia:lanes.test",
			} {
				a := b.hs.actual(b.room(kind))
				var in []string
				for _, user := range a.users() {
					if a.member(user).is == "invite" {
						in = append(in, user)
					}
				}
				if strings.Join(in, " ") != want {
					t.Errorf("%s: %v", kind, in)
				}
				if len(a.Content(typeAlias, "")) > 0 {
					t.Errorf("%s shows %v", kind, a.Content(typeAlias, ""))
				}
			}
			for _, lane := range []string{"customer", "internal", "notes"} {
				if !same(b.hs.actual(b.room("space")).Content(typeChild, b.room(lane)), map[string]any{"via": []any{simDomain}}) {
					t.Errorf("the Space does not link %s", lane)
				}
			}
			b.restart()
			if wrote := b.look("p1"); len(wrote) > 0 {
				t.Errorf("the second look wrote %v", wrote)
			}
			if said := b.said(); len(said) > 0 {
				t.Errorf("said %v", said)
			}
		})
	}
}

// A process that dies at any write, before or after it, is followed by one that
// finishes; there is one room of each kind. (MSG-02)
func TestAnyWriteMayBeTheLast(t *testing.T) {
	b := newBench(t, "12")
	b.acme()
	b.look("p1")
	all := len(b.hs.writes)
	for n := 1; n <= all; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d/%v", n, after), func(t *testing.T) {
				b := newBench(t, []string{"10", "11", "12"}[n%3])
				b.acme()
				b.hs.fault = func(write int, when bool) error {
					if write == n && when == after {
						return errLost
					}
					return nil
				}
				if result := b.try("p1"); result.Retry == 0 {
					t.Fatal("a lost answer is no reason to stop")
				}
				b.hs.fault = nil
				b.restart()
				b.look("p1")
				if got := b.laneCount(); !maps.Equal(got, oneOfEach) {
					t.Errorf("rooms: %v", got)
				}
				b.restart()
				if wrote := b.look("p1"); len(wrote) > 0 {
					t.Errorf("not finished: %v", wrote)
				}
			})
		}
	}
}

// What a homeserver leaves of a creation that was cut off is found and completed,
// however much of it stands.
func TestCreationCutOff(t *testing.T) {
	for _, alias := range []bool{true, false} {
		for events := range 14 {
			t.Run(fmt.Sprintf("%v/%d", alias, events), func(t *testing.T) {
				b := newBench(t, []string{"10", "12"}[events%2])
				b.acme()
				b.hs.cut = func() (int, bool, bool) { return events, alias, true }
				if result := b.try("p1"); result.Retry == 0 {
					t.Fatal("not tried again")
				}
				b.hs.cut = nil
				b.restart()
				b.look("p1")
				usable := 0
				for _, id := range b.hs.order {
					if len(b.hs.rooms[id].state) > 2 {
						usable++
					}
				}
				if got := b.laneCount(); got["customer"] != 1 || usable != 4 {
					t.Errorf("rooms: %v", got)
				}
				b.restart()
				if wrote := b.look("p1"); len(wrote) > 0 {
					t.Errorf("not finished: %v", wrote)
				}
			})
		}
	}
}

// LANE-09, LANE-15
func TestPeopleComeAndGo(t *testing.T) {
	b := newBench(t, "11")
	p := b.acme()
	b.look("p1")
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	b.join("internal", "@xena:lanes.test")
	room := b.hs.rooms[b.room("customer")]

	// An approval: the level stands before the invitation.
	p.Grants = []project.Grant{{User: "@xena:lanes.test", Lane: project.Customer, Access: project.Text, Since: b.hs.now}}
	b.save(p)
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.power_levels, invite @xena:lanes.test" {
		t.Errorf("approval: %v", wrote)
	}
	b.join("customer", "@xena:lanes.test")
	if n, _ := entry(b.hs.actual(room.id).Content(typeLevels, ""), "users", "@xena:lanes.test"); n != 10 {
		t.Errorf("level %d", n)
	}
	// Its end: the level goes before the person.
	p.Grants = nil
	b.save(p)
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.power_levels, kick @xena:lanes.test" {
		t.Errorf("revocation: %v", wrote)
	}
	// Who leaves by themselves is not invited again, and listed no more.
	b.hs.now = b.hs.now.Add(time.Minute)
	b.hs.member(room, "@carl:lanes.test", "@carl:lanes.test", "leave")
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.power_levels" {
		t.Errorf("after leaving: %v", wrote)
	}
	// Added again they are.
	b.hs.now = b.hs.now.Add(time.Minute)
	p.Person("@carl:lanes.test").Since = b.hs.now
	b.save(p)
	b.look("p1")
	if is := b.membership("customer", "@carl:lanes.test"); is != "invite" {
		t.Errorf("added again: %q", is)
	}
	// An expert who gets in all the same goes, and is not banned.
	b.hs.member(room, "@eve:lanes.test", "@eve:lanes.test", "join")
	b.look("p1")
	if is := b.membership("customer", "@eve:lanes.test"); is != "leave" {
		t.Errorf("uninvited guest: %q", is)
	}
	if said := b.said()["lane:p1:notes"]; len(said) != 1 || !strings.Contains(said[0], "remove @eve:lanes.test from Customer · Acme") {
		t.Errorf("said %q", said)
	}
	if b.drift != 1 {
		t.Errorf("drift %d", b.drift)
	}
}

func TestDriftNamesWhoDidIt(t *testing.T) {
	b := newBench(t, "10")
	b.acme()
	b.look("p1")
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	b.look("p1")
	room := b.hs.rooms[b.room("customer")]
	b.hs.member(room, "@mia:lanes.test", "@carl:lanes.test", "ban")
	b.hs.set(room, "@mia:lanes.test", typeJoinRules, "", map[string]any{"join_rule": "public"})
	b.look("p1")
	if said := b.said()["lane:p1:notes"]; len(said) != 1 || !strings.HasPrefix(said[0], "mia changed a room by hand") {
		t.Errorf("said %q", said)
	}
}

func TestDriftIsUndoneAndSaidOnce(t *testing.T) {
	b := newBench(t, "10")
	b.acme()
	b.look("p1")
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	b.look("p1")
	room := b.hs.rooms[b.room("customer")]
	b.hs.member(room, "@mia:lanes.test", "@carl:lanes.test", "ban")
	b.hs.set(room, "@mia:lanes.test", typeName, "", map[string]any{"name": "Our lane"})
	b.hs.set(room, "@mia:lanes.test", typeJoinRules, "", map[string]any{"join_rule": "public"})
	b.hs.set(b.hs.rooms[b.room("space")], simBot, typeChild, room.id, map[string]any{})
	wrote := b.look("p1")
	if len(wrote) != 5 { // join rules, unban, invite, name; link
		t.Errorf("wrote %v", wrote)
	}
	if name := b.hs.actual(room.id).text(typeName, "name"); name != "Customer · Our lane" {
		t.Errorf("name %q", name)
	}
	said := b.said()
	if len(said) != 1 || len(said["lane:p1:notes"]) != 1 {
		t.Fatalf("said %v", said)
	}
	for _, words := range []string{"A room was changed by hand", "lift the ban of @carl:lanes.test in Customer", "by invitation only", "link Customer · Acme in Project · Acme"} {
		if !strings.Contains(said["lane:p1:notes"][0], words) {
			t.Errorf("nothing of %q in %s", words, said["lane:p1:notes"][0])
		}
	}
	if strings.Contains(said["lane:p1:notes"][0], "power levels") {
		t.Error("what follows from a ban is called drift")
	}
	b.look("p1")
	if said := b.said(); len(said["lane:p1:notes"]) != 1 {
		t.Errorf("said again: %v", said)
	}
}

// Somebody at the bot's own level cannot be lowered in room versions below 12.
func TestPeerIsToldOnce(t *testing.T) {
	b := newBench(t, "10")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	b.join("customer", "@carl:lanes.test")
	room := b.hs.rooms[b.room("customer")]
	levels := b.hs.actual(room.id).Content(typeLevels, "")
	object(levels["users"])["@carl:lanes.test"] = 100
	object(levels["users"])["@eve:lanes.test"] = 50
	b.hs.set(room, simBot, typeLevels, "", levels)
	for range 3 {
		b.restart()
		b.look("p1")
	}
	if n, _ := entry(b.hs.actual(room.id).Content(typeLevels, ""), "users", "@eve:lanes.test"); n != 0 {
		t.Errorf("the rest of the levels is not put right: %d", n)
	}
	said := b.said()[store.KeySuperAdmin]
	if len(said) != 1 || !strings.Contains(said[0], "@carl:lanes.test") || !strings.Contains(said[0], "acme") {
		t.Fatalf("said %q", said)
	}
	plan, err := b.r.Plan(t.Context(), []*project.Project{p}, true)
	if err != nil || len(plan) != 1 || plan[0].Op != OpImpossible || plan[0].Room != "customer" {
		t.Errorf("plan %v %v", plan, err)
	}
	// Removed from the project they stay, and it is said what is left.
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@carl:lanes.test" })
	b.save(p)
	b.look("p1")
	if said := b.said()[store.KeySuperAdmin]; len(said) != 2 || !strings.Contains(said[1], "leave by themselves") {
		t.Errorf("said %q", said)
	}
	// Once they lowered themselves all is put right, and forgotten.
	levels = b.hs.actual(room.id).Content(typeLevels, "")
	object(levels["users"])["@carl:lanes.test"] = 0
	b.hs.set(room, "@carl:lanes.test", typeLevels, "", levels)
	b.look("p1")
	if is := b.membership("customer", "@carl:lanes.test"); is != "leave" {
		t.Errorf("carl is %q", is)
	}
}

// What the homeserver refuses does not hold up the rest, is told once, and tried
// again slowly; answers of later changes do not wait for it.
func TestRefusedStep(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.hs.refuse = func(op string) error {
		if op == "invite @carl:lanes.test" {
			return forbidden
		}
		return nil
	}
	b.answer("$c1", p.Revision)
	for range 2 {
		if result := b.try("p1"); result.Retry > 0 || result.Err == nil {
			t.Fatalf("retry %s, error %v", result.Retry, result.Err)
		}
	}
	if is := b.membership("customer", "@mia:lanes.test"); is != "invite" {
		t.Errorf("mia is %q", is)
	}
	said := b.said()
	if s := said[store.KeySuperAdmin]; len(s) != 1 || !strings.Contains(s[0], "invite @carl:lanes.test to Customer · Acme (the homeserver refuses: simulated)") {
		t.Errorf("said %q", s)
	}
	if slow := b.waiting("p1"); slow != 1 {
		t.Errorf("%d slow tries", slow)
	}
	if b.answered("$c1") {
		t.Error("answered though it is not so")
	}
	p.Name = "Acme 2"
	b.save(p)
	b.answer("$c2", p.Revision)
	b.try("p1")
	if !b.answered("$c2") {
		t.Error("a step of another change holds up the answer")
	}
	b.hs.refuse = nil
	b.look("p1")
	if is := b.membership("customer", "@carl:lanes.test"); is != "invite" {
		t.Errorf("carl is %q", is)
	}
}

// A room that the homeserver refuses to make is named, and made when it may be: no
// try waits for one that was refused.
func TestRefusedRoom(t *testing.T) {
	b := newBench(t, "12")
	b.hs.refuse = func(op string) error {
		if strings.HasPrefix(op, "create ") {
			return refusal(400, "M_UNSUPPORTED_ROOM_VERSION")
		}
		return nil
	}
	for range 2 {
		if result := b.try(store.KeySuperAdmin); result.Retry > 0 || !matrix.IsCode(result.Err, "M_UNSUPPORTED_ROOM_VERSION") {
			t.Fatalf("retry %s, error %v", result.Retry, result.Err)
		}
	}
	b.hs.refuse = nil
	b.look(store.KeySuperAdmin)
	if room, err := b.r.Store.SuperAdminRoom(t.Context()); err != nil || room == nil || room.ID == "" {
		t.Errorf("it was not made: %v %v", room, err)
	}
}

// A server error on one step lets the others through, and is waited out; for good
// it counts as refused.
func TestServerErrorOnOneStep(t *testing.T) {
	b := newBench(t, "12")
	b.acme()
	b.hs.refuse = func(op string) error {
		if op == "invite @carl:lanes.test" {
			return refusal(502, "M_UNKNOWN")
		}
		return nil
	}
	if result := b.try("p1"); result.Retry == 0 {
		t.Error("not tried again")
	}
	for range 3 { // other rooms come next
		b.try("p1")
	}
	if is := b.membership("notes", "@mia:lanes.test"); is != "invite" {
		t.Errorf("mia is %q", is)
	}
	result := b.r.do(t.Context(), queue.Job{Key: "p1", Attempts: patience, Created: b.hs.now, At: b.hs.now})
	if result.Retry != 0 || result.Err == nil {
		t.Errorf("after %d tries: %+v", patience, result)
	}
	// The next look does not wait for it again.
	if result := b.try("p1"); result.Retry != 0 || result.Err == nil {
		t.Errorf("later: %+v", result)
	}
}

// A step that the homeserver takes without an effect is not taken for ever, though
// each try is an event that calls for a look.
func TestVainStep(t *testing.T) {
	b := newBench(t, "12")
	b.acme()
	b.look("p1")
	b.hs.set(b.hs.rooms[b.room("customer")], simBot, typeGuests, "", map[string]any{"guest_access": "can_join"})
	b.hs.swallow = func(typ string) bool { return typ == typeGuests }
	before := len(b.hs.writes)
	for range 5 {
		b.look("p1")
	}
	if wrote := b.hs.writes[before:]; len(wrote) != maxTries {
		t.Errorf("wrote %v", wrote)
	}
	if said := b.said()[store.KeySuperAdmin]; len(said) != 1 || !strings.Contains(said[0], "done twice, without effect") {
		t.Errorf("said %q", said)
	}
	if n := b.waiting("p1"); n != 1 {
		t.Errorf("%d slow tries", n)
	}
	b.hs.swallow = nil
	b.hs.now = b.hs.now.Add(slowRetry)
	b.look("p1")
	if b.hs.actual(b.room("customer")).text(typeGuests, "guest_access") != "forbidden" {
		t.Error("not put right when it could be")
	}
}
