package policy

import (
	"slices"

	"lanekeeper/bridge/project"
)

// The audience of a lane is everybody who can be in it by the profile, from the
// start or by a grant, whoever is there at the moment: an answer may be read by
// somebody who is let in between the question and the answer, and with history
// "shared" by everybody who ever comes.

// MayName reports whether everybody who can be in a lane may know that another one
// exists: they are in that, or can be granted it.
func (p *Policy) MayName(pr *project.Project, in, lane project.Kind) bool {
	return in == lane || p.audience(pr, in, func(role project.Role) bool {
		_, _, grantable := p.Grantable(pr, role, lane)
		return grantable || p.always(pr, role, lane)
	})
}

// MayNameAll is MayName for several lanes.
func (p *Policy) MayNameAll(pr *project.Project, in project.Kind, lanes []project.Kind) bool {
	return !slices.ContainsFunc(lanes, func(lane project.Kind) bool { return !p.MayName(pr, in, lane) })
}

// MayShow reports whether everybody who can be in a lane sees what stands in another
// one, or in the Space.
func (p *Policy) MayShow(pr *project.Project, in, lane project.Kind) bool {
	return in == lane || p.audience(pr, in, func(role project.Role) bool {
		if lane == project.Space {
			return p.spaceAccess(pr, role) > project.None
		}
		return p.always(pr, role, lane)
	})
}

// AllCan reports whether everybody who can be in a lane has one of the abilities.
func (p *Policy) AllCan(pr *project.Project, in project.Kind, any ...Ability) bool {
	return p.audience(pr, in, func(role project.Role) bool {
		return slices.ContainsFunc(any, func(a Ability) bool { return slices.Contains(p.Roles[role], a) })
	})
}

// StaffOnly reports whether everybody who can be in a lane works on the project, so
// that no customer ever reads it.
func (p *Policy) StaffOnly(pr *project.Project, in project.Kind) bool {
	return p.AllCan(pr, in, working...)
}

// audience reports whether something holds for every role that can be in a lane.
func (p *Policy) audience(pr *project.Project, in project.Kind, holds func(project.Role) bool) bool {
	lane := p.Profiles[pr.Profile].lane(in)
	if lane == nil {
		return false // nothing is known of who reads there
	}
	for role := range p.Roles {
		_, _, grantable := lane.grantable(role)
		if (grantable || lane.rung(role).Access() > project.None) && !holds(role) {
			return false
		}
	}
	return true
}

// always reports whether a role is in a lane from the start, in every tier.
func (p *Policy) always(pr *project.Project, role project.Role, kind project.Kind) bool {
	lane := p.Profiles[pr.Profile].lane(kind)
	if lane == nil {
		return false
	}
	_, bound := lane.OnlyForTiers[role]
	return !bound && lane.rung(role).Access() > project.None
}
