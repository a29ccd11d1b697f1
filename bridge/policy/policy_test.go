package policy_test

import (
	"slices"
	"testing"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

func withPermissions(roles map[string]string) *policy.Policy {
	p := policy.Default()
	p.Bot, p.Permissions = bot, roles
	return p
}

func TestPlatformRole(t *testing.T) {
	p := withPermissions(policy.Permissions{
		"*": "none", "example.org": "user", "localhost:8448": "admin",
		"@olga:example.org": "ops", "@root:example.org": "superadmin", "@bad:example.org": "none",
	})
	for user, want := range map[string]string{
		"@olga:example.org": "ops", "@root:example.org": "superadmin", "@bad:example.org": "none",
		"@anna:example.org": "user", "@anna:localhost:8448": "admin", "@anna:localhost": "none",
		"@anna:sub.example.org": "none", "@olga:other.org": "none", "": "none", bot: "none",
	} {
		if got := p.PlatformRole(user); got != want {
			t.Errorf("%s is %s, want %s", user, got, want)
		}
		if p.Known(user) != (want != "none") {
			t.Errorf("%s known: %v", user, p.Known(user))
		}
	}
	p.Ours = func(user string) bool { return user == "@lanekeeper_agent_x:example.org" }
	if p.Known("@lanekeeper_agent_x:example.org") {
		t.Error("a ghost is somebody's person by its server")
	}
	if got := p.Exact(policy.Handoff); !slices.Equal(got, []string{"@olga:example.org", "@root:example.org"}) {
		t.Errorf("%v", got)
	}
	p.Permissions = policy.Permissions{"*": "superadmin", "example.org": "ops", bot: "ops"}
	if got := p.Exact(policy.Handoff); len(got) != 0 {
		t.Errorf("a wildcard names %v", got)
	}
	if policy.Default().Known("@anna:example.org") {
		t.Error("without permissions somebody is known")
	}
}

// Who may do what: rows are roles of a project, then those of the platform.
func TestAbilities(t *testing.T) {
	all := []policy.Ability{policy.Human, policy.Request, policy.Accept, policy.People, policy.Approve, policy.Project, policy.Handoff, policy.See}
	p := withPermissions(policy.Permissions{"@p_ops:example.org": "ops", "@p_admin:example.org": "admin", "@p_superadmin:example.org": "superadmin", "@p_user:example.org": "user"})
	pr := one(p, "agency", "")
	for who, want := range map[string][]policy.Ability{
		"customer": {policy.Human, policy.See}, "stakeholder": {policy.Human, policy.See},
		"expert": {policy.Human, policy.Request, policy.See}, "editor": {policy.Human, policy.Request, policy.See},
		"agency":          {policy.Human, policy.Accept, policy.People, policy.See},
		"account_manager": {policy.Human, policy.People, policy.See},
		"manager":         {policy.Human, policy.Accept, policy.People, policy.Approve, policy.Project, policy.See},
		"ops":             {policy.Human, policy.Accept, policy.People, policy.Approve, policy.Project, policy.See},
		"p_user":          {}, "p_none": {}, "p_ops": all, "p_admin": all, "p_superadmin": all,
	} {
		for _, a := range all {
			mxid := "@" + who + ":example.org"
			if got := p.Can(mxid, a, pr); got != slices.Contains(want, a) {
				t.Errorf("%s %s: %v", who, a, got)
			}
			if got := p.Can(mxid, a, nil); got != (len(want) == len(all)) {
				t.Errorf("%s %s on the platform: %v", who, a, got)
			}
			if p.Access(pr, "@p_superadmin:example.org", project.Customer, noon) != project.None {
				t.Fatal("a platform role opens a lane")
			}
		}
	}
}

// Nobody hands out more than they have.
func TestMayAssign(t *testing.T) {
	p := withPermissions(policy.Permissions{"@root:example.org": "ops"})
	pr := one(p, "agency", "")
	below := []project.Role{"customer", "stakeholder", "expert", "editor"}
	for who, want := range map[string][]project.Role{
		"@root:example.org": p.Catalogue().Roles, user("manager"): p.Catalogue().Roles, user("ops"): p.Catalogue().Roles,
		user("agency"): append([]project.Role{"agency", "account_manager"}, below...), user("account_manager"): append([]project.Role{"account_manager"}, below...),
		user("customer"): below, // who has no `people` is asked that first
	} {
		for _, role := range p.Catalogue().Roles {
			if got := p.MayAssign(who, role, pr); got != slices.Contains(want, role) {
				t.Errorf("%s gives %s: %v", who, role, got)
			}
		}
	}
}

func TestApprovers(t *testing.T) {
	p := withPermissions(policy.Permissions{"@root:example.org": "superadmin", "@olga:example.org": "ops", "other.org": "ops"})
	pr := one(p, "agency", "")
	if got := p.Approvers(pr); !slices.Equal(got, []string{user("manager"), user("ops")}) {
		t.Errorf("%v", got)
	}
	if got := p.Approvers(pr, user("ops")); !slices.Equal(got, []string{user("manager")}) {
		t.Errorf("%v", got)
	}
	if _, err := pr.Remove(user("manager")); err != nil {
		t.Fatal(err)
	}
	if got := p.Approvers(pr, user("ops"), "@olga:example.org"); !slices.Equal(got, []string{"@root:example.org"}) {
		t.Errorf("nobody left in the project: %v", got)
	}
	if _, err := pr.Add("@joe:other.org", "customer", p.Catalogue().Roles, false, noon); err != nil {
		t.Fatal(err)
	}
	if got := p.Approvers(pr, user("ops")); !slices.Equal(got, []string{"@joe:other.org"}) {
		t.Errorf("staff of the platform who are in the project: %v", got)
	}
}

// A phone is bound to somebody on Matrix by themselves, or by a super-admin.
func TestMayBind(t *testing.T) {
	const olga, otto, root, carl = "@olga:example.org", "@otto:example.org", "@root:example.org", "@carl:example.org"
	p := withPermissions(policy.Permissions{olga: policy.Staff, otto: policy.Admin, root: policy.SuperAdmin, carl: policy.User})
	for _, c := range []struct {
		by, user string
		want     bool
	}{
		{olga, olga, true}, {root, olga, true}, {root, root, true},
		{otto, olga, false}, {olga, root, false}, {root, carl, false}, {carl, carl, false}, {root, bot, false},
	} {
		if got := p.MayBind(c.by, c.user); got != c.want {
			t.Errorf("%s binds a phone to %s: %v", c.by, c.user, got)
		}
	}
}
