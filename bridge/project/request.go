package project

import (
	"slices"
	"time"
)

// Ask is what a person asks for.
type Ask struct {
	Number int64 // from the counter that requests and handoffs share; unused if nothing changes
	User   string
	Lane   Kind   // empty: customer
	Access Access // None: the profile's default
	Reason string
}

// Ask records a request. There is one open request per person and lane: the same
// again changes nothing; for another rung the old one is withdrawn and a new one
// made, so that nobody approves what they did not read.
func (p *Project) Ask(a Ask, rules Rules, now time.Time) (Change, error) {
	if a.Lane == "" {
		a.Lane = Customer
	}
	if err := p.checkAsk(&a, rules, now); err != nil {
		return Change{}, err
	}
	c := Change{User: a.User, Lane: a.Lane}
	if r := p.OpenRequest(a.User, a.Lane); r != nil {
		if r.Access == a.Access {
			same := *r
			c.Request = &same
			return c, nil
		}
		c.Closed = append(c.Closed, p.close(r.Number, Withdrawn, a.User, ""))
	}
	r := Request{
		Number: a.Number, Project: p.ID, User: a.User, Lane: a.Lane, Access: a.Access,
		Reason: a.Reason, State: Open, Asked: moment(now),
	}
	p.Requests = append(p.Requests, r)
	c.Changed, c.Request = true, &r
	return c, nil
}

func (p *Project) checkAsk(a *Ask, rules Rules, now time.Time) error {
	person := p.Person(a.User)
	if person == nil {
		return Refuse(NotFound, "You're not in this project. Its manager can add you.")
	}
	if err := p.checkActive(); err != nil {
		return err
	}
	if err := checkReason(a.Reason); err != nil {
		return err
	}
	rungs, def, ok := rules.Grantable(person.Role, a.Lane)
	has := rules.Access(a.User, a.Lane, now)
	if a.Access == None {
		a.Access = def
	}
	switch {
	case has != None && has >= a.Access: // also said where nothing more can be granted
		return Refuse(Conflict, "You already have %s there, so there's nothing to ask for.", has)
	case !ok: // the same words whether or not the project has such a lane
		return Refuse(NotFound, "There's nothing you could be given there. If you need more, the project's manager can help.")
	case !slices.Contains(rungs, a.Access):
		return Refuse(BadArgument, "%s isn't possible there. Ask for %s.", a.Access, words(rungs))
	}
	return nil
}

// Withdraw takes back one's own open request.
func (p *Project) Withdraw(user string, number int64) (Change, error) {
	r := p.Request(number)
	if r == nil || r.User != user {
		return Change{}, Refuse(NotFound, "You have no open request #%d.", number)
	}
	c := Change{Changed: true, User: user, Lane: r.Lane}
	c.Closed = []Request{p.close(number, Withdrawn, user, "")}
	return c, nil
}

// Request finds an open request by its number; nil if there is none.
func (p *Project) Request(number int64) *Request {
	for i := range p.Requests {
		if p.Requests[i].Number == number {
			return &p.Requests[i]
		}
	}
	return nil
}

// OpenRequest finds the open request of a person for a lane; nil if there is none.
func (p *Project) OpenRequest(user string, lane Kind) *Request {
	for i := range p.Requests {
		if p.Requests[i].User == user && p.Requests[i].Lane == lane {
			return &p.Requests[i]
		}
	}
	return nil
}

// close takes an open request out of the record and returns it as it ended.
func (p *Project) close(number int64, state RequestState, by, because string) Request {
	i := slices.IndexFunc(p.Requests, func(r Request) bool { return r.Number == number })
	r := p.Requests[i]
	p.Requests = slices.Delete(p.Requests, i, i+1)
	r.State, r.DecidedBy, r.Because = state, by, because
	return r
}

func (p *Project) withdrawAll(user string) (closed []Request) {
	p.Requests = slices.DeleteFunc(p.Requests, func(r Request) bool {
		if r.User == user {
			r.State = Withdrawn
			closed = append(closed, r)
		}
		return r.User == user
	})
	return closed
}

func (p *Project) checkActive() error {
	if p.Status == Archived {
		return Refuse(Conflict, "This project is archived. Somebody with the right to can `project restore` it first.")
	}
	return nil
}
