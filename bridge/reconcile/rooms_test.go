package reconcile

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// Jobs that an earlier look covers cost no read; none that is needed is skipped.
func TestCoveredJobs(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	early := queue.Job{Key: "p1", Created: b.hs.now, At: b.hs.now}
	b.look("p1")
	s, err := b.r.load(t.Context(), "p1")
	if err != nil || !b.r.seen(early, s) {
		t.Errorf("an earlier job is not covered: %v", err)
	}
	late := queue.Job{Key: "p1", Created: b.hs.now.Add(time.Hour), At: b.hs.now.Add(time.Hour)}
	if b.r.seen(late, s) {
		t.Error("a later job is skipped")
	}
	b.save(p)
	if s, _ = b.r.load(t.Context(), "p1"); b.r.seen(early, s) {
		t.Error("a changed record is skipped")
	}
	b.restart()
	if b.r.seen(early, s) {
		t.Error("a new process skips")
	}
}

// A record that the configuration cannot read is left alone.
func TestUnknownProfile(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	p.Profile = "gone"
	b.save(p)
	before := len(b.hs.writes)
	b.try("p1")
	if wrote := b.hs.writes[before:]; len(wrote) > 0 {
		t.Errorf("wrote %v", wrote)
	}
	if said := b.said()[store.KeySuperAdmin]; len(said) != 1 || !strings.Contains(said[0], "profile gone") {
		t.Errorf("said %q", said)
	}
	if plan, err := b.r.Plan(t.Context(), nil, true); err != nil || len(plan) != 1 || plan[0].Op != OpImpossible {
		t.Errorf("plan %v %v", plan, err)
	}
}

func TestSuperAdminRoom(t *testing.T) {
	b := newBench(t, "12")
	b.look(store.KeySuperAdmin)
	row, err := b.r.Store.SuperAdminRoom(t.Context())
	if err != nil || row == nil {
		t.Fatal(err)
	}
	room := b.hs.rooms[row.ID]
	a := b.hs.actual(row.ID)
	if !same(a.Content(typeLane, ""), map[string]any{"kind": "super_admin"}) || a.text(typeHistory, "history_visibility") != "shared" {
		t.Errorf("state %v %v", a.Content(typeLane, ""), a.Content(typeHistory, ""))
	}
	for _, user := range []string{"@root:lanes.test", "@olga:lanes.test"} {
		if is := a.member(user).is; is != "invite" {
			t.Errorf("%s is %q", user, is)
		}
	}
	b.hs.member(room, "@root:lanes.test", "@root:lanes.test", "leave") // declines
	b.hs.member(room, simBot, "@staff:else.test", "join")              // staff by a wildcard
	b.hs.member(room, simBot, "@eve:lanes.test", "join")
	if wrote := b.look(store.KeySuperAdmin); strings.Join(wrote, ", ") != "kick @eve:lanes.test" {
		t.Errorf("wrote %v", wrote)
	}
}

// A super-admin room that an operator made keeps its rules and people.
func TestForeignSuperAdminRoom(t *testing.T) {
	b := newBench(t, "10")
	id := b.hs.made(matrix.CreateRoom{Version: "10", Name: "Support", CreationContent: map[string]any{"creator": "@boss:else.org"}, Levels: map[string]any{"users": map[string]any{simBot: 50}, "invite": 50}}, 99)
	room := b.hs.rooms[id]
	b.hs.member(room, "@boss:else.org", "@boss:else.org", "join")
	b.r.SuperAdmin = id
	if wrote := b.look(store.KeySuperAdmin); len(wrote) != 3 { // mark, two invitations
		t.Errorf("wrote %v", wrote)
	}
	row, err := b.r.Store.SuperAdminRoom(t.Context())
	if err != nil || row.ID != id {
		t.Errorf("row %v %v", row, err)
	}
}

// MSG-02: one direct chat, whatever happens.
func TestDirect(t *testing.T) {
	const carl = "@carl:lanes.test"
	for _, after := range []bool{false, true} {
		b := newBench(t, "12")
		b.hs.fault = func(n int, when bool) error {
			if n == 1 && when == after {
				return errLost
			}
			return nil
		}
		if _, err := b.r.EnsureDirect(t.Context(), carl); !matrix.Temporary(err) {
			t.Fatalf("error %v", err)
		}
		b.hs.fault = nil
		b.restart()
		id, err := b.r.EnsureDirect(t.Context(), carl)
		if err != nil || len(b.hs.order) != 1 {
			t.Fatalf("%s %v %v", id, err, b.hs.order)
		}
		a := b.hs.actual(id)
		if a.member(carl).is != "invite" || a.text(typeHistory, "history_visibility") != "shared" || a.text(typeGuests, "guest_access") != "forbidden" || a.text(typeAlias, "alias") != "" {
			t.Errorf("direct chat %v", a.State)
		}
		if again, err := b.r.EnsureDirect(t.Context(), carl); again != id || err != nil {
			t.Errorf("%s %v", again, err)
		}
		// They left: they are invited again when there is something to say.
		b.hs.member(b.hs.rooms[id], carl, carl, "leave")
		b.know(id)
		if again, err := b.r.EnsureDirect(t.Context(), carl); again != id || err != nil || b.hs.actual(id).member(carl).is != "invite" {
			t.Errorf("%s %v", again, err)
		}
		// The bot was put out: there is a new one.
		b.hs.member(b.hs.rooms[id], carl, simBot, "leave")
		b.know(id)
		if again, err := b.r.EnsureDirect(t.Context(), carl); again == id || err != nil {
			t.Errorf("%s %v", again, err)
		}
	}
}

// The plan from what events told us is the same as the live one.
func TestPlan(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	plan, err := b.r.Plan(t.Context(), []*project.Project{p}, true)
	if err != nil || len(b.hs.writes) > 0 {
		t.Fatalf("%v; wrote %v", err, b.hs.writes)
	}
	ops := map[string]int{}
	for _, step := range plan {
		ops[step.Op]++
	}
	if !maps.Equal(ops, map[string]int{OpCreate: 4, OpInvite: 6, OpSpaceLink: 3}) {
		t.Errorf("plan of a new project: %v", ops)
	}
	b.look("p1")
	if row, err := b.r.Store.StateEvent(t.Context(), b.room("customer"), typeLane, ""); err != nil || row == nil {
		t.Errorf("what stood in the room before we knew it is forgotten: %v", err)
	}
	b.hs.member(b.hs.rooms[b.room("internal")], simBot, "@mia:lanes.test", "leave")
	for _, kind := range []string{"customer", "internal", "notes", "space"} {
		b.know(b.room(kind))
	}
	for _, live := range []bool{true, false} {
		plan, err := b.r.Plan(t.Context(), []*project.Project{p}, live)
		if err != nil || len(plan) != 1 {
			t.Fatalf("live %v: %v %v", live, plan, err)
		}
		raw, _ := json.Marshal(plan[0])
		want := fmt.Sprintf(`{"room":"internal","op":"invite","text":"invite @mia:lanes.test to Internal · Acme","room_id":%q,"project":"p1"}`, b.room("internal"))
		if string(raw) != want {
			t.Errorf("live %v: %s", live, raw)
		}
	}
}
