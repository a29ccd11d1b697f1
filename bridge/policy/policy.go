// Package policy answers, from the configuration's roles and profiles and a
// project's record: who is in a lane and what they may do there, who may do what
// by command, and which power levels say so to Matrix. It is pure: it does no
// I/O, and a Policy never changes once it is loaded.
package policy

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"lanekeeper/bridge/project"
)

// Ability is something that a command needs.
type Ability string

// The abilities. Roles and platform roles list them as data.
const (
	Human   Ability = "human"   // ask for a human
	Request Ability = "request" // ask for access to a lane
	Accept  Ability = "accept"  // make somebody an expert
	People  Ability = "people"  // add and remove people
	Approve Ability = "approve" // grant, deny and revoke access
	Project Ability = "project" // archive, restore, plan, apply; create with it as a platform role
	Handoff Ability = "handoff" // answer handoffs; only platform roles have it
	See     Ability = "see"     // see a project's people and rooms; every person of it has it there
)

// abilities that a role of a project can have.
var roleAbilities = []Ability{Human, Request, Accept, People, Approve, Project}

// working are the abilities of people who work on a project. Whoever has none of
// them is a customer, and in no lane of staff.
var working = []Ability{Accept, People, Approve, Project, Request}

func (a Ability) works() bool { return slices.Contains(working, a) }

// Platform roles, from least to most.
const (
	Nobody     = "none"
	User       = "user"
	Staff      = "ops"
	Admin      = "admin"
	SuperAdmin = "superadmin"
)

var platformRoles = []string{Nobody, User, Staff, Admin, SuperAdmin}

var everything = append(slices.Clone(roleAbilities), Handoff, See)

// platform is fixed data: these roles are of the product, not of an operator.
// They give abilities in every project, and membership in no lane.
var platform = map[string][]Ability{
	Nobody:     {},
	User:       {},
	Staff:      everything,
	Admin:      everything,
	SuperAdmin: everything,
}

// The types of the configuration's keys `roles`, `permissions` and `profiles`.
type (
	// Roles is what a person may do in a project, by their role there.
	Roles map[project.Role][]Ability
	// Permissions is who has which platform role: by MXID, by server name, or "*".
	Permissions map[string]string
	// Profiles are named policies; each project has one.
	Profiles map[string]*Profile
)

// Policy is the compiled configuration.
type Policy struct {
	Roles       Roles
	Profiles    Profiles
	Permissions Permissions
	Default     string // profile of a project that names none
	Bot         string // MXID
	// Ours reports whether a user is one of ours, which is nobody's person; nil: the bot alone.
	Ours func(user string) bool `json:"-"`
}

// IsOurs reports whether a user is the bot, or another one of ours.
func (p *Policy) IsOurs(user string) bool {
	return user == p.Bot || p.Ours != nil && p.Ours(user)
}

// DefaultYAML holds the shipped roles and profiles, with comments, as they stand
// in the example configuration.
//
//go:embed default.yaml
var DefaultYAML string

// Default is the policy that is shipped: roles and profiles of DefaultYAML, the
// default profile, and no permissions.
func Default() *Policy {
	var shipped struct {
		Roles    Roles
		Profiles Profiles
	}
	if err := yaml.Unmarshal([]byte(DefaultYAML), &shipped); err != nil {
		panic(fmt.Sprintf("embedded default.yaml: %v", err)) // a test reads it
	}
	return &Policy{Roles: shipped.Roles, Profiles: shipped.Profiles, Permissions: Permissions{}, Default: "agency"}
}

// PlatformRole is somebody's role everywhere: an exact MXID goes before its
// server, that before "*". Those of ours have none.
func (p *Policy) PlatformRole(user string) string {
	if p.IsOurs(user) {
		return Nobody
	}
	_, server, _ := strings.Cut(user, ":")
	for _, key := range []string{user, server, "*"} {
		if role, ok := p.Permissions[key]; ok {
			return role
		}
	}
	return Nobody
}

// Known reports whether somebody has a platform role, be it only to talk to the
// bot. People of a project are known too; that is for the store to say.
func (p *Policy) Known(user string) bool { return p.PlatformRole(user) != Nobody }

// Exact lists, sorted, the MXIDs that stand in the permissions by themselves and
// whose platform role has the ability. A wildcard never counts: it names nobody.
func (p *Policy) Exact(a Ability) []string {
	var users []string
	for user, role := range p.Permissions {
		if strings.HasPrefix(user, "@") && !p.IsOurs(user) && slices.Contains(platform[role], a) {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}

// Can reports whether somebody may do what needs the ability, in a project or,
// with nil, on the platform. It says nothing about who is concerned: that nobody
// decides their own is a rule of package project.
func (p *Policy) Can(user string, a Ability, pr *project.Project) bool {
	if slices.Contains(platform[p.PlatformRole(user)], a) {
		return true
	}
	if pr == nil {
		return false
	}
	person := pr.Person(user)
	return person != nil && (a == See || slices.Contains(p.Roles[person.Role], a))
}

// MayBind reports whether somebody may say that a phone is a person's who is on Matrix,
// too: what the phone writes is theirs from then on. People say it of themselves, and
// super-admins of those who answer questions.
func (p *Policy) MayBind(by, user string) bool {
	return p.Can(user, Handoff, nil) && (by == user || p.PlatformRole(by) == SuperAdmin)
}

// RolesWith lists, sorted, the roles of projects that have one of some abilities.
func (p *Policy) RolesWith(some ...Ability) []project.Role {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(p.Roles)), func(role project.Role) bool {
		return !slices.ContainsFunc(some, func(a Ability) bool { return slices.Contains(p.Roles[role], a) })
	})
}

// Works reports whether somebody works on a project: all others are its customers.
func (p *Policy) Works(user string, pr *project.Project) bool {
	return slices.ContainsFunc(working, func(a Ability) bool { return p.Can(user, a, pr) })
}

// MayAssign reports whether somebody may give a role, or take people of that role
// out: nobody hands out a right over other people that they do not have, else the
// right to add people would be the right to everything.
func (p *Policy) MayAssign(user string, role project.Role, pr *project.Project) bool {
	for _, a := range p.Roles[role] {
		over := a == Accept || a == People || a == Approve || a == Project
		if over && !p.Can(user, a, pr) {
			return false
		}
	}
	return true
}

// Approvers lists, sorted, who may approve in a project: its people with that
// ability, or where it has none, the platform's staff by exact MXID. Those in
// except, usually the one who asks, are left out.
func (p *Policy) Approvers(pr *project.Project, except ...string) []string {
	var users []string
	for _, person := range pr.People {
		if p.Can(person.User, Approve, pr) && !slices.Contains(except, person.User) {
			users = append(users, person.User)
		}
	}
	if len(users) == 0 {
		users = slices.DeleteFunc(p.Exact(Approve), func(u string) bool { return slices.Contains(except, u) })
	}
	slices.Sort(users)
	return users
}

// Catalogue lists, sorted, what projects may be made of.
func (p *Policy) Catalogue() project.Catalogue {
	return project.Catalogue{
		Roles:    slices.Sorted(maps.Keys(p.Roles)),
		Profiles: slices.Sorted(maps.Keys(p.Profiles)),
		Default:  p.Default,
	}
}
