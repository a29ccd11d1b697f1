package action

import (
	"context"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
)

// Add puts somebody into a project, or gives them another role.
func (a *Actions) Add(ctx context.Context, act Act, id, user string, role project.Role) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.People)
	if err != nil {
		return nil, err
	}
	if err := a.mayAssign(act, p, user, role); err != nil {
		return nil, err
	}
	left, err := a.left(ctx, p, user)
	if err != nil {
		return nil, err
	}
	c, err := p.Add(user, role, a.Policy.Catalogue().Roles, left, act.At)
	return a.people(ctx, p, c, err)
}

// Accept makes somebody who applied or was invited a person of the role that the
// profile has for that.
func (a *Actions) Accept(ctx context.Context, act Act, id, user string) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Accept)
	if err != nil {
		return nil, err
	}
	left, err := a.left(ctx, p, user)
	if err != nil {
		return nil, err
	}
	c, err := p.Accept(user, a.Policy.AcceptedAs(p), left, act.At)
	return a.people(ctx, p, c, err)
}

// Remove takes somebody out of a project.
func (a *Actions) Remove(ctx context.Context, act Act, id, user string) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.People)
	if err != nil {
		return nil, err
	}
	if err := a.mayAssign(act, p, user, ""); err != nil {
		return nil, err
	}
	c, err := p.Remove(user)
	return a.people(ctx, p, c, err)
}

// people writes what became of somebody. They are told by the invitation alone.
func (a *Actions) people(ctx context.Context, p *project.Project, c project.Change, err error) (*Done, error) {
	if err == nil && c.Changed {
		err = a.save(ctx, p, c.Closed)
	}
	return &Done{c, p}, err
}

// mayAssign refuses to touch rights that who acts does not have: neither the role
// that is given nor the one that the person has may be above theirs.
func (a *Actions) mayAssign(act Act, p *project.Project, user string, role project.Role) error {
	person := p.Person(user)
	if (role == "" || a.Policy.MayAssign(act.By, role, p)) && (person == nil || a.Policy.MayAssign(act.By, person.Role, p)) {
		return nil
	}
	return project.Forbidden()
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
