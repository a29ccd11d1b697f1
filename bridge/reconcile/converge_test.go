package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/text"
)

// bench is a reconciler on a real database and a simulated homeserver, whose clock
// is everybody's.
type bench struct {
	*testing.T
	hs    *sim
	r     *Reconciler
	drift int
}

type simClock struct{ s *sim }

func (c simClock) Now() time.Time                         { return c.s.now }
func (c simClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func newBench(t *testing.T, version string) *bench {
	hs := newSim(version)
	db := storetest.Open(t, store.SQLite, storetest.SQLite(t))
	n := 0
	s := &store.Store{
		DB: db, Queue: queue.New(db, simClock{hs}, zerolog.Nop()), Domain: simDomain, Now: func() time.Time { return hs.now },
		NewID: func() string { n++; return fmt.Sprintf("id%d", n) },
	}
	b := &bench{T: t, hs: hs}
	b.r = &Reconciler{Store: s, HS: hs, Policy: testPolicy(), Log: zerolog.Nop()}
	b.restart()
	return b
}

// restart forgets everything that a process remembers, and takes some time.
func (b *bench) restart() {
	b.hs.now = b.hs.now.Add(2 * settling)
	b.r = &Reconciler{Store: b.r.Store, HS: b.hs, Policy: b.r.Policy, Log: b.r.Log, Drift: func(n int) { b.drift += n }}
}

func (b *bench) save(p *project.Project) {
	b.Helper()
	if err := b.r.Store.Tx(b.Context(), func(ctx context.Context) error { return b.r.Store.SaveProject(ctx, p) }); err != nil {
		b.Fatal(err)
	}
}

// acme is an agency project with a customer, a manager and an expert.
func (b *bench) acme() *project.Project {
	p := &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: "agency", Status: project.Active, Created: b.hs.now}
	for user, role := range map[string]project.Role{"@carl:lanes.test": "customer", "@mia:lanes.test": "manager", "@xena:lanes.test": "expert"} {
		p.People = append(p.People, project.Person{User: user, Role: role, Since: b.hs.now})
	}
	b.save(p)
	return p
}

// try is one job of the queue; its outcome is committed as the queue does.
func (b *bench) try(key string) queue.Result {
	b.Helper()
	b.hs.now = b.hs.now.Add(time.Second)
	result := b.r.do(b.Context(), queue.Job{Queue: store.QueueReconcile, Key: key, Created: b.hs.now, At: b.hs.now})
	if result.Retry == 0 && result.Commit != nil {
		if err := b.r.Store.Tx(b.Context(), result.Commit); err != nil {
			b.Fatal(err)
		}
	}
	return result
}

// look is a job that must succeed; it gives what was written.
func (b *bench) look(key string) []string {
	b.Helper()
	before := len(b.hs.writes)
	if result := b.try(key); result.Retry > 0 || result.Err != nil {
		b.Fatalf("retry %s: %v", result.Retry, result.Err)
	}
	return b.hs.writes[before:]
}

func (b *bench) room(kind string) string {
	b.Helper()
	row, err := b.r.Store.LaneRoom(b.Context(), "p1", kind)
	if err != nil || row == nil || row.ID == "" {
		b.Fatalf("no room %s: %v", kind, err)
	}
	return row.ID
}

func (b *bench) membership(kind, user string) string {
	b.Helper()
	return b.hs.actual(b.room(kind)).member(user).is
}

func (b *bench) join(kind string, users ...string) {
	b.Helper()
	for _, user := range users {
		if err := b.hs.join(user, b.room(kind)); err != nil {
			b.Fatalf("%s joins %s: %v", user, kind, err)
		}
	}
}

// said gives the words that wait to be sent, by where they go.
func (b *bench) said() map[string][]string {
	b.Helper()
	rows, err := b.r.Store.DB.Query(b.Context(), "SELECT key, payload FROM job WHERE queue=$1 ORDER BY id", store.QueueMatrix)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var key string
		var raw []byte
		if err := rows.Scan(&key, &raw); err != nil {
			b.Fatal(err)
		}
		var e effect.Effect
		if err := json.Unmarshal(raw, &e); err != nil {
			b.Fatal(err)
		}
		out[key] = append(out[key], fmt.Sprint(e.Message.Content["body"]))
	}
	return out
}

// laneCount counts rooms by kind, whether the store knows them or not.
func (b *bench) laneCount() map[string]int {
	count := map[string]int{}
	for _, id := range b.hs.order {
		count[b.hs.actual(id).text(typeLane, "kind")]++
	}
	return count
}

var oneOfEach = map[string]int{"customer": 1, "internal": 1, "notes": 1, "space": 1}

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
	for _, words := range []string{"lift the ban of @carl:lanes.test in Customer", "by invitation only", "link Customer · Acme in Project · Acme"} {
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
	b.look2("p1") // other rooms come next
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
	if said := b.said()[store.KeySuperAdmin]; len(said) != 1 || !strings.Contains(said[0], "still so") {
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

func (b *bench) look2(key string) {
	for range 3 {
		b.try(key)
	}
}

func (b *bench) answer(command string, revision int64) {
	b.Helper()
	a := &store.Answer{Command: command, To: effect.Place{Room: "!x"}, Words: text.Say("done"), Result: map[string]any{"ok": true}}
	err := b.r.Store.Tx(b.Context(), func(ctx context.Context) error { return b.r.Store.AnswerWhen(ctx, a, "p1", revision) })
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) answered(command string) bool {
	b.Helper()
	var n int
	if err := b.r.Store.DB.QueryRow(b.Context(), "SELECT COUNT(*) FROM answer WHERE command=$1", command).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n == 0
}

func (b *bench) waiting(key string) (n int) {
	b.Helper()
	if err := b.r.Store.DB.QueryRow(b.Context(), "SELECT COUNT(*) FROM job WHERE queue=$1 AND key=$2", store.QueueReconcile, key).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

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

// know stores the state of a room as the sync does.
func (b *bench) know(room string) {
	b.Helper()
	for _, e := range b.hs.rooms[room].state {
		if err := b.r.Store.PutState(b.Context(), e); err != nil {
			b.Fatal(err)
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
