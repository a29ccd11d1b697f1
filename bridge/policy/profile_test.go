package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

const bot = "@lanekeeper:example.org"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The shipped profiles, cell by cell, as the product promises them: rows are
// roles, columns profile and lane. ">" begins what can be granted; "E" stands for
// what only the tier enterprise gives.
var (
	columns = []struct{ profile, lane string }{
		{"agency", "customer"}, {"agency", "internal"}, {"agency", "notes"}, {"agency", "space"},
		{"managed", "customer"}, {"managed", "internal"}, {"managed", "notes"}, {"managed", "space"},
		{"open", "customer"}, {"open", "internal"}, {"open", "notes"}, {"open", "space"},
	}
	cells = map[project.Role][12]string{
		"customer":        {"full", "none", "none", "none", "full", "none", "none", "none", "full", "none", "none", "none"},
		"stakeholder":     {"text", "none", "none", "none", "full", "none", "none", "none", "full", "none", "none", "none"},
		"expert":          {"none>", "full", "none", "none", "full", "none", "none", "none", "full", "none", "none", "none"},
		"editor":          {"none>", "full", "none", "none", "full", "none", "none", "none", "full", "none", "none", "none"},
		"agency":          {"full", "full", "full", "read", "none", "none", "none", "none", "full", "none", "none", "none"},
		"account_manager": {"full", "full", "full", "read", "fullE", "none", "none", "none", "full", "none", "none", "none"},
		"manager":         {"manager", "manager", "manager", "read", "manager", "none", "manager", "read", "manager", "none", "none", "none"},
		"ops":             {"ops", "ops", "ops", "read", "ops", "none", "ops", "read", "ops", "none", "none", "none"},
	}
	histories = map[string]string{"agency": "invited", "managed": "shared", "open": "invited"} // of the customer lane
)

// one is a project with one person of each role; their localpart is the role.
func one(p *policy.Policy, profile, tier string) *project.Project {
	pr := &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: profile, Tier: tier, Status: project.Active}
	for _, role := range p.Catalogue().Roles {
		pr.People = append(pr.People, project.Person{User: user(role), Role: role})
	}
	return pr
}

func user(role project.Role) string { return "@" + string(role) + ":example.org" }

func grant(pr *project.Project, role project.Role, lane project.Kind, a project.Access) {
	pr.Grants = append(pr.Grants, project.Grant{User: user(role), Lane: lane, Access: a, Approver: user("manager"), Since: noon})
}

// LANE-07, LANE-08, LANE-12, LANE-16: every role, lane and profile.
func TestShippedProfiles(t *testing.T) {
	p := policy.Default()
	if len(cells) != len(p.Roles) || len(p.Profiles) != 3 {
		t.Fatalf("%d roles and %d profiles", len(p.Roles), len(p.Profiles))
	}
	for role, row := range cells {
		for i, col := range columns {
			for _, tier := range []string{"", "basic", "enterprise"} {
				t.Run(fmt.Sprint(col.profile, " ", col.lane, " ", role, " ", tier), func(t *testing.T) {
					checkCell(t, p, one(p, col.profile, tier), role, project.Kind(col.lane), row[i])
				})
			}
		}
	}
}

func checkCell(t *testing.T, p *policy.Policy, pr *project.Project, role project.Role, lane project.Kind, cell string) {
	t.Helper()
	want, grantable := cell, false
	switch last := cell[len(cell)-1]; last {
	case '>':
		want, grantable = cell[:len(cell)-1], true
	case 'E':
		if want = cell[:len(cell)-1]; pr.Tier != "enterprise" {
			want = "none"
		}
	}
	if got := p.Access(pr, user(role), lane, noon).String(); got != want {
		t.Errorf("access %s, want %s", got, want)
	}
	in := slices.ContainsFunc(p.Members(pr, lane, noon), func(m policy.Member) bool { return m.User == user(role) && m.Access.String() == want })
	if in != (want != "none") {
		t.Errorf("a member: %v", in)
	}
	rungs, def, ok := p.Grantable(pr, role, lane)
	if ok != grantable || grantable && (!slices.Equal(rungs, []project.Access{project.Read, project.Text, project.Full}) || def != project.Text) {
		t.Errorf("grantable %v, %v, %v", rungs, def, ok)
	}
	// A grant where the profile knows none gives nothing; where it does, its rung.
	for _, rung := range []project.Access{project.Read, project.Text, project.Full, project.Manager} {
		pr.Grants = nil
		grant(pr, role, lane, rung)
		after := want
		if grantable && rung <= project.Full {
			after = rung.String()
		}
		if got := p.Access(pr, user(role), lane, noon).String(); got != after {
			t.Errorf("with a grant of %s: %s, want %s", rung, got, after)
		}
	}
	if reasons := p.Because(pr, user(role), lane, noon); len(reasons) == 0 {
		t.Error("nobody can say why")
	}
}

func TestLanesOfProfiles(t *testing.T) {
	p := policy.Default()
	for profile, want := range map[string][]project.Kind{
		"agency": {project.Customer, project.Internal, project.Notes}, "managed": {project.Customer, project.Notes},
		"open": {project.Customer}, "nosuch": {},
	} {
		pr := one(p, profile, "")
		if got := p.Lanes(pr); !slices.Equal(got, want) {
			t.Errorf("%s has %v", profile, got)
		}
		if p.HasSpace(pr) != (len(want) > 1) {
			t.Errorf("%s: Space %v", profile, p.HasSpace(pr))
		}
		for _, lane := range want {
			history := "invited"
			if lane == project.Customer {
				history = histories[profile]
			}
			if got := p.History(pr, lane); got != history {
				t.Errorf("%s %s: history %s", profile, lane, got)
			}
		}
		if p.History(pr, project.Space) != "invited" {
			t.Error("history of the Space")
		}
		if err := p.Covers(pr); (err == nil) != (profile != "nosuch") {
			t.Errorf("%s: %v", profile, err)
		}
	}
	pr := one(p, "agency", "")
	pr.People[0].Role = "gone"
	if lost := p.Lost(pr); p.Covers(pr) != nil || len(lost) != 1 || lost[0].Role != "gone" { // R22
		t.Errorf("a role that is gone: %v %v", p.Covers(pr), lost)
	}
	pr.Profile = "open" // where everybody is in
	if a := p.Access(pr, pr.People[0].User, project.Customer, noon); a != project.None {
		t.Errorf("a role that is gone has %s", a)
	}
	if p.AcceptedAs(pr) != "expert" || p.AcceptedAs(one(p, "nosuch", "")) != "" {
		t.Error("accepted as", p.AcceptedAs(pr))
	}
}

func TestGrantEnds(t *testing.T) {
	p, pr := policy.Default(), one(policy.Default(), "agency", "")
	grant(pr, "expert", project.Customer, project.Full)
	until := noon.Add(time.Hour)
	pr.Grants[0].Until = &until
	for at, want := range map[time.Time]project.Access{noon: project.Full, until.Add(-1): project.Full, until: project.None, until.Add(1): project.None} {
		if got := p.Access(pr, user("expert"), project.Customer, at); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

// An archived project can be read by all, written by staff alone.
func TestArchived(t *testing.T) {
	p, pr := policy.Default(), one(policy.Default(), "agency", "")
	grant(pr, "expert", project.Customer, project.Full)
	pr.Guests = []project.Guest{{User: "@lanekeeper_agent_1:example.org", Lane: project.Customer}}
	active := p.Members(pr, project.Customer, noon)
	pr.Archive()
	archived := p.Members(pr, project.Customer, noon)
	if len(active) != 8 || len(archived) != len(active) { // all roles but editor, and the ghost
		t.Fatalf("%v\n%v", active, archived)
	}
	for i, m := range archived {
		want := active[i].Access
		if want < project.Manager && !m.Guest {
			want = project.Read
		}
		if m.User != active[i].User || m.Access != want {
			t.Errorf("%+v, want %s", m, want)
		}
	}
	if got := p.Access(pr, user("agency"), project.Space, noon); got != project.Read {
		t.Errorf("Space: %s", got)
	}
}

func TestGuests(t *testing.T) {
	p, pr := policy.Default(), one(policy.Default(), "managed", "")
	pr.Guests = []project.Guest{{User: "@a_ghost:example.org", Lane: project.Customer}, {User: "@lost:example.org", Lane: project.Internal}}
	ms := p.Members(pr, project.Customer, noon)
	if ms[0] != (policy.Member{User: "@a_ghost:example.org", Access: project.Text, Guest: true}) || !slices.IsSortedFunc(ms, func(a, b policy.Member) int {
		if a.User < b.User {
			return -1
		}
		return 1
	}) {
		t.Errorf("%+v", ms)
	}
	if ms := p.Members(pr, project.Internal, noon); len(ms) != 0 {
		t.Errorf("a lane that is none has %+v", ms)
	}
	if p.Access(pr, "@a_ghost:example.org", project.Customer, noon) != project.None {
		t.Error("a ghost counts as a person")
	}
}
