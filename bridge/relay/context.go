package relay

import (
	"context"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/store"
)

// saveContext remembers what went along with a question.
func (r *Relay) saveContext(ctx context.Context, h *handoff.Handoff, before []handoff.Said) error {
	var events []string
	for _, s := range before {
		if handoff.MayTravel(s.At, h, handoff.Staff) {
			events = append(events, s.Event)
		}
	}
	return r.Store.SaveContext(ctx, h.Number, events)
}

// contextChanged tells those who read a message as what was said before a question
// that it says something else now, or nothing (changed.Words empty): staff see the
// new words in place of the old, agents read of it.
func (r *Relay) contextChanged(ctx context.Context, room *store.Room, changed handoff.Said, lines changed) error {
	numbers, err := r.Store.ContextOf(ctx, changed.Event)
	if err != nil || len(numbers) == 0 {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	for _, n := range numbers {
		h, err := r.Store.Handoff(ctx, n)
		if err != nil {
			return err
		}
		before, err := r.wentAlong(ctx, room, h, changed)
		if err != nil {
			return err
		}
		dec := desk.ContextEdited(h, changed, before, lines.stale(n))
		if changed.Words.Plain == "" && !changed.File {
			dec = desk.ContextWithdrawn(h, changed, before, lines.gone[n])
		}
		if err := r.apply(ctx, h, dec); err != nil {
			return err
		}
	}
	return nil
}

// wentAlong is what went along with the question of a handoff, as it is now.
func (r *Relay) wentAlong(ctx context.Context, room *store.Room, h *handoff.Handoff, changed handoff.Said) (before []handoff.Said, err error) {
	events, err := r.Store.Context(ctx, h.Number)
	if err != nil {
		return nil, err
	}
	known, err := r.Store.HandoffEventsOf(ctx, events)
	if err != nil {
		return nil, err
	}
	for _, event := range events {
		if event == changed.Event {
			before = append(before, changed)
			continue
		}
		m, err := r.Store.Message(ctx, event)
		if err != nil {
			return nil, err
		}
		if m == nil || m.Redacted {
			continue
		}
		before = append(before, r.earlier(ctx, room, m, known[event]))
	}
	return before, nil
}

// earlier is a message of a room that was written before something else; said is the
// handoff that it was said in, if any.
func (r *Relay) earlier(ctx context.Context, room *store.Room, m *store.Message, said *store.HandoffEvent) handoff.Said {
	at := origin(room, 0)
	if said != nil {
		at.Handoff = said.Handoff
	}
	if said != nil && said.Kind == store.EventAsked {
		return r.spelled(ctx, m.Event, m.Sender, at, r.question(contentOf(m)))
	}
	return r.messageSaid(ctx, m, at)
}

// contextWithdrawn is contextChanged for a deletion.
func (r *Relay) contextWithdrawn(ctx context.Context, ev *matrix.Event, lines changed) error {
	m, err := r.Store.Message(ctx, ev.Redacts)
	if m == nil || err != nil {
		return err
	}
	room, err := r.Store.RoomByID(ctx, m.Room)
	if room == nil || err != nil {
		return err
	}
	gone := handoff.Said{Event: m.Event, User: m.Sender, At: origin(room, 0), Name: r.Store.Name(ctx, m.Sender)}
	return r.contextChanged(ctx, room, gone, lines)
}
