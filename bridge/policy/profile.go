package policy

import (
	"slices"

	"lanekeeper/bridge/project"
)

// Profile is a named policy: which lanes a project has and who may do what there.
type Profile struct {
	AcceptedAs project.Role           `yaml:"accepted_as"` // role of somebody who is accepted; empty: nobody is
	Lanes      map[project.Kind]*Lane `yaml:"lanes"`
}

// Lane is one lane of a profile.
type Lane struct {
	Access       map[project.Role]Rung      `yaml:"access"` // from the start; Everybody stands for roles not named
	OnlyForTiers map[project.Role][]string  `yaml:"only_for_tiers,omitempty"`
	Grantable    map[project.Role]Grantable `yaml:"grantable,omitempty"`
	History      string                     `yaml:"history"` // m.room.history_visibility
}

// Grantable is what can be granted to a role in a lane.
type Grantable struct {
	Access  []Rung `yaml:"access,flow"`
	Default Rung   `yaml:"default"` // where nobody names a rung
}

// Everybody stands in Lane.Access for every role that is not named there.
const Everybody project.Role = "everybody"

// Rung is the word for an access as the configuration has it. Validate tells of
// words that are none; for everything else they count as none.
type Rung string

// Access is the rung's place on the ladder.
func (r Rung) Access() project.Access {
	a, _ := project.ParseAccess(string(r))
	return a
}

// kinds that a profile can have, in the order in which lanes are made and named.
var kinds = []project.Kind{project.Customer, project.Internal, project.Notes}

var histories = []string{"invited", "shared", "joined"}

// lane finds the profile's lane; nil if projects of it have none of that kind.
func (p *Profile) lane(kind project.Kind) *Lane {
	if p == nil {
		return nil
	}
	return p.Lanes[kind]
}

func (p *Profile) kinds() []project.Kind {
	return slices.DeleteFunc(slices.Clone(kinds), func(k project.Kind) bool { return p.lane(k) == nil })
}

// start is what a role has in the lane of a project of some tier.
func (l *Lane) start(role project.Role, tier string) project.Access {
	if l == nil {
		return project.None
	}
	if tiers, bound := l.OnlyForTiers[role]; bound && !slices.Contains(tiers, tier) {
		return project.None
	}
	return l.rung(role).Access()
}

// rung is what the lane gives a role where the tier is right.
func (l *Lane) rung(role project.Role) Rung {
	if rung, named := l.Access[role]; named {
		return rung
	}
	return l.Access[Everybody]
}

// grantable is what a role can be granted in the lane, lowest first.
func (l *Lane) grantable(role project.Role) (rungs []project.Access, def project.Access, ok bool) {
	if l == nil {
		return nil, project.None, false
	}
	g, ok := l.Grantable[role]
	if !ok {
		return nil, project.None, false
	}
	for _, r := range g.Access {
		rungs = append(rungs, r.Access())
	}
	slices.Sort(rungs)
	return rungs, g.Default.Access(), true
}
