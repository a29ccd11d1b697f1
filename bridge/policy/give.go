package policy

import (
	"slices"
	"time"

	"lanekeeper/bridge/project"
)

// MayGive is nil if somebody may give a role in a project to another person, by
// whatever door. last is the role that the person has there, or had when they were
// removed, "" if they were never in: whoever is removed and added again changes
// their role, else the two together would do what a change may not.
//
//   - Nobody changes their own role.
//   - A first role needs people; one that is for those who are accepted, or that
//     asks for access, needs accept instead.
//   - A change that lifts the person above what they have in any lane needs people
//     and approve; one that only lowers needs people.
//   - Nobody without approve gives a role whose lanes they are not in themselves,
//     and nobody gives, or takes, rights over people that they do not have.
func (p *Policy) MayGive(pr *project.Project, by, user string, role, last project.Role, now time.Time) error {
	person := pr.Person(user)
	if person != nil {
		last = person.Role
	}
	needs := []Ability{People}
	switch {
	case person != nil && person.Role == role: // at most invited anew
	case by == user:
		return Own()
	case person != nil && !p.MayAssign(by, person.Role, pr):
		return project.Forbidden()
	case last == "" || last == role:
		if p.forAccepted(pr, role) {
			needs = []Ability{Accept}
		}
	case p.lifts(pr, user, role, last, now):
		needs = append(needs, Approve)
	}
	lacks := func(a Ability) bool { return !p.Can(by, a, pr) }
	if slices.ContainsFunc(needs, lacks) || !p.MayAssign(by, role, pr) || lacks(Approve) && !p.amongThem(pr, by, role, now) {
		return project.Forbidden()
	}
	return nil
}

// Own is the refusal to whoever would change their own role.
func Own() error {
	return project.Refuse(project.NotAllowed, "You can't change your own role. Please ask somebody else who can.")
}

// MayRemove is nil if somebody may take a person out of a project. Everybody who may
// remove others may go themselves.
func (p *Policy) MayRemove(pr *project.Project, by, user string) error {
	person := pr.Person(user)
	if !p.Can(by, People, pr) || person != nil && !p.MayAssign(by, person.Role, pr) {
		return project.Forbidden()
	}
	return nil
}

// forAccepted reports whether a role is given by accepting somebody.
func (p *Policy) forAccepted(pr *project.Project, role project.Role) bool {
	return role == p.AcceptedAs(pr) || slices.Contains(p.Roles[role], Request)
}

// lifts reports whether a role opens anything for somebody that they do not have
// now, or did not have with their last role.
func (p *Policy) lifts(pr *project.Project, user string, role, last project.Role, now time.Time) bool {
	active := *pr // what an archive takes comes back when it is restored
	active.Status = project.Active
	return slices.ContainsFunc(p.Lanes(pr), func(lane project.Kind) bool {
		has := p.start(pr, last, lane)
		if pr.Person(user) != nil {
			has = p.Access(&active, user, lane, now)
		}
		return p.start(pr, role, lane) > has
	})
}

// amongThem reports whether somebody is in all lanes that a role gives.
func (p *Policy) amongThem(pr *project.Project, by string, role project.Role, now time.Time) bool {
	return !slices.ContainsFunc(p.Lanes(pr), func(lane project.Kind) bool {
		return p.start(pr, role, lane) > project.None && p.Access(pr, by, lane, now) == project.None
	})
}
