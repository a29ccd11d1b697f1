package command

import (
	"context"
	"regexp"
	"time"

	"lanekeeper/bridge/action"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// request asks for access: [LANE] [read|text|full] [reason].
func (k *call) request(ctx context.Context) (*reply, error) {
	p, err := k.resolve(ctx, "", policy.Request)
	if err != nil {
		return nil, err
	}
	lane, _ := k.lane(p)
	if lane == "" {
		lane = project.Customer
	}
	done, err := k.Actions.Request(ctx, k.act(), p.ID, project.Ask{Lane: lane, Access: k.rung(), Reason: k.reason()})
	if err != nil {
		return nil, err
	}
	q := done.Request
	return &reply{
		fields: map[string]any{"request": q.Number, "lane": lane, "access": q.Access.String(), "changed": done.Changed},
		words:  text.RequestedForSender(q.Number),
	}, nil
}

// decision reads who or which request, and the lane.
func (k *call) decision(ctx context.Context, withLane, withRung bool) (*project.Project, project.Decision, error) {
	var d project.Decision
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
	p, err := k.resolve(ctx, "", policy.Approve)
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
		if k.everywhere(policy.Approve) {
			return project.Refuse(project.NotFound, "%s", text.NoRequestForStaff(n))
		}
		return nil
	}
	p, err := k.Store.Project(ctx, q.Project)
	if err == nil && p != nil && k.Policy.Can(k.sender, policy.Approve, p) {
		k.flags["project"] = p.Slug
	}
	return err
}

// meantFor finds a length of time that would be read as part of the reason, and let
// somebody in for good.
var meantFor = regexp.MustCompile(`(?i)(^|\s)[-‐‑‒–—−]+for\b|^for[\s:=]*\d+\s*[smhdw]?\b|\bfor[\s:=]*\d+\s*[smhdw]\s*$`)

func (k *call) approve(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, true, true)
	if err != nil {
		return nil, err
	}
	if f := k.flags["for"]; f != "" {
		if d.For, err = project.ParseFor(f); err != nil {
			return nil, err
		}
	} else if meantFor.MatchString(d.Reason) {
		return nil, project.Refuse(project.BadArgument, "%s", text.ForMeantForSender())
	}
	done, err := k.Actions.Approve(ctx, k.act(), p.ID, d)
	if err != nil {
		return nil, err
	}
	r := k.decided(done, done.Lane)
	access := k.Policy.Access(done.Project, done.User, done.Lane, k.now)
	var until *time.Time
	if g := done.Grant; g != nil && g.Until != nil && access > project.None {
		until, r.fields["until"] = g.Until, g.Until.UTC().Format(time.RFC3339)
	}
	r.words = text.GrantedForSender(k.person(ctx, done.User), title(p, done.Lane), access, until, k.now)
	return r, nil
}

func (k *call) deny(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, false, false)
	if err != nil {
		return nil, err
	}
	done, err := k.Actions.Deny(ctx, k.act(), p.ID, d)
	if err != nil {
		return nil, err
	}
	q := done.Closed[0]
	r := k.decided(done, q.Lane)
	r.fields["request"] = q.Number
	r.words = text.DeclinedForSender(q.Number, k.person(ctx, done.User), d.Reason != "")
	return r, nil
}

func (k *call) revoke(ctx context.Context) (*reply, error) {
	p, d, err := k.decision(ctx, true, false)
	if err != nil {
		return nil, err
	}
	done, err := k.Actions.Revoke(ctx, k.act(), p.ID, d)
	if err != nil {
		return nil, err
	}
	r := k.decided(done, done.Lane)
	left := k.Policy.Access(done.Project, done.User, done.Lane, k.now)
	r.words = text.RevokedForSender(k.person(ctx, done.User), title(p, done.Lane), left, done.Project.Person(done.User).Role, done.Changed)
	return r, nil
}

// decided answers what was decided on somebody's access to a lane: what they have
// there now.
func (k *call) decided(done *action.Done, lane project.Kind) *reply {
	k.about(done.Project, lane)
	access := k.Policy.Access(done.Project, done.User, lane, k.now)
	return &reply{
		fields: map[string]any{"person": done.User, "lane": lane, "access": access.String(), "until": nil, "changed": done.Changed},
		when:   done.Project,
		user:   done.User,
		names:  []project.Kind{lane},
	}
}
