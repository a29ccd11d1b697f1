package reconcile

import (
	"strings"
	"testing"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// Each lane says who reads it, from its creation on and however it is changed. What a
// customer reads tells of no other room.
func TestTopics(t *testing.T) {
	b := newBench(t, "11")
	b.acme()
	b.look("p1")
	topics := map[string]string{
		"customer": "Customers and the project team read this room. Need a person? React 🙋 to your message.",
		"internal": "Team and experts only – the customer doesn't see this room.",
		"notes":    "Staff only.",
		"space":    "",
	}
	check := func(when string) {
		t.Helper()
		for kind, want := range topics {
			if got := b.hs.actual(b.room(kind)).text(typeTopic, "topic"); got != want {
				t.Errorf("%s: the topic of %s is %q", when, kind, got)
			}
		}
	}
	check("new")
	// As rooms are that were made before there were topics: no hand is behind that.
	delete(b.hs.rooms[b.room("internal")].state, Key{typeTopic, ""})
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.topic" || b.drift != 0 {
		t.Errorf("wrote %v, %d by hand", wrote, b.drift)
	}
	check("made before")
	b.hs.set(b.hs.rooms[b.room("customer")], simBot, typeTopic, "", map[string]any{"topic": "see Internal"})
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.topic" || b.drift != 1 {
		t.Errorf("wrote %v, %d by hand", wrote, b.drift)
	}
	check("changed by hand")
	if wrote := b.look("p1"); len(wrote) > 0 {
		t.Errorf("wrote %v again", wrote)
	}
}

// A customer lane in which no customer can be by its profile does not speak to one.
func TestTopicWithoutCustomers(t *testing.T) {
	pol := testPolicy()
	lanes := map[project.Kind]*policy.Lane{project.Customer: {Access: map[project.Role]policy.Rung{"expert": "full", "manager": "manager"}}}
	pol.Profiles = policy.Profiles{"own": {Lanes: lanes}}
	p := &project.Project{ID: "p1", Name: "Acme", Profile: "own", Status: project.Active}
	topic := func() string {
		return value(DesiredRoom(pol, p, project.Customer, nil, simDomain, newSim("12").now).State[Key{typeTopic, ""}]["topic"])
	}
	if got := topic(); !strings.Contains(got, "the customer doesn't see this room") {
		t.Errorf("%q", got)
	}
	lanes[project.Customer].Grantable = map[project.Role]policy.Grantable{"stakeholder": {Access: []policy.Rung{"read"}}}
	if got := topic(); !strings.Contains(got, "Customers and the project team read this room") {
		t.Errorf("who can be let in is not thought of: %q", got)
	}
}

// Invitations and removals say what they are about, to everybody in the room: nobody's
// name, and nothing of other rooms.
func TestReasons(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	p.Guests = []project.Guest{{User: "@lanekeeper_agent_1:lanes.test", Lane: project.Customer, Name: "Dana"}}
	b.save(p)
	b.look("p1")
	reason := func(kind, user string) string {
		return value(b.hs.actual(b.room(kind)).Content(typeMember, user)["reason"])
	}
	for _, kind := range []string{"customer", "internal", "notes", "space"} {
		if got := reason(kind, "@mia:lanes.test"); got != "You've been added to Acme" {
			t.Errorf("invited to %s: %q", kind, got)
		}
	}
	if got := reason("customer", "@lanekeeper_agent_1:lanes.test"); got != "" {
		t.Errorf("a ghost is invited: %q", got)
	}
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	// Who was called otherwise is told so: the project's own name is not everybody's.
	b.hs.set(b.hs.rooms[b.room("customer")], "@mia:lanes.test", typeName, "", map[string]any{"name": "Customer · New site"})
	p.People = nil
	b.save(p)
	b.look("p1")
	if got := reason("customer", "@carl:lanes.test"); got != "You're no longer part of Customer · New site" {
		t.Errorf("a customer is removed: %q", got)
	}
	if got := reason("notes", "@mia:lanes.test"); got != "You're no longer part of Notes · Acme" {
		t.Errorf("an invitation is taken back: %q", got)
	}
	room := b.hs.rooms[b.room("customer")]
	b.hs.member(room, "@eve:lanes.test", "@eve:lanes.test", "knock")
	b.look("p1")
	if got := reason("customer", "@eve:lanes.test"); got != "" || b.membership("customer", "@eve:lanes.test") != "leave" {
		t.Errorf("who knocks reads %q", got)
	}
}

func value(v any) string {
	s, _ := v.(string)
	return s
}

// The super-admin room begins with one word of welcome, whenever its creation was cut
// off; one that an operator made has none.
func TestSuperAdminWelcome(t *testing.T) {
	for n := 1; n <= 2; n++ {
		for _, after := range []bool{false, true} {
			b := newBench(t, "12")
			b.hs.fault = func(write int, when bool) error {
				if write == n && when == after {
					return errLost
				}
				return nil
			}
			b.try(store.KeySuperAdmin)
			b.hs.fault = nil
			b.restart()
			b.look(store.KeySuperAdmin)
			b.restart()
			b.look(store.KeySuperAdmin)
			said := b.saidFirst()[store.KeySuperAdmin]
			if len(said) != 1 || !strings.Contains(said[0], "Questions arrive here as cards") {
				t.Errorf("write %d, after %v: said %q", n, after, said)
			}
		}
	}
	b := newBench(t, "12")
	room := b.hs.rooms[b.hs.made(matrix.CreateRoom{Version: "12", CreationContent: map[string]any{}, Levels: map[string]any{"users": map[string]any{}}}, 99)]
	b.r.SuperAdmin = room.id
	b.try(store.KeySuperAdmin)
	if said := b.saidFirst(); len(said) > 0 {
		t.Errorf("said %v in an operator's room", said)
	}
}

// Each kind of room has its picture, which is uploaded once for all projects; the Space
// has its project's initials. Without a store for files rooms go without.
func TestAvatars(t *testing.T) {
	b := newBench(t, "12")
	b.hs.noMedia = true
	b.acme()
	b.look("p1")
	url := func(kind string) string { return b.hs.actual(b.room(kind)).text(typeAvatar, "url") }
	if url("customer") != "" {
		t.Errorf("a picture from nowhere: %s", url("customer"))
	}
	b.hs.noMedia = false
	if wrote := b.look("p1"); len(wrote) > 0 { // not so soon
		t.Errorf("wrote %v", wrote)
	}
	b.restart()
	if wrote := b.look("p1"); len(wrote) != 4 || b.drift != 0 || b.hs.uploads != 4 {
		t.Errorf("wrote %v, %d by hand, %d uploads", wrote, b.drift, b.hs.uploads)
	}
	seen := map[string]bool{}
	for _, kind := range []string{"customer", "internal", "notes", "space"} {
		seen[url(kind)] = true
	}
	if seen[""] || len(seen) != 4 {
		t.Errorf("pictures %v", seen)
	}
	b.hs.set(b.hs.rooms[b.room("notes")], simBot, typeAvatar, "", map[string]any{"url": url("customer")})
	if wrote := b.look("p1"); strings.Join(wrote, ", ") != "put m.room.avatar" || b.drift != 1 {
		t.Errorf("wrote %v, %d by hand", wrote, b.drift)
	}
	// Another project, whose Space alone is new, and is made with it.
	p := *b.acme()
	p.ID, p.Slug, p.Name = "p2", "beta", "Beta Shop"
	b.save(&p)
	for _, wrote := range b.look("p2") {
		if wrote == "put m.room.avatar" {
			t.Error("a picture comes after the room")
		}
	}
	if b.hs.uploads != 5 {
		t.Errorf("%d uploads", b.hs.uploads)
	}
}
