package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
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
		case p.Person(user) == nil && h.Direct:
			return handoff.Removed, nil
		case p.Person(user) == nil:
			return handoff.Gone, nil
		case p.Status == project.Archived && !h.Direct && !r.writes(p, user, h.Lane):
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

// mayWake refuses to go on with a closed conversation of somebody who was taken out of
// the project that they asked in: it would reach them in their direct chat.
func (r *Relay) mayWake(ctx context.Context, h *handoff.Handoff) error {
	if h.State != handoff.Closed {
		return nil
	}
	why, err := r.absent(ctx, h)
	if err == nil && why == handoff.Removed {
		err = project.Refuse(project.Conflict, "%s", text.RemovedForStaff(h.Number))
	}
	return err
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
