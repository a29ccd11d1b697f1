package action

import (
	"context"
	"slices"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Create makes a project. The same once more changes nothing.
func (a *Actions) Create(ctx context.Context, act Act, n project.New) (*Done, error) {
	if !a.Policy.Can(act.By, policy.Project, nil) {
		return nil, project.Forbidden()
	}
	n.Creator = act.By
	if slices.ContainsFunc(n.People, func(person project.Person) bool { return person.User == act.By }) {
		return nil, policy.Own()
	}
	catalogue := a.Policy.Catalogue()
	p, err := a.Store.ProjectBySlug(ctx, n.Slug)
	if err != nil {
		return nil, err
	}
	if p != nil {
		if err := p.Repeat(n, catalogue); err != nil {
			return nil, err
		}
	} else {
		if p, err = project.Create(a.Store.NewID(), n, catalogue, act.At); err != nil {
			return nil, err
		}
		for _, person := range p.People {
			if err := a.exists(ctx, person.User); err != nil {
				return nil, err
			}
		}
		decided := []project.Entry{{What: project.WhatCreate, Became: p.Status}}
		for _, person := range p.People {
			decided = append(decided, project.Entry{What: project.WhatAdd, User: person.User, Became: string(person.Role)})
		}
		return &Done{project.Change{Changed: true}, p}, a.save(ctx, act, p, nil, decided...)
	}
	return &Done{Project: p}, a.Store.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{Project: p.ID}})
}

// Archive makes the lanes of a project read-only for all but staff.
func (a *Actions) Archive(ctx context.Context, act Act, id string) (*Done, error) {
	return a.status(ctx, act, id, project.WhatArchive, (*project.Project).Archive)
}

// Restore undoes Archive.
func (a *Actions) Restore(ctx context.Context, act Act, id string) (*Done, error) {
	return a.status(ctx, act, id, project.WhatRestore, (*project.Project).Restore)
}

func (a *Actions) status(ctx context.Context, act Act, id string, what project.What, change func(*project.Project) bool) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Project)
	if err != nil {
		return nil, err
	}
	was := p.Status
	c := project.Change{Changed: change(p)}
	if !c.Changed {
		return &Done{c, p}, nil
	}
	if err := a.save(ctx, act, p, nil, project.Entry{What: what, Was: was, Became: p.Status}); err != nil {
		return nil, err
	}
	if what == project.WhatArchive {
		if err := a.Relay.Archived(ctx, p.ID); err != nil {
			return nil, err
		}
	}
	return &Done{c, p}, a.tell(ctx, p, nil, a.inLanes(ctx, p, act.By, what)...)
}

// inLanes says in each lane that a project was archived, or is active again. Who did it
// is named where they are one of those who are there: others in a lane do not learn who
// the platform's people are.
func (a *Actions) inLanes(ctx context.Context, p *project.Project, by string, what project.What) (told []effect.Effect) {
	for _, lane := range a.Policy.Lanes(p) {
		who := text.TeamInLane()
		if a.Policy.Access(p, by, lane, a.Store.Now()) > project.None {
			who = text.Say("%s", a.pill(ctx, by))
		}
		w := text.RestoredInLane(who, p.Name)
		if what == project.WhatArchive {
			w = text.ArchivedInLane(who, p.Name)
		}
		told = append(told, effect.Effect{Message: &effect.Message{To: effect.Place{Project: p.ID, Lane: string(lane)}, Content: w.Notice()}})
	}
	return told
}

// Apply has the rooms of a project brought to its record. It counts as a change of
// the record: only a look that begins from now on answers it, not one that is under
// way and may have read the rooms before.
func (a *Actions) Apply(ctx context.Context, act Act, id string) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Project)
	if err != nil {
		return nil, err
	}
	return &Done{project.Change{Changed: true}, p}, a.save(ctx, act, p, nil)
}
