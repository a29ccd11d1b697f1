package command

import (
	"context"
	"strconv"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// TimerExpire is the kind of timer that ends grants; its argument is the project.
const TimerExpire = "expire"

// request asks for access: [LANE] [read|text|full] [reason].
func (k *call) request(ctx context.Context) (*reply, error) {
	p, err := k.resolve(ctx, "", "request")
	if err != nil {
		return nil, err
	}
	lane, _ := k.lane(p)
	if lane == "" {
		lane = project.Customer
	}
	ask := project.Ask{User: k.sender, Lane: lane, Access: k.rung(), Reason: k.reason()}
	c, err := p.Ask(ask, k.Policy.Rules(p), k.ev.TS)
	if err != nil {
		return nil, err
	}
	if c.Changed {
		n, err := k.Store.NextNumber(ctx)
		if err != nil {
			return nil, err
		}
		c.Request.Number = n
		p.Requests[len(p.Requests)-1].Number = n
		if err := k.save(ctx, p, c.Closed); err != nil {
			return nil, err
		}
		if err := k.sendCard(ctx, p, *c.Request); err != nil {
			return nil, err
		}
	}
	return &reply{
		fields: map[string]any{"request": c.Request.Number, "lane": lane, "access": c.Request.Access.String(), "changed": c.Changed},
		words:  text.Say("#%d · I asked for you. You will hear from me in our direct chat.", c.Request.Number),
	}, nil
}

// decision reads who or which request, and the lane.
func (k *call) decision(ctx context.Context, withLane, withRung bool) (*project.Project, project.Decision, error) {
	d := project.Decision{By: k.sender}
	if n, ok := number(k.peek()); ok {
		k.next()
		d.Number = n
		// A number says which project is meant.
		if err := k.projectOf(ctx, n); err != nil {
			return nil, d, err
		}
	} else {
		user, err := k.user()
		if err != nil {
			return nil, d, err
		}
		d.User = user
	}
	p, err := k.resolve(ctx, "", "approve")
	if err != nil {
		return nil, d, err
	}
	if withLane {
		if lane, ok := k.lane(p); ok {
			d.Lane = lane
		}
	}
	if withRung {
		d.Access = k.rung()
	}
	d.Reason = k.reason()
	return p, d, nil
}

// projectOf takes the project from the number of a request where nothing else
// names it, if the sender may decide there.
func (k *call) projectOf(ctx context.Context, n int64) error {
	if k.flags["project"] != "" || k.room.Project != "" {
		return nil
	}
	q, err := k.Store.Request(ctx, n)
	if err != nil {
		return err
	}
	if q == nil {
		if k.everywhere("approve") {
			return project.Refuse(project.NotFound, "There is no request #%d.", n)
		}
		return nil
	}
	p, err := k.Store.Project(ctx, q.Project)
	if err == nil && p != nil && k.Policy.Can(k.sender, "approve", p) {
		k.flags["project"] = p.Slug
	}
	return err
}

func (k *call) approve(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, true, true)
	if err != nil {
		return nil, err
	}
	if f := k.flags["for"]; f != "" {
		length, err := project.ParseFor(f)
		if err != nil {
			return nil, err
		}
		until := k.ev.TS.Add(length)
		d.Until = &until
	}
	c, told, err := k.decide(ctx, p, d, project.Approved, k.ev.TS)
	if err != nil {
		return nil, err
	}
	r := k.granted(ctx, p, c)
	r.then = told
	return r, nil
}

// granted answers approve: what the person has now.
func (k *call) granted(ctx context.Context, p *project.Project, c project.Change) *reply {
	access := k.Policy.Access(p, c.User, c.Lane, k.now)
	w := text.Say("%s may %s %s.", k.pill(ctx, c.User), text.May(access), title(p, c.Lane))
	fields := map[string]any{"person": c.User, "lane": c.Lane, "access": access.String(), "until": nil, "changed": c.Changed}
	if c.Grant != nil && c.Grant.Until != nil {
		fields["until"] = c.Grant.Until.UTC().Format(time.RFC3339)
		w = text.Say("%s may %s %s until %s.", k.pill(ctx, c.User), text.May(access), title(p, c.Lane), text.Date(*c.Grant.Until, k.now))
	}
	return &reply{fields: fields, words: w, when: p}
}

func (k *call) deny(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, false, false)
	if err != nil {
		return nil, err
	}
	c, told, err := k.decide(ctx, p, d, project.Denied, k.ev.TS)
	if err != nil {
		return nil, err
	}
	q := c.Closed[0]
	return &reply{
		fields: map[string]any{"person": c.User, "lane": q.Lane, "access": k.Policy.Access(p, c.User, q.Lane, k.now).String(), "until": nil, "request": q.Number, "changed": true},
		words:  text.Say("#%d is declined; %s reads why.", q.Number, k.pill(ctx, c.User)), when: p, then: told,
	}, nil
}

func (k *call) revoke(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, true, false)
	if err != nil {
		return nil, err
	}
	c, err := p.Revoke(d)
	if err != nil {
		return nil, err
	}
	access := k.Policy.Access(p, c.User, c.Lane, k.now)
	w := text.Say("%s can no longer read %s.", k.pill(ctx, c.User), title(p, c.Lane))
	if access > project.None {
		w = text.Say("%s may %s %s, and no more.", k.pill(ctx, c.User), text.May(access), title(p, c.Lane))
	}
	r := &reply{fields: map[string]any{"person": c.User, "lane": c.Lane, "access": access.String(), "until": nil, "changed": c.Changed}, words: w, when: p}
	if c.Changed {
		if err := k.save(ctx, p, c.Closed); err != nil {
			return nil, err
		}
		r.then = []effect.Effect{tell(c.User, text.Revoked(text.Pill{ID: k.sender, Name: k.Store.Name(ctx, k.sender)}, title(p, c.Lane), access, d.Reason))}
	}
	return r, nil
}

// decide approves or denies, for a command or a reaction, and says what the
// person concerned shall be told when Matrix shows it.
func (c *Commands) decide(ctx context.Context, p *project.Project, d project.Decision, as project.RequestState, at time.Time) (change project.Change, told []effect.Effect, err error) {
	if d.Number != 0 && p.Request(d.Number) == nil {
		q, err := c.Store.Request(ctx, d.Number)
		if err != nil {
			return change, nil, err
		}
		if q != nil && q.Project == p.ID {
			return change, nil, project.Decided(*q)
		}
	}
	if as == project.Denied {
		change, err = p.Deny(d)
	} else if d.Again, err = c.leftLane(ctx, p, d); err == nil {
		change, err = p.Approve(d, c.Policy.Rules(p), at)
	}
	if err != nil || !change.Changed {
		return change, nil, err
	}
	if err := c.save(ctx, p, change.Closed); err != nil {
		return change, nil, err
	}
	by := text.Pill{ID: d.By, Name: c.Store.Name(ctx, d.By)}
	if as == project.Denied {
		return change, []effect.Effect{tell(change.User, text.DeniedTo(by, title(p, change.Lane), d.Reason))}, nil
	}
	room, err := c.Store.LaneRoom(ctx, p.ID, string(change.Lane))
	if err != nil {
		return change, nil, err
	}
	link := ""
	if room != nil && room.ID != "" {
		link = text.Pill{ID: room.ID, Via: c.Store.Domain}.Link()
	}
	access := c.Policy.Access(p, change.User, change.Lane, c.Store.Now())
	var until *time.Time
	if change.Grant != nil {
		until = change.Grant.Until
	}
	return change, []effect.Effect{tell(change.User, text.Approved(by, title(p, change.Lane), access, until, c.Store.Now(), link, d.Reason))}, nil
}

// tell says something to one person in their direct chat.
func tell(user string, w text.Words) effect.Effect {
	return effect.Effect{Message: &effect.Message{To: effect.Place{Person: user}, Content: w.Notice()}}
}

// Expire ends the grants of a project whose time is over.
func (c *Commands) Expire(ctx context.Context, id string) error {
	p, err := c.Store.Project(ctx, id)
	if err != nil || p == nil {
		return err
	}
	now := c.Store.Now()
	ended := p.Expire(now)
	if len(ended) == 0 {
		return nil
	}
	if err := c.save(ctx, p, nil); err != nil {
		return err
	}
	var told []effect.Effect
	for _, g := range ended {
		told = append(told, tell(g.User, text.Expired(title(p, g.Lane), c.Policy.Access(p, g.User, g.Lane, now))))
	}
	return c.Store.AnswerWhen(ctx, &store.Answer{Command: "expired:" + p.ID + ":" + strconv.FormatInt(p.Revision, 10), Then: told}, p.ID, p.Revision)
}
