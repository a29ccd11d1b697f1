package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// conversation finds the handoff in whose thread a message stands; a plain reply
// to any message of the thread counts as in it.
func (r *Relay) conversation(ctx context.Context, ev *matrix.Event, room *store.Room) (*handoff.Handoff, error) {
	if root := ev.Thread(); root != "" {
		return r.byRoot(ctx, room, root)
	}
	if to := ev.ReplyTo(); to != "" {
		return r.byMessage(ctx, room, to)
	}
	return nil, nil
}

// directConversation is conversation for direct chats: unthreaded talk belongs to
// the newest open handoff. What was asked in a project belongs to nobody any more
// who was taken out of it.
func (r *Relay) directConversation(ctx context.Context, ev *matrix.Event, room *store.Room) (*handoff.Handoff, error) {
	h, err := r.conversation(ctx, ev, room)
	if h == nil && err == nil && ev.Thread() == "" {
		h, err = r.Store.HandoffInDirect(ctx, room.User)
	}
	if h == nil || err != nil || h.Project == "" {
		return h, err
	}
	if role, err := r.Store.Role(ctx, h.Project, room.User); role == "" || err != nil {
		return nil, err
	}
	return h, nil
}

// InConversation reports whether a message stands in a handoff's thread, or in a
// direct chat with an open handoff: there only prefixed text is a command.
func (r *Relay) InConversation(ctx context.Context, ev *matrix.Event, room *store.Room) (bool, error) {
	var h *handoff.Handoff
	var err error
	switch {
	case room.Kind == store.SuperAdmin:
		h, err = r.byCard(ctx, ev.Thread())
	case room.Kind == store.Direct:
		h, err = r.directConversation(ctx, ev, room)
	case room.IsLane():
		h, err = r.conversation(ctx, ev, room)
	}
	return h != nil, err
}

// LaneMessage takes a message of a lane that stands in a handoff's thread or
// answers a message there. handled: it belongs to a handoff, whoever wrote it.
func (r *Relay) LaneMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	h, err := r.conversation(ctx, ev, room)
	if h == nil || err != nil {
		return false, err
	}
	return true, r.askerSays(ctx, h, ev, room)
}

// DirectMessage takes a message of a direct chat that belongs to a handoff.
func (r *Relay) DirectMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	h, err := r.directConversation(ctx, ev, room)
	if h == nil || err != nil {
		return false, err
	}
	return true, r.askerSays(ctx, h, ev, room)
}

// askerSays carries what an asker wrote; others' messages stay in the room.
func (r *Relay) askerSays(ctx context.Context, h *handoff.Handoff, ev *matrix.Event, room *store.Room) error {
	s := r.said(ctx, ev, origin(room, h.Number))
	if h.Asker(ev.Sender) == nil || (s.Words.Plain == "" && !s.File) {
		return nil
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	var before []handoff.Said
	if h.State == handoff.Closed || desk.Orphan(h) {
		if before, err = r.soFar(ctx, h); err != nil {
			return err
		}
	}
	fresh, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: h.Number, Kind: store.EventSaid, User: ev.Sender, TS: ev.TS})
	if err != nil || !fresh {
		return err
	}
	return r.apply(ctx, h, desk.AskerSays(h, s, before))
}

// byCard finds the handoff by the root of its thread in the super-admin room.
func (r *Relay) byCard(ctx context.Context, root string) (*handoff.Handoff, error) {
	if root == "" {
		return nil, nil
	}
	id, err := r.Store.SentAs(ctx, root)
	if err != nil {
		return nil, err
	}
	kind, n, _ := numbered(id)
	if kind != "card" {
		return nil, nil
	}
	return r.Store.Handoff(ctx, n)
}

// SuperAdminMessage takes a message of the super-admin room that stands in a card's
// thread. Outside of them it is talk among staff.
func (r *Relay) SuperAdminMessage(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	h, err := r.byCard(ctx, ev.Thread())
	if h == nil || err != nil {
		return false, err
	}
	s := r.said(ctx, ev, handoff.Origin{Room: ev.Room, Staff: true, Handoff: h.Number})
	if s.Words.Plain == "" && !s.File {
		return true, nil
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return true, err
	}
	ghost, err := r.ghost(ctx, desk, h, h.Owner)
	if err != nil {
		return true, err
	}
	dec, sent := desk.StaffSays(h, s, ghost)
	if sent {
		if _, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: h.Number, Kind: store.EventSent, User: ev.Sender, TS: ev.TS}); err != nil {
			return true, err
		}
	}
	return true, r.apply(ctx, h, dec)
}
