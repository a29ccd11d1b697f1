package reconcile

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/bulkhead"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// hanging is a homeserver whose invitations wait for other servers.
type hanging struct {
	*sim
	hang chan error
}

func (h hanging) Invite(ctx context.Context, room, user, reason string) error {
	if !strings.HasSuffix(user, ":dead.test") {
		return h.sim.Invite(ctx, room, user, reason)
	}
	select {
	case err := <-h.hang:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// C2: an invitation that never gets an answer keeps nobody in a room, and no answer
// of a later change from being said; the project's next look goes on with it.
func TestInvitationWithoutAnAnswer(t *testing.T) {
	b := newBench(t, "12")
	h := hanging{b.hs, make(chan error)}
	b.r.HS, b.r.Away = h, &bulkhead.Pool{Slots: 4, PerServer: 1, Home: simDomain, Linger: time.Minute}
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	b.join("internal", "@xena:lanes.test", "@mia:lanes.test")
	for _, user := range []string{"@abe:dead.test", "@bea:dead.test"} {
		p.People = append(p.People, project.Person{User: user, Role: "stakeholder", Since: b.hs.now})
	}
	b.save(p)
	b.answer("$added", p.Revision)
	b.r.Away.Linger = time.Millisecond // from here on only what hangs is called
	if result := b.try("p1"); result.Retry > 0 || result.Err != nil {
		t.Fatalf("the look waits for it: %+v", result)
	}
	if b.answered("$added") {
		t.Error("answered though it is not so")
	}
	// The removal of an expert does not wait, nor does what is said of it.
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@xena:lanes.test" })
	b.save(p)
	b.answer("$removed", p.Revision)
	b.try("p1")
	if is := b.membership("internal", "@xena:lanes.test"); is != "leave" {
		t.Errorf("the expert is %q", is)
	}
	if !b.answered("$removed") || b.answered("$added") {
		t.Errorf("answered: removal %v, addition %v", b.answered("$removed"), b.answered("$added"))
	}
	if b.waiting("p1") != 1 {
		t.Errorf("%d looks wait", b.waiting("p1"))
	}
	// The end of the call brings the next look.
	h.hang <- &matrix.Error{Message: "no answer within 30s"}
	b.r.Away.Wait()
	if b.waiting("p1") < 2 {
		t.Error("nobody comes back for the outcome")
	}
	if said := b.said()[store.KeySuperAdmin]; len(said) > 0 {
		t.Errorf("staff hears too early: %q", said)
	}
	// After some tries it is told once, and tried seldom.
	b.r.Away.Linger = time.Minute
	b.r.HS = b.hs
	b.hs.refuse = func(op string) error {
		if strings.HasSuffix(op, ":dead.test") {
			return errLost
		}
		return nil
	}
	for range 2 * patience {
		b.try("p1")
		b.r.Away.Wait()
	}
	said := b.said()[store.KeySuperAdmin]
	if len(said) == 0 || !strings.Contains(said[0], "no answer, though I tried several times") {
		t.Errorf("staff reads %q", said)
	}
	for range patience {
		b.try("p1")
	}
	if again := b.said()[store.KeySuperAdmin]; len(again) != len(said) {
		t.Errorf("said again: %q", again)
	}
}

// C2: an invitation that hangs and a removal are seen in the same look: what is about
// the removal is said.
func TestRemovalBesideAnInvitationWithoutAnAnswer(t *testing.T) {
	b := newBench(t, "12")
	b.r.HS, b.r.Away = hanging{b.hs, nil}, &bulkhead.Pool{Slots: 4, PerServer: 1, Home: simDomain, Linger: time.Minute}
	p := b.acme()
	b.look("p1")
	b.join("internal", "@xena:lanes.test", "@mia:lanes.test")
	p.People = append(p.People, project.Person{User: "@abe:dead.test", Role: "stakeholder", Since: b.hs.now})
	b.save(p)
	b.answer("$added", p.Revision, "@abe:dead.test")
	b.answer("$archived", p.Revision)
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@xena:lanes.test" })
	b.save(p)
	b.answer("$removed", p.Revision, "@xena:lanes.test")
	b.answer("$both", p.Revision, "@xena:lanes.test", "@abe:dead.test")
	b.r.Away.Linger = time.Millisecond // from here on only what hangs is called
	b.try("p1")
	for command, want := range map[string]bool{"$added": false, "$archived": false, "$removed": true, "$both": false} {
		if b.answered(command) != want {
			t.Errorf("%s: answered %v", command, !want)
		}
	}
}

// C2: staff hear, once, of an invitation that each time takes its time to get no
// answer. Whoever asked for it waits until it is there.
func TestInvitationThatHangsEachTime(t *testing.T) {
	b := newBench(t, "12")
	h := hanging{b.hs, make(chan error)}
	b.r.HS, b.r.Away = h, &bulkhead.Pool{Slots: 4, PerServer: 1, Home: simDomain, Linger: time.Minute}
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	p.People = append(p.People, project.Person{User: "@abe:dead.test", Role: "stakeholder", Since: b.hs.now})
	b.save(p)
	b.answer("$added", p.Revision, "@abe:dead.test")
	b.r.Away.Linger = time.Millisecond
	invitation := "invite @abe:dead.test " + b.room("customer")
	for range 30 {
		b.try("p1")
		if b.r.Away.UnderWay(invitation) {
			h.hang <- errLost
			b.r.Away.Wait()
		}
		b.hs.now = b.hs.now.Add(awayRetry)
	}
	if said := b.said()[store.KeySuperAdmin]; len(said) != 1 || !strings.Contains(said[0], "no answer, though I tried several times") {
		t.Errorf("staff reads %q", said)
	}
	if b.answered("$added") {
		t.Error("answered though it is not so")
	}
	b.r.Away.Linger = time.Minute
	b.r.HS = b.hs
	b.hs.now = b.hs.now.Add(slowRetry)
	for range 2 {
		b.try("p1")
	}
	if !b.answered("$added") || b.membership("customer", "@abe:dead.test") != "invite" {
		t.Error("it is given up")
	}
}

// C2: whatever one step ends in, people lose in all rooms what they shall not have
// before anybody is invited anywhere.
func TestRemovalsComeFirst(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look("p1")
	b.join("internal", "@xena:lanes.test", "@mia:lanes.test")
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@xena:lanes.test" })
	p.People = append(p.People, project.Person{User: "@abe:lanes.test", Role: "customer", Since: b.hs.now})
	b.save(p)
	before, lost := len(b.hs.writes), false
	b.hs.refuse = func(op string) error {
		if op == "put m.room.power_levels" && !lost {
			lost = true
			return errLost // of the customer lane, the first of all
		}
		return nil
	}
	b.try("p1")
	wrote := b.hs.writes[before:]
	kick, invite := slices.Index(wrote, "kick @xena:lanes.test"), slices.Index(wrote, "invite @abe:lanes.test")
	if kick < 0 || invite >= 0 && invite < kick {
		t.Errorf("wrote %q", wrote)
	}
}

// C2: one room whose state cannot be read holds up that room.
func TestUnreadableRoom(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	b.join("internal", "@xena:lanes.test", "@mia:lanes.test")
	b.r.HS = damaged{b.hs, b.room("customer")}
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@xena:lanes.test" })
	b.save(p)
	if result := b.try("p1"); result.Retry == 0 {
		t.Error("it is not tried again")
	}
	if is := b.membership("internal", "@xena:lanes.test"); is != "leave" {
		t.Errorf("the expert is %q", is)
	}
}

type damaged struct {
	*sim
	room string
}

func (d damaged) State(ctx context.Context, room string) ([]*matrix.Event, error) {
	if room == d.room {
		return nil, refusal(500, "M_UNKNOWN")
	}
	return d.sim.State(ctx, room)
}

// R19: a refused invitation takes the MXID out of the levels again, and the next
// tries leave no trace in the room.
func TestRefusedInvitationIsNotListed(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	p.People = append(p.People, project.Person{User: "@gone:else.test", Role: "agency", Since: b.hs.now})
	b.save(p)
	b.hs.refuse = func(op string) error {
		if op == "invite @gone:else.test" {
			return forbidden
		}
		return nil
	}
	b.try("p1")
	listed := func() bool {
		_, ok := entry(b.hs.actual(b.room("customer")).Content(typeLevels, ""), "users", "@gone:else.test")
		return ok
	}
	if listed() {
		t.Error("who could not be invited is listed")
	}
	before := len(b.hs.writes)
	b.hs.now = b.hs.now.Add(slowRetry)
	b.try("p1")
	if wrote := b.hs.writes[before:]; len(wrote) > 0 {
		t.Errorf("the next try wrote %q", wrote)
	}
	b.hs.refuse = nil
	b.look("p1")
	if !listed() || b.membership("customer", "@gone:else.test") != "invite" {
		t.Errorf("listed %v, %q", listed(), b.membership("customer", "@gone:else.test"))
	}
}

// R22: somebody whose role the configuration lost has no access, is told of, and
// keeps nobody else in; a profile that is lost keeps in nobody who was removed.
func TestLostRoleAndProfile(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	b.join("internal", "@xena:lanes.test", "@mia:lanes.test")
	b.join("customer", "@carl:lanes.test", "@mia:lanes.test")
	p.Person("@carl:lanes.test").Role = "gone"
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@xena:lanes.test" })
	b.save(p)
	b.answer("$removed", p.Revision)
	for range 2 {
		b.look("p1")
	}
	for kind, user := range map[string]string{"internal": "@xena:lanes.test", "customer": "@carl:lanes.test"} {
		if is := b.membership(kind, user); is != "leave" {
			t.Errorf("%s is %q", user, is)
		}
	}
	if !b.answered("$removed") {
		t.Error("the removal is not answered")
	}
	if said := b.said()[store.KeySuperAdmin]; len(said) != 1 || !strings.Contains(said[0], "has the role gone") {
		t.Errorf("staff reads %q", said)
	}
	p.Profile = "lost"
	p.People = slices.DeleteFunc(p.People, func(o project.Person) bool { return o.User == "@mia:lanes.test" })
	b.save(p)
	b.try("p1")
	if is := b.membership("customer", "@mia:lanes.test"); is != "leave" {
		t.Errorf("mia is %q", is)
	}
}

// D10: what is undone is told even if the process dies between the two.
func TestDriftSurvivesTheProcess(t *testing.T) {
	b := newBench(t, "12")
	b.acme()
	b.look("p1")
	b.join("customer", "@carl:lanes.test")
	b.look("p1")
	b.hs.set(b.hs.rooms[b.room("customer")], simBot, typeJoinRules, "", map[string]any{"join_rule": "public"})
	b.hs.now = b.hs.now.Add(time.Second)
	s, err := b.r.subject(t.Context(), "p1")
	if err == nil {
		_, err = b.r.converge(t.Context(), s, map[deed]*try{}, false) // and no commit
	}
	if err != nil {
		t.Fatal(err)
	}
	b.restart()
	for range 2 {
		b.look("p1")
	}
	if said := b.said()["lane:p1:notes"]; len(said) != 1 || !strings.Contains(said[0], "by invitation only") {
		t.Errorf("said %q", said)
	}
	if b.drift != 1 {
		t.Errorf("drift %d", b.drift)
	}
}

// D11: who changes a thing back after each look is answered slower and slower, and
// told of once.
func TestFight(t *testing.T) {
	b := newBench(t, "12")
	b.acme()
	b.look(store.KeySuperAdmin)
	b.look("p1")
	room := b.hs.rooms[b.room("customer")]
	before := len(b.hs.writes)
	for n := range 60 {
		b.hs.set(room, simBot, typeGuests, "", map[string]any{"guest_access": "can_join", "n": n})
		b.hs.now = b.hs.now.Add(10 * time.Second)
		b.try("p1")
	}
	if wrote := len(b.hs.writes) - before; wrote > 12 {
		t.Errorf("%d writes in ten minutes", wrote)
	}
	said := b.said()
	if n := len(said["lane:p1:notes"]); n != fightRounds {
		t.Errorf("%d notices: %q", n, said["lane:p1:notes"])
	}
	if staff := said[store.KeySuperAdmin]; len(staff) != 1 || !strings.Contains(staff[0], "changes it back") {
		t.Errorf("staff reads %q", staff)
	}
	b.hs.now = b.hs.now.Add(slowRetry)
	b.look("p1")
	if b.hs.actual(room.id).text(typeGuests, "guest_access") != "forbidden" {
		t.Error("it is given up")
	}
}

// M8: a creation whose client stopped waiting is neither repeated nor its alias
// deleted while the homeserver may be busy with it.
func TestSlowCreation(t *testing.T) {
	b := newBench(t, "12")
	slow := true
	b.hs.cut = func() (int, bool, bool) {
		if slow {
			b.hs.now = b.hs.now.Add(30 * time.Second)
			return 0, true, true
		}
		return 99, true, false
	}
	if _, err := b.r.EnsureDirect(t.Context(), "@carl:lanes.test"); !matrix.Temporary(err) {
		t.Fatal(err)
	}
	slow = false
	for range 5 {
		b.hs.now = b.hs.now.Add(10 * time.Second)
		if _, err := b.r.EnsureDirect(t.Context(), "@carl:lanes.test"); !postponed(err) {
			t.Fatalf("tried again: %v", err)
		}
	}
	var taken string // the first creation comes to its end
	for alias, id := range b.hs.aliases {
		taken = id
		b.hs.made(matrix.CreateRoom{Version: "12", Levels: map[string]any{}, CreationContent: map[string]any{keyOfCreation: strings.TrimSuffix(strings.TrimPrefix(alias, "#"), ":"+simDomain)}}, 99)
		b.hs.aliases[alias] = b.hs.order[len(b.hs.order)-1]
	}
	id, err := b.r.EnsureDirect(t.Context(), "@carl:lanes.test")
	if err != nil || id == taken || len(b.hs.order) != 1 {
		t.Errorf("%s, %v, rooms %v", id, err, b.hs.order)
	}
}

// R17: an operator's super-admin room stays theirs when its key goes away, and staff
// hear who reads along.
func TestFormerForeignRoom(t *testing.T) {
	b := newBench(t, "10")
	id := b.hs.made(matrix.CreateRoom{Version: "10", Name: "Support", CreationContent: map[string]any{}, Levels: map[string]any{"users": map[string]any{simBot: 100}}}, 99)
	room := b.hs.rooms[id]
	b.hs.set(room, "@boss:else.org", typeCreate, "", map[string]any{"room_version": "10"})
	b.hs.set(room, "@boss:else.org", typeHistory, "", map[string]any{"history_visibility": "world_readable"})
	b.hs.member(room, "@boss:else.org", "@boss:else.org", "join")
	b.hs.member(room, "@eve:lanes.test", "@eve:lanes.test", "join")
	b.r.SuperAdmin = id
	b.look(store.KeySuperAdmin)
	b.restart() // without the key
	if wrote := b.look(store.KeySuperAdmin); len(wrote) > 0 {
		t.Errorf("wrote %q", wrote)
	}
	said := b.said()[store.KeySuperAdmin]
	if len(said) != 1 || !strings.Contains(said[0], "@eve:lanes.test is in this room") || !strings.Contains(said[0], "world_readable") {
		t.Errorf("staff reads %q", said)
	}
}

// U13: the reason of a refusal stands in the pending answer of whoever reads it alone.
func TestPendingSaysWhy(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	b.hs.refuse = func(op string) error {
		if strings.HasPrefix(op, "create") {
			return &matrix.Error{Status: 403, Code: "M_FORBIDDEN", Message: "Invites have been disabled"}
		}
		return nil
	}
	b.answer("$c", p.Revision)
	if result := b.try("p1"); result.Err == nil {
		t.Fatal("not refused")
	}
	err := b.r.Store.Tx(t.Context(), func(ctx context.Context) error {
		return b.r.Store.AnswerPending(ctx, "$c", func(*project.Project, project.Kind, []project.Kind) bool { return true })
	})
	said := b.said()["room:!x"]
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "Invites have been disabled") {
		t.Errorf("%q %v", said, err)
	}
}
