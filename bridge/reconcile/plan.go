package reconcile

import (
	"context"
	"errors"
	"fmt"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Plan lists what a look would do, and does nothing. Without projects it is about
// all of them and the super-admin room. live asks the homeserver for the state of
// the rooms; else it is what events told us. The record is read anew, people and
// all, so projects may be bare rows.
func (r *Reconciler) Plan(ctx context.Context, projects []*project.Project, live bool) (steps []Step, err error) {
	if projects != nil {
		return r.planAll(ctx, nil, projects, live)
	}
	if steps, err = r.planOf(ctx, store.KeySuperAdmin, live); err != nil {
		return nil, fmt.Errorf("super-admin room: %w", err)
	}
	for slug := ""; ; {
		page, err := r.Store.Projects(ctx, slug, planPage)
		if err != nil || len(page) == 0 {
			return steps, err
		}
		if steps, err = r.planAll(ctx, steps, page, live); err != nil {
			return nil, err
		}
		slug = page[len(page)-1].Slug
	}
}

// planPage is how many projects are read at once.
const planPage = 200

func (r *Reconciler) planAll(ctx context.Context, steps []Step, projects []*project.Project, live bool) ([]Step, error) {
	for _, p := range projects {
		more, err := r.planOf(ctx, p.ID, live)
		if err != nil {
			return nil, fmt.Errorf("project %s: %w", p.Slug, err)
		}
		steps = append(steps, more...)
	}
	return steps, nil
}

func (r *Reconciler) planOf(ctx context.Context, key string, live bool) ([]Step, error) {
	s, err := r.load(ctx, key)
	if s == nil || err != nil {
		return nil, err
	}
	if s.refusal != nil {
		words := text.Say("%s", s.refusal.Error())
		return []Step{{Room: "project", Project: key, Op: OpImpossible, Text: words.Plain, Words: words}}, nil
	}
	steps, err := r.steps(ctx, s, live)
	for _, kind := range sorted(s.unread) {
		err = errors.Join(err, fmt.Errorf("room %s: %w", kind, s.unread[kind]))
	}
	return steps, err
}
