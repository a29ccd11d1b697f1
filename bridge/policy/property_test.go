package policy_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// history plays random calls on one project and checks after each what must hold.
type history struct {
	p      *policy.Policy
	pr     *project.Project
	now    time.Time
	number int64
}

// Most draws are what people do, few are mistakes: else the histories stay short.
var (
	somebody = rapid.SampledFrom([]string{"@a:example.org", "@b:example.org", "@c:example.org", "@d:example.org", "@a:example.org", "@b:example.org", "@c:example.org", "nobody"})
	someLane = rapid.SampledFrom([]project.Kind{"", "", "", project.Customer, project.Customer, project.Internal, project.Notes, project.Space, "team"})
	someRung = rapid.SampledFrom([]project.Access{project.None, project.None, project.Read, project.Text, project.Full, project.Full, project.Manager})
	lanes    = []project.Kind{project.Customer, project.Internal, project.Notes, project.Space}
)

// LANE-09, LANE-12: whatever people do, nobody is louder than the profile and an
// approval that can be shown make them.
func TestHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{p: policy.Default(), now: noon}
		profile := rapid.SampledFrom([]string{"agency", "agency", "agency", "managed", "open"}).Draw(t, "profile")
		tier := rapid.SampledFrom([]string{"", "enterprise"}).Draw(t, "tier")
		people := []project.Person{{User: "@a:example.org", Role: "expert"}, {User: "@b:example.org", Role: "editor"}, {User: "@c:example.org", Role: "expert"}}
		pr, err := project.Create("p1", project.New{Slug: "acme", Name: "Acme", Profile: profile, Tier: tier, People: people}, h.p.Catalogue(), noon)
		if err != nil {
			t.Fatal(err)
		}
		h.pr = pr
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				user, role := somebody.Draw(t, "user"), rapid.SampledFrom(h.p.Catalogue().Roles).Draw(t, "role")
				was := h.pr.Person(user)
				same := was != nil && was.Role == role
				_, err := h.call(t, func() (project.Change, error) { return h.pr.Add(user, role, h.p.Catalogue().Roles, false, h.now) })
				if err == nil && !same { // approvals were given to the role
					h.atStart(t, user, project.Customer)
				}
			},
			"accept": func(t *rapid.T) {
				user := somebody.Draw(t, "user")
				_, _ = h.call(t, func() (project.Change, error) { return h.pr.Accept(user, h.p.AcceptedAs(h.pr), false, h.now) })
			},
			"remove": func(t *rapid.T) {
				user := somebody.Draw(t, "user")
				_, _ = h.call(t, func() (project.Change, error) { return h.pr.Remove(user) })
			},
			"ask": func(t *rapid.T) {
				h.number++
				a := project.Ask{Number: h.number, User: somebody.Draw(t, "user"), Lane: someLane.Draw(t, "lane"), Access: someRung.Draw(t, "access")}
				_, _ = h.call(t, func() (project.Change, error) { return h.pr.Ask(a, h.p.Rules(h.pr), h.now) })
			},
			"approve": func(t *rapid.T) {
				d := h.decision(t)
				if rapid.Bool().Draw(t, "for a time") {
					until := h.now.Add(time.Duration(rapid.IntRange(-1, 5).Draw(t, "hours")) * time.Hour)
					d.Until = &until
				}
				_, _ = h.call(t, func() (project.Change, error) { return h.pr.Approve(d, h.p.Rules(h.pr), h.now) })
			},
			"deny": func(t *rapid.T) {
				d := h.decision(t)
				_, _ = h.call(t, func() (project.Change, error) { return h.pr.Deny(d) })
			},
			"revoke": func(t *rapid.T) {
				d := h.decision(t)
				c, err := h.call(t, func() (project.Change, error) { return h.pr.Revoke(d) })
				if err == nil && h.pr.Status == project.Active {
					h.atStart(t, c.User, c.Lane)
				}
			},
			"time": func(t *rapid.T) {
				h.now = h.now.Add(time.Duration(rapid.IntRange(1, 180).Draw(t, "minutes")) * time.Minute)
				if rapid.Bool().Draw(t, "expire") {
					for _, g := range h.pr.Expire(h.now) {
						if h.pr.Status == project.Active {
							h.atStart(t, g.User, g.Lane)
						}
					}
				}
			},
			"archive": func(t *rapid.T) { h.pr.Archive() },
			"restore": func(t *rapid.T) { h.pr.Restore() },
			"":        h.check,
		})
	})
}

func (h *history) decision(t *rapid.T) project.Decision {
	d := project.Decision{By: somebody.Draw(t, "by"), Lane: someLane.Draw(t, "lane"), Access: someRung.Draw(t, "access")}
	if rapid.Bool().Draw(t, "by number") {
		d.Number = rapid.Int64Range(1, max(1, h.number)).Draw(t, "number")
	} else {
		d.User = somebody.Draw(t, "user")
	}
	return d
}

// call checks what holds for every call: refused or unchanged, it wrote nothing;
// done, the same again changes nothing more.
func (h *history) call(t *rapid.T, do func() (project.Change, error)) (project.Change, error) {
	before := h.written(t)
	c, err := do()
	after := h.written(t)
	if (err != nil || !c.Changed) != (before == after) {
		t.Fatalf("changed %v, %v:\n%s\n%s", c.Changed, err, before, after)
	}
	for _, r := range c.Closed {
		if r.State == project.Open || h.pr.Request(r.Number) != nil {
			t.Fatalf("closed, and open: %+v", r)
		}
	}
	if again, err2 := do(); err == nil && err2 == nil && again.Changed || h.written(t) != after {
		t.Fatalf("the same again changed it: %v\n%s\n%s", err2, after, h.written(t))
	}
	return c, err
}

func (h *history) written(t *rapid.T) string {
	b, err := json.Marshal(h.pr)
	if err != nil {
		t.Fatal(err)
	}
	var back project.Project
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if b2, _ := json.Marshal(back); string(b) != string(b2) {
		t.Fatalf("reads back as another\n%s\n%s", b, b2)
	}
	return string(b)
}

// start is what the profile alone gives somebody.
func (h *history) start(user string, lane project.Kind) project.Access {
	bare := *h.pr
	bare.Grants = nil
	return h.p.Access(&bare, user, lane, h.now)
}

func (h *history) atStart(t *rapid.T, user string, lane project.Kind) {
	if has, start := h.p.Access(h.pr, user, lane, h.now), h.start(user, lane); has != start {
		t.Fatalf("%s has %s in %s, and from the start %s", user, has, lane, start)
	}
}

func (h *history) check(t *rapid.T) {
	seen := map[string]bool{}
	once := func(what string) {
		if seen[what] {
			t.Fatalf("twice: %s", what)
		}
		seen[what] = true
	}
	for _, person := range h.pr.People {
		once("person " + person.User)
		for _, lane := range lanes {
			h.checkAccess(t, person, lane)
		}
	}
	for _, g := range h.pr.Grants {
		if once(fmt.Sprint("grant ", g.User, g.Lane)); h.pr.Person(g.User) == nil || g.Approver == "" || g.Approver == g.User {
			t.Fatalf("%+v", g)
		}
	}
	for _, r := range h.pr.Requests {
		once(fmt.Sprint("request ", r.Number))
		if once(fmt.Sprint("request ", r.User, r.Lane)); h.pr.Person(r.User) == nil || r.State != project.Open || r.DecidedBy != "" {
			t.Fatalf("%+v", r)
		}
	}
	for _, lane := range lanes {
		h.checkLevels(t, lane)
	}
}

func (h *history) checkAccess(t *rapid.T, person project.Person, lane project.Kind) {
	has := h.p.Access(h.pr, person.User, lane, h.now)
	if has > h.start(person.User, lane) {
		g := h.pr.Grant(person.User, lane)
		rungs, _, ok := h.p.Grantable(h.pr, person.Role, lane)
		if !ok || !slices.Contains(rungs, has) && h.pr.Status == project.Active || !g.Holds(h.now) || g.Approver == "" || g.Approver == person.User {
			t.Fatalf("%s has %s in %s by %+v", person.User, has, lane, g)
		}
	}
	if _, _, ok := h.p.Grantable(h.pr, person.Role, lane); ok && h.pr.Grant(person.User, lane) == nil && has != project.None {
		t.Fatalf("%s is in %s without anybody's approval", person.User, lane)
	}
	outside := map[project.Role][]project.Kind{
		"customer": {"internal", "notes", "space"}, "stakeholder": {"internal", "notes", "space"},
		"expert": {"notes", "space"}, "editor": {"notes", "space"},
	}
	if slices.Contains(outside[person.Role], lane) && has != project.None {
		t.Fatalf("%s is in %s", person.Role, lane)
	}
	if h.pr.Status == project.Archived && has > project.Read && has < project.Manager {
		t.Fatalf("%s has %s in %s of an archived project", person.Role, has, lane)
	}
}

func (h *history) checkLevels(t *rapid.T, lane project.Kind) {
	members := h.p.Members(h.pr, lane, h.now)
	listed := map[string]project.Access{}
	for _, m := range members {
		if m.Access == project.None || m.Access != h.p.Access(h.pr, m.User, lane, h.now) {
			t.Fatalf("%s: %+v", lane, m)
		}
		listed[m.User] = m.Access
	}
	if len(members) > 0 {
		delete(listed, members[0].User) // not invited yet
	}
	users := h.p.Levels(h.pr, lane, "11", bot, listed)["users"].(map[string]any)
	for who, level := range users {
		if _, ok := listed[who]; who != bot && (!ok || level != policy.Level(listed[who])) {
			t.Fatalf("%s lists %s with %v", lane, who, level)
		}
	}
}
