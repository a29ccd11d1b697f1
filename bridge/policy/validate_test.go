package policy_test

import (
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"lanekeeper/bridge/policy"
)

// read lays a file's words over the shipped policy, as package config does: a
// role or profile that is named replaces the shipped one, the others stay.
func read(t *testing.T, file string) *policy.Policy {
	t.Helper()
	p := policy.Default()
	into := struct {
		Roles       policy.Roles
		Profiles    policy.Profiles
		Permissions policy.Permissions
		Default     string `yaml:"default_profile"`
	}{p.Roles, p.Profiles, p.Permissions, p.Default}
	d := yaml.NewDecoder(strings.NewReader(file))
	d.KnownFields(true)
	if err := d.Decode(&into); err != nil {
		t.Fatal(err)
	}
	p.Roles, p.Profiles, p.Permissions, p.Default = into.Roles, into.Profiles, into.Permissions, into.Default
	return p
}

func TestShippedIsValid(t *testing.T) {
	if ps := policy.Default().Validate(); len(ps) != 0 {
		t.Errorf("%+v", ps)
	}
	if p := read(t, policy.DefaultYAML); len(p.Profiles) != 3 {
		t.Errorf("%v", p.Profiles)
	}
}

func TestOwnProfile(t *testing.T) {
	p := read(t, `
roles:
  translator: [human, request]
profiles:
  quiet:
    accepted_as: translator
    lanes:
      customer:
        access: {everybody: read, translator: none, manager: manager}
        grantable:
          translator: {access: [text, read], default: read}
          expert: {access: [full], default: full}
        history: joined
default_profile: quiet
permissions:
  "*": user
  "[::1]:8448": user
  "@Old.Name=1:example.org": admin
`)
	if ps := p.Validate(); len(ps) != 0 {
		t.Fatalf("%+v", ps)
	}
	pr := one(p, p.Default, "")
	for role, want := range map[string]string{"customer": "read", "translator": "none", "manager": "manager", "expert": "read", "ops": "read"} {
		if got := p.Access(pr, "@"+role+":example.org", "customer", noon).String(); got != want {
			t.Errorf("%s has %s, want %s", role, got, want)
		}
	}
	if rungs, def, _ := p.Grantable(pr, "translator", "customer"); len(rungs) != 2 || rungs[0].String() != "read" || def.String() != "read" {
		t.Errorf("lowest first: %v, %v", rungs, def)
	}
}

// Each line: what is wrong in a file, the key that is told, and a word of the fix.
func TestProblems(t *testing.T) {
	for _, c := range []struct{ file, key, word string }{
		{`{roles: {King: [human]}}`, "roles.King", "Rename"},
		{`{roles: {everybody: [human]}}`, "roles.everybody", "Rename"},
		{`{roles: {tier: [human]}}`, "roles.tier", "Rename"},
		{`{roles: {clerk: [humam]}}`, "roles.clerk", `"humam"`},
		{`{roles: {clerk: [handoff]}}`, "roles.clerk", "permissions"},
		{`{roles: {clerk: [see]}}`, "roles.clerk", `"see"`},
		{`{default_profile: nosuch}`, "default_profile", "agency, managed or open"},
		{`{default_profile: ""}`, "default_profile", "empty"},
		{`{profiles: {My profile: {lanes: {customer: {access: {customer: full}, history: shared}}}}}`, "profiles.My profile", "Rename"},
		{`{profiles: {mine: }}`, "profiles.mine.lanes", "Add at least one"},
		{`{profiles: {mine: {accepted_as: expert}}}`, "profiles.mine.lanes", "Add at least one"},
		{`{profiles: {mine: {accepted_as: king, lanes: {customer: {access: {customer: full}, history: shared}}}}}`, "profiles.mine.accepted_as", `"king"`},
		{lane("team: {access: {customer: full}, history: shared}"), "profiles.mine.lanes.team", "customer, internal or notes"},
		{lane("customer: "), "profiles.mine.lanes.customer", "empty"},
		{lane("customer: {history: shared}"), "profiles.mine.lanes.customer.access", "at least one role"},
		{lane("customer: {access: {customer: none}, history: shared}"), "profiles.mine.lanes.customer.access", "at least one role"},
		{lane("customer: {access: {customer: full, king: full}, history: shared}"), "profiles.mine.lanes.customer.access.king", "add it under roles"},
		{lane("customer: {access: {customer: loud}, history: shared}"), "profiles.mine.lanes.customer.access.customer", "none, read, text, full, manager or ops"},
		{lane("customer: {access: {customer: full}}"), "profiles.mine.lanes.customer.history", "invited, shared or joined"},
		{lane("customer: {access: {customer: full}, history: world_readable}"), "profiles.mine.lanes.customer.history", "world_readable"},
		{lane("customer: {access: {customer: full}, history: shared, only_for_tiers: {manager: [enterprise]}}"), "profiles.mine.lanes.customer.only_for_tiers.manager", "under access"},
		{lane("customer: {access: {customer: full}, history: shared, only_for_tiers: {customer: []}}"), "profiles.mine.lanes.customer.only_for_tiers.customer", "at least one"},
		{lane("customer: {access: {everybody: full}, history: shared, only_for_tiers: {king: [a]}}"), "profiles.mine.lanes.customer.only_for_tiers.king", "no role"},
		{grants("king: {access: [text], default: text}"), "profiles.mine.lanes.customer.grantable.king", "no role"},
		{grants("everybody: {access: [text], default: text}"), "profiles.mine.lanes.customer.grantable.everybody", "one by one"},
		{grants("expert: {default: text}"), "profiles.mine.lanes.customer.grantable.expert.access", "nothing to grant"},
		{grants("expert: {access: [text]}"), "profiles.mine.lanes.customer.grantable.expert.default", "missing"},
		{grants("expert: {access: [text], default: full}"), "profiles.mine.lanes.customer.grantable.expert.default", "not listed"},
		{grants("expert: {access: [none, text], default: text}"), "profiles.mine.lanes.customer.grantable.expert.access", `"none" is no access`},
		{grants("expert: {access: [loud, text], default: text}"), "profiles.mine.lanes.customer.grantable.expert.access", "read, text"},
		{grants("expert: {access: [manager], default: manager}"), "profiles.mine.lanes.customer.grantable.expert.access", "by approval"},
		{grants("customer: {access: [text, full], default: full}"), "profiles.mine.lanes.customer.grantable.customer.access", "from the start"},
		{lane("notes: {access: {everybody: full}, history: invited}"), "profiles.mine.lanes.notes.access.everybody", "for staff"},
		{lane("notes: {access: {manager: manager, expert: read}, history: invited}"), "profiles.mine.lanes.notes.access.expert", "for staff"},
		{lane("notes: {access: {manager: manager}, history: invited, grantable: {expert: {access: [read], default: read}}}"), "profiles.mine.lanes.notes.grantable.expert", "for staff"},
		{`{permissions: {"@olga": ops}}`, "permissions.@olga", "@name:example.org"},
		{`{permissions: {"@*:example.org": ops}}`, "permissions.@*:example.org", "@name:example.org"},
		{`{permissions: {"*.example.org": ops}}`, "permissions.*.example.org", "server"},
		{`{permissions: {"https://example.org": ops}}`, "permissions.https://example.org", "server"},
		// R16: what is not one person gets user at most, and what can never match is told.
		{`{permissions: {"*": ops}}`, "permissions.*", "user at most"},
		{`{permissions: {"example.org": superadmin}}`, "permissions.example.org", "user at most"},
		{`{permissions: {"Evil.Example": user}}`, "permissions.Evil.Example", "small letters"},
		{`{permissions: {"@root:Evil.Example": ops}}`, "permissions.@root:Evil.Example", "small letters"},
		{`{permissions: {"@root:evil_example": ops}}`, "permissions.@root:evil_example", "@name:example.org"},
		// W11
		{`{permissions: {"root:lab.test": superadmin}}`, "permissions.root:lab.test", `"@root:lab.test"`},
		// R16: customers are in no lane of staff, and accept makes no staff.
		{lane("internal: {access: {everybody: full}, history: invited}"), "profiles.mine.lanes.internal.access.everybody", "includes customers"},
		{lane("internal: {access: {manager: manager, customer: read}, history: invited}"), "profiles.mine.lanes.internal.access.customer", "a customer's"},
		{lane("internal: {access: {manager: manager}, history: invited, grantable: {stakeholder: {access: [read], default: read}}}"), "profiles.mine.lanes.internal.grantable.stakeholder", "a customer's"},
		{lane("notes: {access: {manager: manager, customer: read}, history: invited}"), "profiles.mine.lanes.notes.access.customer", "a customer's"},
		{`{profiles: {mine: {accepted_as: manager, lanes: {customer: {access: {customer: full}, history: shared}}}}}`, "profiles.mine.accepted_as", "without an approval"},
		{`{permissions: {"example.org": root}}`, "permissions.example.org", "none, user, ops, admin or superadmin"},
	} {
		ps := read(t, c.file).Validate()
		if len(ps) != 1 || ps[0].Key != c.key || !strings.Contains(ps[0].Sentence, c.word) || !strings.HasSuffix(ps[0].Sentence, ".") {
			t.Errorf("%s\nwant %s … %s …\n got %+v", c.file, c.key, c.word, ps)
		}
	}
}

func lane(words string) string {
	return "profiles:\n  mine:\n    lanes:\n      " + words + "\n"
}

func grants(words string) string {
	return lane("customer: {access: {customer: text, manager: manager}, history: shared, grantable: {" + words + "}}")
}

// All problems are told at once, in the order of the keys.
func TestAllProblemsAtOnce(t *testing.T) {
	p := policy.Default()
	p.Roles, p.Profiles = nil, nil
	p.Permissions = policy.Permissions{"a b": "root"}
	var keys []string
	for _, problem := range p.Validate() {
		keys = append(keys, problem.Key)
	}
	want := []string{"roles", "default_profile", "profiles", "permissions.a b", "permissions.a b"}
	if !slices.Equal(keys, want) {
		t.Errorf("%q", keys)
	}
}
