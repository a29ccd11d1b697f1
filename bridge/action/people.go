package action

import (
	"context"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Add puts somebody into a project, or gives them another role.
func (a *Actions) Add(ctx context.Context, act Act, id, user string, role project.Role) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.People, policy.Accept)
	if err != nil {
		return nil, err
	}
	left, err := a.mayGive(ctx, act, p, user, role)
	if err != nil {
		return nil, err
	}
	was := roleOf(p, user)
	c, err := p.Add(user, role, a.Policy.Catalogue().Roles, left, act.At)
	return a.people(ctx, act, p, c, project.WhatAdd, was, err)
}

// Accept makes somebody who applied or was invited a person of the role that the
// profile has for that.
func (a *Actions) Accept(ctx context.Context, act Act, id, user string) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Accept)
	if err != nil {
		return nil, err
	}
	role := a.Policy.AcceptedAs(p)
	if err := p.Acceptable(user, role); err != nil {
		return nil, err
	}
	left, err := a.mayGive(ctx, act, p, user, role)
	if err != nil {
		return nil, err
	}
	was := roleOf(p, user)
	c, err := p.Accept(user, role, left, act.At)
	return a.people(ctx, act, p, c, project.WhatAccept, was, err)
}

// Remove takes somebody out of a project.
func (a *Actions) Remove(ctx context.Context, act Act, id, user string) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.People)
	if err != nil {
		return nil, err
	}
	if err := a.Policy.MayRemove(p, act.By, user); err != nil {
		return nil, err
	}
	was := roleOf(p, user)
	c, err := p.Remove(user)
	done, err := a.people(ctx, act, p, c, project.WhatRemove, was, err)
	if err != nil || !c.Changed {
		return done, err
	}
	return done, a.endTalks(ctx, p, user)
}

// endTalks ends what hangs in the direct chat of somebody who was taken out: the
// handoffs of that project, and all if the bot does not know them any more.
func (a *Actions) endTalks(ctx context.Context, p *project.Project, user string) error {
	known, err := a.Store.InAnyProject(ctx, user)
	switch {
	case err != nil:
		return err
	case known || a.Policy.Known(user):
		return a.Relay.End(ctx, user, p.ID)
	}
	return a.Relay.End(ctx, user, "")
}

// people writes what became of somebody. They are told by the invitation alone.
func (a *Actions) people(ctx context.Context, act Act, p *project.Project, c project.Change, what project.What, was project.Role, err error) (*Done, error) {
	if err == nil && c.Changed {
		err = a.save(ctx, act, p, c.Closed, project.Entry{What: what, User: c.User, Was: string(was), Became: string(roleOf(p, c.User))})
	}
	return &Done{c, p}, err
}

func roleOf(p *project.Project, user string) project.Role {
	if person := p.Person(user); person != nil {
		return person.Role
	}
	return ""
}

// mayGive refuses who may not give somebody a role; left says that the person went
// out of a lane of theirs by themselves.
func (a *Actions) mayGive(ctx context.Context, act Act, p *project.Project, user string, role project.Role) (left bool, err error) {
	last, err := a.Store.LastRole(ctx, p.ID, user)
	if err != nil {
		return false, err
	}
	if err := a.Policy.MayGive(p, act.By, user, role, last, a.Store.Now()); err != nil {
		return false, err
	}
	if p.Person(user) == nil {
		if err := a.exists(ctx, user); err != nil {
			return false, err
		}
	}
	return a.left(ctx, p, user)
}

// exists refuses somebody of whom the homeserver said that there is no such user: whoever
// takes that name later would find an invitation that was meant for another.
func (a *Actions) exists(ctx context.Context, user string) error {
	profile, err := a.Store.Profile(ctx, user)
	if err == nil && profile != nil && profile.Missing {
		err = project.Refuse(project.NotFound, "%s", text.UnknownUserForSender(user))
	}
	return err
}

// left reports whether somebody went out of a lane of theirs by themselves since
// they were added; adding them again then invites them anew.
func (a *Actions) left(ctx context.Context, p *project.Project, user string) (bool, error) {
	person := p.Person(user)
	if person == nil {
		return false, nil
	}
	rooms, err := a.Store.Rooms(ctx, p.ID)
	if err != nil {
		return false, err
	}
	for _, r := range rooms {
		if left, err := a.leftRoom(ctx, r, user, person.Since); left || err != nil {
			return left, err
		}
	}
	return false, nil
}
