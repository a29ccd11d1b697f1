package relay

import (
	"context"
	"slices"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// Read puts the ghost's receipt on a message that an agent has read on WhatsApp, in
// lanes where the ghost has joined.
func (r *Relay) Read(ctx context.Context, p *store.Part) error {
	if p.Template() || p.Part != p.Parts {
		return nil
	}
	line, err := r.Store.Line(ctx, p.Line)
	if line == nil || line.Source == "" || err != nil {
		return err
	}
	h, err := r.Store.Handoff(ctx, p.Number)
	if h == nil || h.Direct || h.Project == "" || err != nil {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	a := desk.Agent(p.Phone)
	if a == nil {
		return nil
	}
	ghost, err := r.ghost(ctx, desk, h, &handoff.Owner{Kind: handoff.OnWhatsApp, ID: a.Phone, Name: a.Name})
	if err != nil {
		return err
	}
	pr, err := r.Store.Project(ctx, h.Project)
	if pr == nil || err != nil {
		return err
	}
	in := func(g project.Guest) bool { return g.User == ghost.User && g.Lane == h.Lane }
	if !slices.ContainsFunc(pr.Guests, in) {
		return nil
	}
	return r.Store.Do(ctx, effect.Effect{Receipt: &effect.Receipt{Room: h.Room, As: ghost.User, Event: effect.Ref(line.Source)}})
}
