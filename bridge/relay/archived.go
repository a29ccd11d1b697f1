package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
)

// Archived tells both sides of each question that is open in a lane of a project that its
// asker can read on there, and not reply. What goes on in direct chats goes on, and so
// does what was asked by people who can write there still.
func (r *Relay) Archived(ctx context.Context, id string) error {
	p, err := r.Store.Project(ctx, id)
	if err != nil || p == nil {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	const page = 100
	for after := int64(0); ; {
		found, err := r.Store.OpenIn(ctx, id, after, page)
		if err != nil {
			return err
		}
		for _, h := range found {
			after = h.Number
			if r.allWrite(p, h) {
				continue
			}
			dec, changed := desk.Archived(h)
			if err := r.applyIf(ctx, h, dec, changed); err != nil {
				return err
			}
		}
		if len(found) < page {
			return nil
		}
	}
}

// allWrite reports whether all who asked may write in the lane of their question.
func (r *Relay) allWrite(p *project.Project, h *handoff.Handoff) bool {
	for _, a := range h.Askers {
		if !r.writes(p, a.User, h.Lane) {
			return false
		}
	}
	return true
}

// writes reports whether somebody may write in a lane of a project at this moment.
func (r *Relay) writes(p *project.Project, user string, lane project.Kind) bool {
	return r.Access(p, user, lane) >= project.Text
}
