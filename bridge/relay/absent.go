package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
)

// absent says why an answer that stands in its room may not reach the asker: a room
// takes words whoever is in it.
func (r *Relay) absent(ctx context.Context, h *handoff.Handoff) (handoff.Absence, error) {
	user := h.First().User
	if h.Project != "" {
		p, err := r.Store.Project(ctx, h.Project)
		switch {
		case err != nil || p == nil:
			return "", err
		case p.Person(user) == nil && !h.Direct:
			return handoff.Gone, nil
		case p.Status == project.Archived && !h.Direct:
			return handoff.CannotReply, nil
		}
	}
	e, err := r.asker(ctx, h, user)
	if err != nil || e == nil { // nothing was told of them
		return "", err
	}
	if is := e.Membership(); is != "join" && is != "invite" {
		return handoff.Gone, nil
	}
	return "", nil
}

// asker is the membership of somebody in the room where they asked.
func (r *Relay) asker(ctx context.Context, h *handoff.Handoff, user string) (*matrix.Event, error) {
	find := func() (string, error) {
		if h.Direct {
			room, err := r.Store.DirectRoom(ctx, user)
			if err != nil || room == nil {
				return "", err
			}
			return room.ID, nil
		}
		room, err := r.Store.LaneRoom(ctx, h.Project, string(h.Lane))
		if err != nil || room == nil {
			return "", err
		}
		return room.ID, nil
	}
	room, err := find()
	if err != nil || room == "" {
		return nil, err
	}
	return r.Store.Member(ctx, room, user)
}
