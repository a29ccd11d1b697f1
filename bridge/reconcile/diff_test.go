package reconcile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// contract.md, "Rooms": a name that somebody gave stays as long as it begins with
// what the room is, else only that word is put back.
func TestName(t *testing.T) {
	d := &Desired{Word: "Customer", Title: "Customer · Acme"}
	for have, want := range map[string]string{
		"":                       "Customer · Acme",
		"  ":                     "Customer · Acme",
		"Customer · Acme":        "Customer · Acme",
		"Customer · New site":    "Customer · New site",
		"customer: New site":     "customer: New site",
		"CUSTOMER":               "CUSTOMER",
		"Customer New site":      "Customer New site",
		"New site":               "Customer · New site",
		" New site ":             "Customer · New site",
		"Customers only":         "Customer · Customers only",
		"Internal · New site":    "Customer · Internal · New site",
		"Custom":                 "Customer · Custom",
		strings.Repeat("é", 200): "Customer · " + strings.Repeat("é", 121),
	} {
		got := d.name(have)
		if got != want {
			t.Errorf("%q becomes %q, want %q", have, got, want)
		}
		if again := d.name(got); again != got {
			t.Errorf("%q becomes %q in the end", got, again)
		}
	}
}

// A person who left by themselves is not invited again until they are wanted anew;
// whoever was removed by another hand is.
func TestWhoIsInvited(t *testing.T) {
	const carl, mia = "@carl:lanes.test", "@mia:lanes.test"
	left := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		is, by string
		since  time.Duration // of the right, after the event
		want   string        // ops
	}{
		{"", "", 0, "invite"},
		{"join", carl, 0, ""},
		{"invite", simBot, 0, ""},
		{"invite", mia, 0, ""},
		{"leave", carl, -time.Second, ""},
		{"leave", carl, 0, ""},
		{"leave", carl, time.Millisecond, "invite"},
		{"leave", mia, -time.Second, "invite"},
		{"leave", simBot, -time.Second, "invite"},
		{"ban", mia, -time.Second, "unban invite"},
		{"ban", simBot, -time.Second, "unban invite"},
		{"knock", carl, -time.Second, "invite"},
	} {
		s := newSim("12")
		s.now = left
		d := &Desired{Members: map[string]Member{carl: {Access: project.Full, Since: left.Add(c.since)}}, Levels: noLevels}
		id := s.made(matrix.CreateRoom{Version: "12", Levels: noLevels("12", nil), CreationContent: map[string]any{}}, 3)
		if c.is != "" {
			s.member(s.rooms[id], c.by, carl, c.is)
		}
		var ops []string
		for _, step := range Diff(d, s.actual(id), false, simBot) {
			if step.User == carl {
				ops = append(ops, step.Op)
			}
		}
		if got := strings.Join(ops, " "); got != c.want {
			t.Errorf("%s by %s, wanted %s later: %q, want %q", c.is, c.by, c.since, got, c.want)
		}
	}
}

func noLevels(string, map[string]project.Access) map[string]any {
	return map[string]any{"users": map[string]any{}}
}

// Only people who are in the room, invited, or about to be stand in its levels: the
// map can be read by everybody there.
func TestListedPeople(t *testing.T) {
	s := newSim("11")
	pol := testPolicy()
	p := &project.Project{ID: "p1", Name: "Acme", Profile: "agency", Status: project.Active}
	for _, user := range []string{"carl", "mia", "abe", "eve"} {
		p.People = append(p.People, project.Person{User: "@" + user + ":lanes.test", Role: "manager", Since: s.now})
	}
	d := DesiredRoom(pol, p, project.Customer, nil, simDomain, s.now)
	id := s.made(request(d, &store.Room{Alias: "a"}, "11"), 99)
	s.now = s.now.Add(time.Minute)
	s.member(s.rooms[id], "@carl:lanes.test", "@carl:lanes.test", "join")
	s.member(s.rooms[id], simBot, "@mia:lanes.test", "invite")
	s.member(s.rooms[id], "@abe:lanes.test", "@abe:lanes.test", "leave")
	for _, step := range Diff(d, s.actual(id), false, simBot) {
		if step.Op == OpLevels {
			users := sorted(object(step.content["users"]))
			if got := strings.Join(users, " "); got != "@carl:lanes.test @eve:lanes.test @lanekeeper:lanes.test @mia:lanes.test" {
				t.Errorf("listed: %s", got)
			}
			if step.Drift || step.Text != "set the power levels of Customer · Acme: @abe:lanes.test 50 → –" {
				t.Errorf("step %q, drift %v", step.Text, step.Drift)
			}
			return
		}
	}
	t.Error("no levels are written")
}

// Who lowers the bot itself, or encrypts a lane, has done what nobody can undo.
func TestImpossible(t *testing.T) {
	pol := testPolicy()
	p := &project.Project{ID: "p1", Name: "Acme", Profile: "open", Status: project.Active}
	p.People = []project.Person{{User: "@carl:lanes.test", Role: "customer"}}
	for _, c := range []struct {
		version string
		do      func(s *sim, r *simRoom)
		want    string
	}{
		{"10", func(s *sim, r *simRoom) {
			s.set(r, simBot, typeLevels, "", map[string]any{"users": map[string]any{simBot: 50}, "events": map[string]any{typeLevels: 50}, "invite": 100})
		}, "lost my power level in Customer"},
		{"11", func(s *sim, r *simRoom) {
			s.set(r, simBot, typeLevels, "", map[string]any{"users": map[string]any{simBot: 10}})
		}, "lost my power level in Customer"},
		{"12", func(s *sim, r *simRoom) {
			s.set(r, simBot, typeEncryption, "", map[string]any{"algorithm": "m.megolm.v1.aes-sha2"})
		}, "was encrypted"},
		{"10", func(s *sim, r *simRoom) {
			levels := s.actual(r.id).Content(typeLevels, "")
			levels["users"].(map[string]any)["@eve:lanes.test"] = 100
			s.set(r, simBot, typeLevels, "", levels)
			s.member(r, "@eve:lanes.test", "@eve:lanes.test", "join")
		}, "from @eve:lanes.test in Customer"},
	} {
		s := newSim(c.version)
		d := DesiredRoom(pol, p, project.Customer, nil, simDomain, s.now)
		id := s.made(request(d, &store.Room{Alias: "a"}, c.version), 99)
		c.do(s, s.rooms[id])
		said := 0
		for _, step := range Diff(d, s.actual(id), false, simBot) {
			if step.Op == OpImpossible && strings.Contains(step.Text, c.want) {
				said++
			}
			if step.Op == OpKick {
				t.Errorf("%s: %s", c.want, step.Text)
			}
		}
		if said != 1 {
			t.Errorf("%q is said %d times", c.want, said)
		}
	}
}

// The bot that is out of a room does nothing there but come back.
func TestBotIsOut(t *testing.T) {
	d := DesiredSuperAdmin(testPolicy(), false)
	s := newSim("12")
	id := s.made(request(d, &store.Room{Alias: "a"}, "12"), 99)
	s.member(s.rooms[id], simBot, simBot, "leave")
	for _, steps := range [][]Step{Diff(d, s.actual(id), false, simBot), Diff(d, nil, true, simBot)} {
		if len(steps) != 1 || steps[0].Op != OpJoin || steps[0].User != simBot {
			t.Errorf("steps %v", steps)
		}
	}
}

func TestAllow(t *testing.T) {
	const bot, peer, carl = "@bot:x", "@peer:x", "@carl:x"
	p := power{content: map[string]any{
		"users": map[string]any{bot: 100.0, peer: 100.0, carl: 50.0}, "historical": 100.0, "ban": 0.0,
		"events": map[string]any{"m.x": 0.0}, "users_default": 0.0,
	}}
	want := map[string]any{"users": map[string]any{bot: 100, carl: 10}, "ban": 100, "events": map[string]any{"m.y": 50}}
	levels, stuck, ok := p.allow(bot, want)
	if !ok || fmt.Sprint(stuck) != "[@peer:x]" {
		t.Errorf("stuck %v %v", stuck, ok)
	}
	if expected := map[string]any{
		"users": map[string]any{bot: 100, peer: 100, carl: 10}, "ban": 100, "events": map[string]any{"m.y": 50}, "historical": 100, "users_default": 0,
	}; !same(levels, expected) {
		t.Errorf("levels %v", levels)
	}
	if _, _, ok := p.allow(carl, want); !ok { // 50 is enough for state_default
		t.Error("carl cannot write levels")
	}
	p.content["events"] = map[string]any{typeLevels: 100.0}
	if levels, _, ok := p.allow(carl, want); ok || !same(levels, p.content) {
		t.Error("carl can write levels")
	}
}

func TestDirty(t *testing.T) {
	key := ""
	event := func(typ string, content map[string]any) *matrix.Event {
		return &matrix.Event{Type: typ, StateKey: &key, Content: content}
	}
	for typ, want := range map[string]bool{
		typeLevels: true, typeJoinRules: true, typeHistory: true, typeGuests: true, typeName: true, typeAlias: true,
		typeEncryption: true, typeChild: true, typeParent: true, typeLane: true, typeProject: true, typeTombstone: true, typeServerACL: true,
		typeMember: true, typeTopic: true, typeAvatar: true, "m.room.pinned_events": false, "m.call.member": false, typeCreate: false,
	} {
		if got := Dirty(event(typ, map[string]any{"membership": "join"})); got != want {
			t.Errorf("%s: %v", typ, got)
		}
	}
	if Dirty(&matrix.Event{Type: typeLane}) {
		t.Error("a message is taken for state")
	}
	renamed := event(typeMember, map[string]any{"membership": "join", "displayname": "Carl"})
	renamed.Unsigned.PrevContent = map[string]any{"membership": "join"}
	if Dirty(renamed) {
		t.Error("a new display name calls for a look")
	}
	renamed.Unsigned.PrevContent["membership"] = "invite"
	if !Dirty(renamed) {
		t.Error("a join does not")
	}
}
