package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/text"
)

// status answers the word of that name: how one question stands, or the agent.
func (r *Relay) status(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, n int64) error {
	if n != 0 {
		return r.statusOf(ctx, desk, a, n)
	}
	list, err := r.choices(ctx, desk, a.Phone)
	if err != nil {
		return err
	}
	p, err := r.Store.Phone(ctx, a.Phone)
	if err != nil {
		return err
	}
	return r.tell(ctx, a, text.StatusForAgent(list, p.Inbound.Add(window), r.Store.Now()))
}

func (r *Relay) statusOf(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, n int64) error {
	h, err := r.Store.Handoff(ctx, n)
	switch {
	case err != nil:
		return err
	case h == nil || h.Leaves && !h.Reaches():
		return r.tell(ctx, a, text.NoSuchForAgent(n))
	case h.State == handoff.Closed:
		return r.tell(ctx, a, text.IsClosedForAgent(n))
	case !h.Leaves:
		return r.tell(ctx, a, text.StaysInMatrixForAgent(n))
	case h.State == handoff.Taken && !desk.OwnsByPhone(h, a.Phone):
		return r.tell(ctx, a, text.IsOwnedForAgent(n, h.Owner.Name))
	}
	return r.tell(ctx, a, text.ListForAgent(desk.Choices(a.Phone, []handoff.Known{{Handoff: h}}), r.Store.Now()))
}
