package reconcile

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

var (
	everyRole  = []project.Role{"customer", "stakeholder", "expert", "editor", "agency", "account_manager", "manager", "ops"}
	everyUser  = []string{"@carl:lanes.test", "@mia:lanes.test", "@xena:lanes.test", "@abe:else.test", "@eve:lanes.test"}
	everyGhost = "@lanekeeper_agent_1:lanes.test"
)

func testPolicy() *policy.Policy {
	p := policy.Default()
	p.Bot = simBot
	p.Permissions = policy.Permissions{"*": "none", "lanes.test": "user", "@root:lanes.test": "superadmin", "@olga:lanes.test": "ops", "else.test": "ops"}
	return p
}

// drawProject gives any project that can be.
func drawProject(t *rapid.T, now time.Time) *project.Project {
	p := &project.Project{
		ID: "p1", Slug: "acme", Name: rapid.SampledFrom([]string{"Acme", "Customer", "Ünï · Notes"}).Draw(t, "name"),
		Profile: rapid.SampledFrom([]string{"agency", "managed", "open"}).Draw(t, "profile"),
		Tier:    rapid.SampledFrom([]string{"", "enterprise"}).Draw(t, "tier"),
		Status:  rapid.SampledFrom([]string{project.Active, project.Archived}).Draw(t, "status"),
	}
	for _, user := range everyUser {
		if rapid.Bool().Draw(t, "in") {
			p.People = append(p.People, project.Person{User: user, Role: rapid.SampledFrom(everyRole).Draw(t, "role"), Since: now.Add(-time.Hour)})
		}
	}
	for _, person := range p.People {
		if rapid.Bool().Draw(t, "granted") {
			p.Grants = append(p.Grants, project.Grant{
				User: person.User, Lane: project.Customer, Access: rapid.SampledFrom([]project.Access{project.Read, project.Text, project.Full}).Draw(t, "access"),
				Since: now.Add(rapid.SampledFrom([]time.Duration{-time.Hour, time.Hour}).Draw(t, "since")),
			})
		}
	}
	if rapid.Bool().Draw(t, "ghost") {
		p.Guests = []project.Guest{{User: everyGhost, Name: "Dana", Lane: project.Customer}}
	}
	return p
}

// vandalise does to a room whatever its members could do to it in the worst case,
// and more: the state is set without asking anybody.
func vandalise(t *rapid.T, s *sim, r *simRoom) {
	for _, user := range append([]string{everyGhost}, everyUser...) {
		if how := rapid.SampledFrom([]string{"", "join", "invite", "leave", "ban", "knock"}).Draw(t, "membership"); how != "" {
			by := rapid.SampledFrom([]string{user, simBot, "@eve:lanes.test"}).Draw(t, "by")
			s.member(r, by, user, how)
		}
	}
	content := func(typ, key string, cs ...map[string]any) {
		if i := rapid.IntRange(-1, len(cs)-1).Draw(t, typ); i >= 0 {
			s.set(r, "@eve:lanes.test", typ, key, cs[i])
		}
	}
	content(typeJoinRules, "", map[string]any{"join_rule": "public"}, map[string]any{"join_rule": "invite", "allow": []any{}}, map[string]any{})
	content(typeHistory, "", map[string]any{"history_visibility": "world_readable"}, map[string]any{})
	content(typeGuests, "", map[string]any{"guest_access": "can_join"})
	content(typeName, "", map[string]any{"name": "hello"}, map[string]any{"name": "customer: hello"}, map[string]any{"name": " "}, map[string]any{"name": 7}, map[string]any{"name": fmt.Sprintf("%0300d", 1)})
	content(typeAlias, "", map[string]any{"alias": "#acme:lanes.test"}, map[string]any{"alt_aliases": []any{"#acme:lanes.test"}})
	content(typeTombstone, "", map[string]any{"replacement_room": "!x", "body": "moved"})
	content(typeServerACL, "", map[string]any{"allow": []any{}}, map[string]any{})
	content(typeParent, "!space:lanes.test", map[string]any{"via": []any{"lanes.test"}})
	content(typeChild, "!else:lanes.test", map[string]any{"via": []any{"lanes.test"}})
	content(typeChild, "!lane1:lanes.test", map[string]any{})
	content(typeLane, "", map[string]any{"project": "p2", "kind": "notes"}, map[string]any{"project": "p1", "kind": "customer", "slug": "acme"})
	content(typeProject, "", map[string]any{"id": "p1", "name": "secret"})
	if rapid.Bool().Draw(t, "levels") {
		levels := s.actual(r.id).Content(typeLevels, "")
		users := object(levels["users"])
		for _, user := range everyUser {
			if rapid.Bool().Draw(t, "raised") {
				users[user] = rapid.SampledFrom([]int{0, 10, 50, 75, 99, 100}).Draw(t, "level")
			}
		}
		for _, key := range []string{"ban", "kick", "invite", "redact", "users_default", "events_default", "state_default"} {
			if rapid.Bool().Draw(t, key) {
				levels[key] = rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "level")
			}
		}
		levels["events"] = map[string]any{typeJoinRules: rapid.SampledFrom([]int{0, 100}).Draw(t, "level"), "x": 1}
		levels["users"] = users
		s.set(r, simBot, typeLevels, "", levels)
	}
}

// TestHeals: whatever a room looks like, taking the steps leaves none that can be
// taken, and what nobody can take comes only from the bot's own level being shared
// in versions before 12. (LANE-02, LANE-04, LANE-09)
func TestHeals(t *testing.T) {
	pol := testPolicy()
	rapid.Check(t, func(t *rapid.T) {
		version := rapid.SampledFrom([]string{"10", "11", "12"}).Draw(t, "version")
		s := newSim(version)
		p := drawProject(t, s.now)
		rooms := []*store.Room{{Kind: "customer", ID: "!lane1:lanes.test"}, {Kind: "notes"}}
		kind := rapid.SampledFrom(kindsOf(pol, p, nil)).Draw(t, "kind")
		desired := func() *Desired { return DesiredRoom(pol, p, kind, rooms, simDomain, s.now) }
		id, _ := s.CreateRoom(t.Context(), request(desired(), &store.Room{Alias: "a"}, version))
		vandalise(t, s, s.rooms[id])
		r := &Reconciler{HS: s}

		var last []Step
		for range 3 {
			last = Diff(desired(), s.actual(id), false, simBot)
			for _, step := range last {
				if step.Op != OpImpossible && !step.later {
					if err := r.take(t.Context(), &subject{}, step); err != nil {
						t.Fatalf("%s: %v", step.Text, err)
					}
				}
			}
		}
		peers := false
		for user, level := range object(s.actual(id).Content(typeLevels, "")["users"]) {
			n, _ := integer(level)
			peers = peers || user != simBot && n >= 100
		}
		for _, step := range last {
			if step.Op != OpImpossible && !step.later || step.Op == OpImpossible && (version == "12" || !peers) {
				t.Fatalf("left: %s %s", step.Op, step.Text)
			}
		}
		check(t, desired(), s.actual(id), peers)
	})
}

// check compares a healed room with the record, without the code under test.
func check(t *rapid.T, d *Desired, a *Actual, peers bool) {
	for _, user := range a.users() {
		is := a.member(user).is
		_, belongs := d.Members[user]
		if n, _ := entry(a.Content(typeLevels, ""), "users", user); n >= 100 {
			continue
		}
		if (is == "join" || is == "invite") && !belongs && user != simBot {
			t.Fatalf("%s is still %s", user, is)
		}
		if _, listed := object(a.Content(typeLevels, "")["users"])[user]; listed && is != "join" && is != "invite" {
			t.Fatalf("%s is listed and %s", user, is)
		}
	}
	for user, m := range d.Members {
		now := a.member(user)
		if n, _ := entry(a.Content(typeLevels, ""), "users", user); n >= 100 {
			continue
		}
		if now.is != "join" && now.is != "invite" && !(now.is == "leave" && now.by == user && !m.Since.After(now.at)) {
			t.Fatalf("%s is missing: %+v", user, now)
		}
		if n, _ := entry(a.Content(typeLevels, ""), "users", user); now.is == "join" && d.Kind != "space" && !peers && int(n) != policy.Level(m.Access) {
			t.Fatalf("%s has %d, wants %s", user, n, m.Access)
		}
		if m.Guest && now.is != "join" {
			t.Fatalf("ghost is %s", now.is)
		}
	}
	for key, want := range d.State {
		if !same(a.Content(key.Type, key.Key), want) {
			t.Fatalf("%s is %v", key.Type, a.Content(key.Type, key.Key))
		}
	}
	if !begins(a.text(typeName, "name"), d.Word) {
		t.Fatalf("name %q", a.text(typeName, "name"))
	}
	if a.text(typeAlias, "alias") != "" || len(a.keysOf(typeParent)) > 0 {
		t.Fatal("the room reveals where it belongs")
	}
}

// TestSteady: a room as it is made needs nothing but invitations, and after people
// accepted them nothing at all.
func TestSteady(t *testing.T) {
	pol := testPolicy()
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(rapid.SampledFrom([]string{"10", "11", "12"}).Draw(t, "version"))
		p := drawProject(t, s.now)
		kind := rapid.SampledFrom(kindsOf(pol, p, nil)).Draw(t, "kind")
		rooms := []*store.Room{{Kind: "customer", ID: "!lane1:lanes.test"}, {Kind: "internal", ID: "!lane2:lanes.test"}, {Kind: "notes", ID: "!lane3:lanes.test"}}
		d := DesiredRoom(pol, p, kind, rooms, simDomain, s.now)
		id, _ := s.CreateRoom(t.Context(), request(d, &store.Room{Alias: "a"}, s.version))
		r := &Reconciler{HS: s}
		for _, step := range Diff(d, s.actual(id), false, simBot) {
			if step.Drift && step.typ != typeAlias {
				t.Fatalf("a new room has drift: %s", step.Text)
			}
			if step.Op != OpInvite && step.Op != OpJoin && step.typ != typeAlias {
				t.Fatalf("a new room needs %s", step.Text)
			}
			if err := r.take(t.Context(), &subject{}, step); err != nil {
				t.Fatal(err)
			}
		}
		for user := range d.Members {
			if err := s.join(user, id); err != nil {
				t.Fatal(err)
			}
		}
		if left := Diff(d, s.actual(id), false, simBot); len(left) > 0 {
			t.Fatalf("left: %v", left)
		}
	})
}

var _ Homeserver = (*sim)(nil)
