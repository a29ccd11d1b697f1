package relay

import (
	"cmp"
	"context"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Talk is the conversation that a message belongs to.
type Talk struct {
	Handoff *handoff.Handoff // nil: none
	Card    bool             // it stands in the card's thread, among staff
	Asks    bool             // whoever wrote it is an asker
	// Open are the open handoffs of a direct chat, where nothing says which of them is
	// meant. Without a Handoff they are not read by the same people.
	Open []int64

	stays int64 // one of Open whose words do not leave Matrix
}

// In reports whether a message stands in a handoff's thread, or in a direct chat with
// an open handoff: there only prefixed text is a command.
func (t Talk) In() bool { return t.Handoff != nil || len(t.Open) > 0 }

// Talk finds the conversation that a message of one of our rooms belongs to.
func (r *Relay) Talk(ctx context.Context, ev *matrix.Event, room *store.Room) (t Talk, err error) {
	switch {
	case room.Kind == store.SuperAdmin:
		t.Handoff, err = r.byCard(ctx, ev.Thread())
		t.Card = true
	case room.Kind == store.Direct:
		t, err = r.directTalk(ctx, ev, room)
	case room.IsLane():
		t.Handoff, err = r.conversation(ctx, ev, room)
	}
	t.Asks = len(t.Open) > 0 || t.Handoff != nil && t.Handoff.Asker(ev.Sender) != nil
	return t, err
}

// conversation finds the handoff in whose thread a message stands; a plain reply
// to any message of the thread counts as in it.
func (r *Relay) conversation(ctx context.Context, ev *matrix.Event, room *store.Room) (*handoff.Handoff, error) {
	if on := cmp.Or(ev.Thread(), ev.ReplyTo()); on != "" {
		return r.byMessage(ctx, room, on)
	}
	return nil, nil
}

// directTalk is conversation for direct chats: what answers nothing in particular
// belongs to the newest open handoff, if the others are read by the same people.
func (r *Relay) directTalk(ctx context.Context, ev *matrix.Event, room *store.Room) (t Talk, err error) {
	t.Handoff, err = r.conversation(ctx, ev, room)
	if err != nil || t.Handoff == nil && ev.Thread() != "" {
		return t, err
	}
	if t.Handoff != nil {
		if member, err := r.member(ctx, t.Handoff, room.User); !member || err != nil {
			return Talk{}, err
		}
		return t, nil
	}
	all, err := r.Store.HandoffsInDirect(ctx, room.User)
	if err != nil {
		return t, err
	}
	differ := false
	for _, h := range all {
		member, err := r.member(ctx, h, room.User)
		if err != nil {
			return t, err
		}
		if member {
			differ = differ || t.Handoff != nil && t.Handoff.Leaves != h.Leaves
			t.Handoff, t.Open = h, append(t.Open, h.Number)
			if !h.Leaves {
				t.stays = h.Number
			}
		}
	}
	if differ {
		t.Handoff = nil
	}
	return t, nil
}

// member reports whether what was asked in a project still belongs to somebody: to
// nobody any more who was taken out of it. In a lane nobody listens to them anyway.
func (r *Relay) member(ctx context.Context, h *handoff.Handoff, user string) (bool, error) {
	if h.Project == "" || !h.Direct {
		return true, nil
	}
	role, err := r.Store.Role(ctx, h.Project, user)
	return role != "", err
}

// LaneMessage takes a message of a lane that stands in a handoff's thread or
// answers a message there. handled: it belongs to a handoff, whoever wrote it.
func (r *Relay) LaneMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	h, err := r.conversation(ctx, ev, room)
	switch {
	case err != nil:
		return false, err
	case h == nil && ev.Thread() == "" && ev.ReplyTo() == "":
		return false, r.hint(ctx, ev, room)
	case h == nil:
		return false, nil
	}
	return true, r.askerSays(ctx, h, ev, room)
}

// hint tells who writes outside of the thread after an answer how to answer that.
func (r *Relay) hint(ctx context.Context, ev *matrix.Event, room *store.Room) error {
	h, err := r.Store.HandoffInLanes(ctx, ev.Sender)
	if h == nil || err != nil || !here(h, room) {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	dec, changed := desk.Hint(h, ev.ID)
	return r.applyIf(ctx, h, dec, changed)
}

// DirectMessage takes a message of a direct chat that belongs to a handoff.
func (r *Relay) DirectMessage(ctx context.Context, ev *matrix.Event, room *store.Room) (handled bool, err error) {
	t, err := r.directTalk(ctx, ev, room)
	switch {
	case err != nil || !t.In():
		return false, err
	case t.Handoff == nil:
		if err := r.Hold(ctx, ev, t); err != nil {
			return true, err
		}
		m := effect.Message{To: effect.Place{Person: room.User}, ReplyTo: effect.Ref(ev.ID), Content: text.WhichForAsker(t.Open).Notice()}
		return true, r.Store.Do(ctx, effect.Effect{Message: &m})
	}
	return true, r.askerSays(ctx, t.Handoff, ev, room)
}

// Hold notes that words of an asker were carried nowhere. Whatever comes of them later
// leaves no further than the conversation that they may have been meant for.
func (r *Relay) Hold(ctx context.Context, ev *matrix.Event, t Talk) error {
	n := t.stays
	if t.Handoff != nil {
		n = t.Handoff.Number
	}
	if n == 0 || t.Card {
		return nil
	}
	_, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: n, Kind: store.EventHeld, User: ev.Sender, TS: ev.TS})
	return err
}

// askerSays carries what an asker wrote; others' messages stay in the room, where
// staff read them, too.
func (r *Relay) askerSays(ctx context.Context, h *handoff.Handoff, ev *matrix.Event, room *store.Room) error {
	s := r.said(ctx, ev, origin(room, h.Number))
	switch {
	case s.Words.Plain == "" && !s.File:
		return nil
	case h.Asker(ev.Sender) == nil:
		return r.beside(ctx, h, ev, s)
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	// What is too much is not accepted: it is not stored for later, which would only
	// move the flood. The first message of that kind says so, for it and those after it.
	switch over, first, err := r.Store.Spend(ctx, ev.Sender, store.MeterWords, ev.TS, time.Minute, r.Limits.Words); {
	case err != nil:
		return err
	case first || over:
		if err := r.Hold(ctx, ev, Talk{Handoff: h}); err != nil || !first {
			return err
		}
		return r.apply(ctx, h, desk.TooMuch(h, ev.ID, r.Limits.Words))
	}
	var before []handoff.Said
	if h.State == handoff.Closed {
		open, full, err := r.hasAll(ctx, h.First().User)
		if err != nil {
			return err
		}
		if full {
			if err := r.Hold(ctx, ev, Talk{Handoff: h}); err != nil {
				return err
			}
			return r.apply(ctx, h, desk.NoMore(h, ev.ID, len(open)))
		}
	}
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
	if ready, changed := desk.Said(h, s.Name, s.Words.Plain); changed && desk.Owns(h, ev.Sender) {
		s.Words, s.Markup = markup.FromWhatsApp(ready), ready
	}
	ghost, err := r.ghost(ctx, desk, h, h.Owner)
	if err != nil {
		return true, err
	}
	if desk.Absent, err = r.absent(ctx, h); err != nil {
		return true, err
	}
	if h.State == handoff.Taken && desk.Owns(h, ev.Sender) && r.May(ev.Sender) { // it would go to the asker
		switch over, first, err := r.Store.Spend(ctx, ev.Sender, store.MeterWords, ev.TS, time.Minute, r.Limits.Words); {
		case err != nil:
			return true, err
		case over || first:
			return true, r.apply(ctx, h, desk.TooMuchOfStaff(h, ev.ID, r.Limits.Words, first))
		}
	}
	dec, sent := desk.StaffSays(h, s, ghost)
	if sent {
		if _, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: h.Number, Kind: store.EventSent, User: ev.Sender, TS: ev.TS}); err != nil {
			return true, err
		}
	}
	return true, r.apply(ctx, h, dec)
}
