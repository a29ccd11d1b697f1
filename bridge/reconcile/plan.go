package reconcile

import (
	"context"
	"fmt"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Plan lists what a look would do, and does nothing. Without projects it is about
// all of them and the super-admin room. live asks the homeserver for the state of
// the rooms; else it is what events told us. The record is read anew, people and
// all, so projects may be bare rows.
func (r *Reconciler) Plan(ctx context.Context, projects []*project.Project, live bool) ([]Step, error) {
	var steps []Step
	if projects == nil {
		all, err := r.Store.Projects(ctx)
		if err != nil {
			return nil, err
		}
		projects = all
		if steps, err = r.planOf(ctx, store.KeySuperAdmin, live); err != nil {
			return nil, fmt.Errorf("super-admin room: %w", err)
		}
	}
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
	return r.steps(ctx, s, live)
}
