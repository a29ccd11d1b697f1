package policy

import (
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/project"
)

// Lanes lists the lanes of a project in the profile's order, without the Space.
// A project whose profile is not in the configuration has none: see Covers.
func (p *Policy) Lanes(pr *project.Project) []project.Kind {
	return p.Profiles[pr.Profile].kinds()
}

// HasSpace reports whether a project has a Space: where one room is all there is
// nothing needs to be gathered.
func (p *Policy) HasSpace(pr *project.Project) bool { return len(p.Lanes(pr)) > 1 }

// Covers is nil if the configuration has the project's profile. Else the project
// must be left as it is, but for people who are not in it at all: nobody knows what
// its rooms shall be. The refusal says what to repair.
func (p *Policy) Covers(pr *project.Project) error {
	if p.Profiles[pr.Profile] == nil {
		return project.Refuse(project.Unavailable, "Project %s has the profile %s, which is no longer in the configuration. Put it back under profiles.", pr.Slug, pr.Profile)
	}
	return nil
}

// Lost are the people of a project whose role the configuration does not have any
// more. They have access to nothing, and keep nobody else from losing theirs.
func (p *Policy) Lost(pr *project.Project) (people []project.Person) {
	for _, person := range pr.People {
		if _, ok := p.Roles[person.Role]; !ok {
			people = append(people, person)
		}
	}
	return people
}

// Access is what a person has in a lane at a time: the higher of what the profile
// gives their role and of their grant, as long as that holds and the profile
// still lets their role be granted it. In an archived project all but staff only
// read. In the Space people read, and are in it by their role alone.
func (p *Policy) Access(pr *project.Project, user string, kind project.Kind, now time.Time) project.Access {
	person := pr.Person(user)
	if person == nil {
		return project.None
	}
	if kind == project.Space {
		return p.spaceAccess(pr, person.Role)
	}
	access := p.start(pr, person.Role, kind)
	if g := p.granted(pr, person, kind, now); g != nil {
		access = max(access, g.Access)
	}
	if pr.Status == project.Archived && access < project.Manager {
		access = min(access, project.Read)
	}
	return access
}

func (p *Policy) start(pr *project.Project, role project.Role, kind project.Kind) project.Access {
	if _, known := p.Roles[role]; !known { // "everybody" means every role there is
		return project.None
	}
	return p.Profiles[pr.Profile].lane(kind).start(role, pr.Tier)
}

// granted is the person's grant in a lane if it counts.
func (p *Policy) granted(pr *project.Project, person *project.Person, kind project.Kind, now time.Time) *project.Grant {
	g := pr.Grant(person.User, kind)
	rungs, _, _ := p.Grantable(pr, person.Role, kind)
	if !g.Holds(now) || !slices.Contains(rungs, g.Access) {
		return nil
	}
	return g
}

func (p *Policy) spaceAccess(pr *project.Project, role project.Role) project.Access {
	if !p.HasSpace(pr) {
		return project.None
	}
	for _, kind := range p.Lanes(pr) {
		if p.start(pr, role, kind) == project.None {
			return project.None
		}
	}
	return project.Read
}

// Member is somebody who belongs in a room.
type Member struct {
	User   string
	Access project.Access
	Guest  bool // a ghost of ours
}

// Members lists who belongs in a lane or in the Space, sorted by MXID. Guests
// have text, in an archived project too: they speak for staff.
func (p *Policy) Members(pr *project.Project, kind project.Kind, now time.Time) []Member {
	var members []Member
	for _, person := range pr.People {
		if access := p.Access(pr, person.User, kind, now); access != project.None {
			members = append(members, Member{User: person.User, Access: access})
		}
	}
	for _, g := range pr.Guests {
		if g.Lane == kind && pr.Person(g.User) == nil && slices.Contains(p.Lanes(pr), kind) {
			members = append(members, Member{User: g.User, Access: project.Text, Guest: true})
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.User, b.User) })
	return members
}

// Grantable is what can be granted to a role in a lane, lowest first, and the
// rung that is meant when nobody names one. ok is false if that is nothing.
func (p *Policy) Grantable(pr *project.Project, role project.Role, kind project.Kind) (rungs []project.Access, def project.Access, ok bool) {
	return p.Profiles[pr.Profile].lane(kind).grantable(role)
}

// AcceptedAs is the role of somebody who is accepted in a project; empty where
// its profile does not know that.
func (p *Policy) AcceptedAs(pr *project.Project) project.Role {
	if profile := p.Profiles[pr.Profile]; profile != nil {
		return profile.AcceptedAs
	}
	return ""
}

// History is the m.room.history_visibility of a lane or the Space.
func (p *Policy) History(pr *project.Project, kind project.Kind) string {
	if lane := p.Profiles[pr.Profile].lane(kind); lane != nil {
		return lane.History
	}
	return "invited"
}

// Rules are the policy's answers about one project, for the functions of package
// project.
func (p *Policy) Rules(pr *project.Project) project.Rules { return rules{p, pr} }

type rules struct {
	*Policy
	project *project.Project
}

func (r rules) Grantable(role project.Role, lane project.Kind) ([]project.Access, project.Access, bool) {
	return r.Policy.Grantable(r.project, role, lane)
}

func (r rules) Access(user string, lane project.Kind, now time.Time) project.Access {
	return r.Policy.Access(r.project, user, lane, now)
}
