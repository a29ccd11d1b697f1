package action

import (
	"context"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// TimerExpire brings Expire; its argument is the project's id.
const TimerExpire effect.TimerKind = "expire"

func expiryKey(id string) string { return "expire:" + id }

// Expire ends the grants of a project whose time is over. A clock that was set back
// brings it early: it waits on then.
func (a *Actions) Expire(ctx context.Context, id string) error {
	p, err := a.Store.Project(ctx, id)
	if err != nil || p == nil {
		return err
	}
	now := a.Store.Now()
	ended := p.Expire(now)
	if len(ended) == 0 {
		return a.arm(ctx, p)
	}
	var decided []project.Entry
	var users []string
	var told []effect.Effect
	for _, g := range ended {
		left := a.Policy.Access(p, g.User, g.Lane, now)
		decided = append(decided, project.Entry{What: project.WhatExpire, User: g.User, Lane: g.Lane, Was: g.Access.String(), Became: left.String()})
		users = append(users, g.User)
		told = append(told, inDirect(g.User, text.Expired(text.LaneTitle(g.Lane, p.Name), left)))
	}
	if err := a.save(ctx, Act{Door: Timer}, p, nil, decided...); err != nil {
		return err
	}
	return a.tell(ctx, p, users, told...)
}

// arm sets the one timer of a project: for the grant that ends next.
func (a *Actions) arm(ctx context.Context, p *project.Project) error {
	key := expiryKey(p.ID)
	if err := a.Store.Queue.Cancel(ctx, store.QueueIn, key); err != nil {
		return err
	}
	at, ok := p.NextExpiry()
	if !ok {
		return nil
	}
	return a.Store.Do(ctx, effect.Effect{Timer: &effect.Timer{At: at, Kind: TimerExpire, Key: key, Arg: p.ID}})
}
