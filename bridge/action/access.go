package action

import (
	"context"
	"slices"
	"time"

	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Request asks for access to a lane, for oneself.
func (a *Actions) Request(ctx context.Context, act Act, id string, ask project.Ask) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Request)
	if err != nil {
		return nil, err
	}
	ask.User = act.By
	c, err := p.Ask(ask, a.Policy.Rules(p), a.Store.Now())
	if err != nil || !c.Changed {
		return &Done{c, p}, err
	}
	if c.Request.Number, err = a.Store.NextNumber(ctx); err != nil {
		return nil, err
	}
	p.Requests[len(p.Requests)-1].Number = c.Request.Number
	if err := a.save(ctx, act, p, c.Closed); err != nil {
		return nil, err
	}
	if err := a.noteThread(ctx, act, c.Request.Number); err != nil {
		return nil, err
	}
	return &Done{c, p}, a.sendCard(ctx, p, *c.Request)
}

// Approve grants somebody access to a lane; see project.Approve.
func (a *Actions) Approve(ctx context.Context, act Act, id string, d project.Decision) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Approve)
	if err != nil {
		return nil, err
	}
	d.By = act.By
	if err := a.stillOpen(ctx, p, d); err != nil {
		return nil, err
	}
	if d.Again, err = a.leftLane(ctx, p, d); err != nil {
		return nil, err
	}
	before, now := a.rungs(p), a.Store.Now()
	if d.For > 0 {
		until := now.Add(d.For)
		d.Until = &until
	}
	d.Said = act.At
	c, err := p.Approve(d, a.Policy.Rules(p), now)
	if err != nil || !c.Changed {
		return &Done{c, p}, err
	}
	e := a.entry(p, project.WhatApprove, c.User, c.Lane, before, d.Reason)
	e.Until = c.Grant.Until
	if err := a.save(ctx, act, p, c.Closed, e); err != nil {
		return nil, err
	}
	link, err := a.link(ctx, p, c.Lane)
	if err != nil {
		return nil, err
	}
	w := text.Approved(a.pill(ctx, d.By), text.LaneTitle(c.Lane, p.Name), a.Policy.Access(p, c.User, c.Lane, now), c.Grant.Until, now, link, d.Reason)
	return &Done{c, p}, a.decided(ctx, p, c, w)
}

// Deny declines an open request.
func (a *Actions) Deny(ctx context.Context, act Act, id string, d project.Decision) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Approve)
	if err != nil {
		return nil, err
	}
	d.By = act.By
	if err := a.stillOpen(ctx, p, d); err != nil {
		return nil, err
	}
	c, err := p.Deny(d)
	if err != nil || !c.Changed {
		return &Done{c, p}, err
	}
	if err := a.save(ctx, act, p, c.Closed, a.entry(p, project.WhatDeny, c.User, c.Lane, a.rungs(p), d.Reason)); err != nil {
		return nil, err
	}
	w := text.DeniedTo(a.pill(ctx, d.By), text.LaneTitle(c.Lane, p.Name), d.Reason)
	return &Done{c, p}, a.decided(ctx, p, c, w)
}

// Revoke ends what somebody was granted in a lane.
func (a *Actions) Revoke(ctx context.Context, act Act, id string, d project.Decision) (*Done, error) {
	p, err := a.load(ctx, act, id, policy.Approve)
	if err != nil {
		return nil, err
	}
	d.By = act.By
	before := a.rungs(p)
	c, err := p.Revoke(d)
	if err != nil || !c.Changed {
		return &Done{c, p}, err
	}
	if err := a.save(ctx, act, p, c.Closed, a.entry(p, project.WhatRevoke, c.User, c.Lane, before, d.Reason)); err != nil {
		return nil, err
	}
	access := a.Policy.Access(p, c.User, c.Lane, a.Store.Now())
	w := text.Revoked(a.pill(ctx, d.By), text.LaneTitle(c.Lane, p.Name), access, d.Reason)
	return &Done{c, p}, a.tell(ctx, p, []string{c.User}, inDirect(c.User, w))
}

// rungs tells what somebody has in a lane, by the record as it is now.
func (a *Actions) rungs(p *project.Project) func(user string, lane project.Kind) string {
	was, now := *p, a.Store.Now()
	was.Grants = slices.Clone(p.Grants)
	return func(user string, lane project.Kind) string { return a.Policy.Access(&was, user, lane, now).String() }
}

// entry is a decision on somebody's access to a lane.
func (a *Actions) entry(p *project.Project, what project.What, user string, lane project.Kind, before func(string, project.Kind) string, reason string) project.Entry {
	return project.Entry{What: what, User: user, Lane: lane, Was: before(user, lane), Became: a.rungs(p)(user, lane), Reason: reason}
}

// stillOpen refuses a decision on a request of the project that was decided before.
func (a *Actions) stillOpen(ctx context.Context, p *project.Project, d project.Decision) error {
	if d.Number == 0 || p.Request(d.Number) != nil {
		return nil
	}
	q, err := a.Store.Request(ctx, d.Number)
	if err != nil || q == nil || q.Project != p.ID {
		return err
	}
	return project.Decided(*q)
}

// link leads a person to a lane; "" while it is not made.
func (a *Actions) link(ctx context.Context, p *project.Project, lane project.Kind) (string, error) {
	room, err := a.Store.LaneRoom(ctx, p.ID, string(lane))
	if err != nil || room == nil || room.ID == "" {
		return "", err
	}
	return text.Pill{ID: room.ID, Via: a.Store.Domain}.Link(), nil
}

// leftLane reports whether the person whom a decision is about went out of the lane
// by themselves since their grant; the same approval again invites them anew then.
func (a *Actions) leftLane(ctx context.Context, p *project.Project, d project.Decision) (bool, error) {
	if q := p.Request(d.Number); q != nil {
		d.User, d.Lane = q.User, q.Lane
	}
	if d.Lane == "" {
		d.Lane = project.Customer
	}
	since := time.Time{}
	if g := p.Grant(d.User, d.Lane); g != nil {
		since = g.Since
	}
	r, err := a.Store.LaneRoom(ctx, p.ID, string(d.Lane))
	if r == nil || err != nil {
		return false, err
	}
	return a.leftRoom(ctx, r, d.User, since)
}

func (a *Actions) leftRoom(ctx context.Context, r *store.Room, user string, since time.Time) (bool, error) {
	e, err := a.Store.Member(ctx, r.ID, user)
	return e != nil && e.Membership() == "leave" && e.Sender == user && !e.TS.Before(since), err
}
