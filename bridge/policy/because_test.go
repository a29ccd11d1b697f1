package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// LANE-18: why somebody is in a lane, or is not.
func TestBecause(t *testing.T) {
	until := noon.Add(14 * 24 * time.Hour)
	for name, c := range map[string]struct {
		role    project.Role
		lane    project.Kind
		profile string
		change  func(pr *project.Project)
		rules   []string
		words   string // of the last reason
	}{
		"by role":         {role: "customer", rules: []string{policy.RuleRole}, words: "customer has full here by default"},
		"could be":        {role: "expert", rules: []string{policy.RuleRole, policy.RuleGrantable}, words: "up to full; nobody has"},
		"granted":         {role: "expert", change: func(pr *project.Project) { grant(pr, "expert", "customer", project.Text) }, rules: []string{policy.RuleRole, policy.RuleGrant}, words: "Approved on 1 March 2026: text."},
		"for a time":      {role: "expert", change: func(pr *project.Project) { grant(pr, "expert", "customer", project.Text); pr.Grants[0].Until = &until }, rules: []string{policy.RuleRole, policy.RuleGrant}, words: "text until 15 March 2026, 12:00 UTC."},
		"over":            {role: "expert", change: func(pr *project.Project) { grant(pr, "expert", "customer", project.Text); pr.Grants[0].Until = &noon }, rules: []string{policy.RuleRole, policy.RuleEnded}, words: "ended on 1 March 2026"},
		"not any more":    {role: "customer", change: func(pr *project.Project) { grant(pr, "customer", "customer", project.Full) }, rules: []string{policy.RuleRole, policy.RuleEnded}, words: "the profile agency doesn't allow it"},
		"archived":        {role: "customer", change: func(pr *project.Project) { pr.Archive() }, rules: []string{policy.RuleRole, policy.RuleArchived}, words: "only staff can write"},
		"tier":            {role: "account_manager", profile: "managed", rules: []string{policy.RuleRole, policy.RuleTier}, words: "is enterprise; here it is not set"},
		"right tier":      {role: "account_manager", profile: "managed", change: func(pr *project.Project) { pr.Tier = "enterprise" }, rules: []string{policy.RuleRole, policy.RuleTier}, words: "it is enterprise"},
		"no lane":         {role: "customer", lane: "internal", profile: "open", rules: []string{policy.RuleNoLane}, words: "open have no internal lane"},
		"stranger":        {role: "nobody", rules: []string{policy.RuleStranger}, words: "not in this project"},
		"ghost":           {role: "ghost", change: func(pr *project.Project) { pr.Welcome(project.Guest{User: user("ghost"), Lane: "customer"}) }, rules: []string{policy.RuleGuest}, words: "speaks for somebody"},
		"in the Space":    {role: "agency", lane: "space", rules: []string{policy.RuleSpace}, words: "so it's in the Space"},
		"not in it":       {role: "customer", lane: "space", rules: []string{policy.RuleSpace}, words: "so it isn't in the Space"},
		"there is none":   {role: "customer", lane: "space", profile: "open", rules: []string{policy.RuleSpace}, words: "no Space"},
		"no such profile": {role: "customer", profile: "nosuch", rules: []string{policy.RuleNoLane}, words: "nosuch"},
	} {
		t.Run(name, func(t *testing.T) {
			p := policy.Default()
			pr := one(p, "agency", "")
			if c.profile != "" {
				pr.Profile = c.profile
			}
			if c.lane == "" {
				c.lane = project.Customer
			}
			if c.change != nil {
				c.change(pr)
			}
			reasons := p.Because(pr, user(c.role), c.lane, noon)
			var rules []string
			for _, r := range reasons {
				rules = append(rules, r.Rule)
				if strings.Contains(r.Text, "@") || !strings.HasSuffix(r.Text, ".") {
					t.Errorf("%q", r.Text)
				}
				if (r.By != "") != (r.Rule == policy.RuleGrant || r.Rule == policy.RuleEnded) {
					t.Errorf("%+v", r)
				}
			}
			if !slices.Equal(rules, c.rules) || !strings.Contains(reasons[len(reasons)-1].Text, c.words) {
				t.Errorf("%+v", reasons)
			}
		})
	}
}
