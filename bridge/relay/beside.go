package relay

import (
	"context"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
)

// beside takes what somebody else of the project wrote in the asker's thread of a lane:
// staff see it in the card's thread. It goes to nobody on WhatsApp.
func (r *Relay) beside(ctx context.Context, h *handoff.Handoff, ev *matrix.Event, s handoff.Said) error {
	if h.Direct || h.Project == "" {
		return nil
	}
	p, err := r.Store.Project(ctx, h.Project)
	if err != nil || p == nil {
		return err
	}
	access := r.Access(p, ev.Sender, h.Lane)
	if access < project.Text {
		return nil
	}
	over, _, err := r.Store.Spend(ctx, ev.Sender, store.MeterBeside, ev.TS, time.Minute, r.Limits.Words)
	if err != nil || over { // too much to be shown; it stands in the lane
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	manages := access >= project.Manager
	if manages && h.InLane == "" && h.State != handoff.Closed && len(desk.Agents) > 0 {
		if desk.Got, err = r.Store.GotWords(ctx, h.Number); err != nil {
			return err
		}
	}
	dec, shown := desk.Beside(h, s, manages)
	if !shown {
		return nil
	}
	fresh, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: h.Number, Kind: store.EventBeside, User: ev.Sender, TS: ev.TS})
	if err != nil || !fresh {
		return err
	}
	return r.apply(ctx, h, dec)
}
