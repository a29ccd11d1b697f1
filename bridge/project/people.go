package project

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Add puts somebody into the project, or changes their role: a person has one.
// With another role, grants and open requests end: they were given to the role.
// With the same role nothing changes, unless left says that the person left or
// declined a lane by themselves since they were added; then they are invited anew.
func (p *Project) Add(user string, role Role, roles []Role, left bool, now time.Time) (Change, error) {
	check := checkNew
	if p.Person(user) != nil { // they have it
		check = checkUser
	}
	if err := check(user); err != nil {
		return Change{}, err
	}
	if !slices.Contains(roles, role) {
		return Change{}, Refuse(BadArgument, "There's no role %q. Use one of %s.", clip(string(role)), list(roles))
	}
	c := Change{User: user}
	person := p.Person(user)
	switch {
	case person == nil:
		p.People = append(p.People, Person{User: user, Role: role, Since: moment(now)})
		c.Changed = true
	case person.Role != role:
		person.Role, person.Since = role, moment(now)
		c.Changed, c.Ended, c.Closed = true, p.endGrants(user), p.withdrawAll(user)
	case left:
		person.Since = moment(now)
		c.Changed = true
	}
	return c, nil
}

// Accept makes somebody who applied or was invited a person of the given role
// (the profile names it: Policy.AcceptedAs). Somebody with another role stays
// what they are: that is a conflict. See Add for left.
func (p *Project) Accept(user string, role Role, left bool, now time.Time) (Change, error) {
	if err := p.Acceptable(user, role); err != nil {
		return Change{}, err
	}
	return p.Add(user, role, []Role{role}, left, now)
}

// Acceptable is nil if somebody can become a person of a role by being accepted.
func (p *Project) Acceptable(user string, role Role) error {
	if role == "" {
		return Refuse(NotFound, "Projects of this profile don't accept applicants. Use `add` with a role.")
	}
	if person := p.Person(user); person != nil && person.Role != role {
		return Refuse(Conflict, "They're already %s in this project. To change that, use `add` with the role %s.", person.Role, role)
	}
	return nil
}

// Remove takes somebody out: their grants end and their requests are withdrawn.
// Removing somebody who is not in changes nothing.
func (p *Project) Remove(user string) (Change, error) {
	if err := checkUser(user); err != nil {
		return Change{}, err
	}
	before := len(p.People)
	p.People = slices.DeleteFunc(p.People, func(o Person) bool { return o.User == user })
	return Change{
		Changed: len(p.People) < before, User: user,
		Ended: p.endGrants(user), Closed: p.withdrawAll(user),
	}, nil
}

// Welcome records a ghost that speaks in a lane, or its new name. It reports
// whether that changed anything.
func (p *Project) Welcome(g Guest) bool {
	for i := range p.Guests {
		if o := &p.Guests[i]; o.User == g.User && o.Lane == g.Lane {
			changed := o.Name != g.Name
			o.Name = g.Name
			return changed
		}
	}
	p.Guests = append(p.Guests, g)
	return true
}

func (p *Project) endGrants(user string) (ended []Grant) {
	p.Grants = slices.DeleteFunc(p.Grants, func(g Grant) bool {
		if g.User == user {
			ended = append(ended, g)
		}
		return g.User == user
	})
	return ended
}

func list[T ~string](of []T) string {
	said := make([]string, len(of))
	for i, w := range of {
		said[i] = fmt.Sprint(w)
	}
	slices.Sort(said)
	return strings.Join(said, ", ")
}
