package relay

import (
	"cmp"
	"context"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// AskInput is somebody asking for a human.
type AskInput struct {
	Asker string      // MXID
	Name  string      // display name of the asker
	Room  *store.Room // where the question stands: a lane or a direct chat
	Event string      // the command, or the message that got 🙋
	// Question are the words after the command; with ByReaction they are read
	// from the message.
	Question   string
	Private    bool      // human --private: the answer comes in the direct chat
	ByReaction bool      // 🙋
	Thread     string    // root of the thread that the question stands in, "" if in none
	ReplyTo    string    // what the question answers, "" if nothing
	At         time.Time // when the question was written, or the reaction
}

// Ask opens a handoff, or joins the one in whose thread the question stands. It
// sends the one notice that answers the command, so nobody else answers it.
// fields are {"handoff": number}.
func (r *Relay) Ask(ctx context.Context, in AskInput) (fields map[string]any, err error) {
	in.Private = in.Private && in.Room.Kind != store.Direct
	at := origin(in.Room, 0)
	q := r.spelled(ctx, in.Event, in.Asker, at, in.Question)
	if in.ByReaction {
		m, err := r.Store.Message(ctx, in.Event)
		if err != nil {
			return nil, err
		}
		if m == nil || m.Redacted {
			return nil, project.Refuse(project.NotFound, "%s", text.UnreadableForAsker(r.Prefix))
		}
		if at.Stays, err = r.staysIn(ctx, in.Event); err != nil {
			return nil, err
		}
		q, in.At = r.messageSaid(ctx, m, at), m.TS
	}
	q.Name, q.Thread = in.Name, in.Thread
	desk, err := r.desk(ctx)
	if err != nil {
		return nil, err
	}
	h, err := r.openAt(ctx, in)
	if err != nil {
		return nil, err
	}
	if h != nil && !leaks(q, h) {
		q.At.Handoff = h.Number
		return result(h), r.join(ctx, desk, h, q, in)
	}
	if joined, err := r.full(ctx, desk, q, in); joined != nil || err != nil {
		return joined, err
	}
	if in.Thread, err = r.rootHere(ctx, in.Room, in.Thread); err != nil {
		return nil, err
	}
	a, err := r.asking(ctx, q, in)
	if err != nil {
		return nil, err
	}
	h, dec := desk.Ask(a)
	if err := r.apply(ctx, h, dec); err != nil {
		return nil, err
	}
	if err := r.saveContext(ctx, h, a.Context); err != nil {
		return nil, err
	}
	if _, err = r.remember(ctx, h, in, in.At); err != nil {
		return nil, err
	}
	return result(h), r.takenAway(ctx, in)
}

// leaks reports whether words would leave by joining a handoff though they may not: they
// may have been meant for one that stays.
func leaks(q handoff.Said, h *handoff.Handoff) bool { return q.At.Stays && h.Leaves }

// takenAway notes that the bot takes a private question out of its lane: until that
// comes back it is no context for anybody.
func (r *Relay) takenAway(ctx context.Context, in AskInput) error {
	if !in.Private {
		return nil
	}
	return r.Store.RedactMessage(ctx, in.Event)
}

// full joins a question of somebody who has as many open handoffs as one person may to
// the newest one of the same place: of the same room and, in the direct chat, with
// the same origin, as words of a staff lane must not get into a talk that leaves for
// WhatsApp. Where there is none it is refused. nil: they may open one more.
func (r *Relay) full(ctx context.Context, desk *handoff.Desk, q handoff.Said, in AskInput) (fields map[string]any, err error) {
	open, full, err := r.hasAll(ctx, in.Asker)
	if err != nil || !full {
		return nil, err
	}
	for _, h := range open {
		lane, direct := project.Kind(""), in.Private || in.Room.Kind == store.Direct
		if in.Room.IsLane() {
			lane = project.Kind(in.Room.Kind)
		}
		if h.Direct != direct || h.Lane != lane || direct && h.Project != in.Room.Project || !direct && h.Room != in.Room.ID || leaks(q, h) {
			continue
		}
		q.At.Handoff = h.Number
		if _, err := r.remember(ctx, h, in, in.At); err != nil {
			return nil, err
		}
		if err := r.takenAway(ctx, in); err != nil {
			return nil, err
		}
		return result(h), r.apply(ctx, h, desk.JoinFull(h, q, len(open), in.Private, in.Room.ID))
	}
	return nil, project.Refuse(project.Conflict, "%s", text.NoMoreForAsker(len(open)))
}

// hasAll reports whether somebody has as many open handoffs as one person may: a closed
// one that is opened again is one more.
func (r *Relay) hasAll(ctx context.Context, asker string) (open []*handoff.Handoff, full bool, err error) {
	if r.Limits.Open < 1 {
		return nil, false, nil
	}
	open, err = r.Store.OpenOf(ctx, asker, max(r.Limits.Open, mostOpen))
	return open, len(open) >= r.Limits.Open, err
}

// mostOpen is how many of somebody's open handoffs are looked through for one to join.
const mostOpen = 20

func result(h *handoff.Handoff) map[string]any { return map[string]any{"handoff": h.Number} }

// openAt finds the handoff that a question joins: the one in whose thread it
// stands, or that its message belongs to already.
func (r *Relay) openAt(ctx context.Context, in AskInput) (*handoff.Handoff, error) {
	if in.Private {
		return nil, nil
	}
	on := cmp.Or(in.Thread, in.ReplyTo)
	if in.ByReaction { // a message belongs to one handoff, whatever thread it stands in
		on = in.Event
	}
	if on == "" {
		return nil, nil
	}
	h, err := r.byMessage(ctx, in.Room, on)
	if h == nil || err != nil {
		return nil, err
	}
	if member, err := r.member(ctx, h, in.Asker); err != nil || !member {
		return nil, err
	}
	return h, nil
}

func (r *Relay) join(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, q handoff.Said, in AskInput) error {
	var before []handoff.Said
	if h.State == handoff.Closed {
		if open, full, err := r.hasAll(ctx, h.First().User); err != nil {
			return err
		} else if full {
			return project.Refuse(project.Conflict, "%s", text.NoMoreForAsker(len(open)))
		}
		var err error
		if before, err = r.soFar(ctx, h); err != nil {
			return err
		}
	}
	was, err := r.Store.HandoffEvent(ctx, in.Event)
	if err != nil {
		return err
	}
	fresh, err := r.remember(ctx, h, in, r.Store.Now())
	if err != nil {
		return err
	}
	had := handoff.Nobody
	switch {
	case !fresh:
		had = handoff.Everybody
	case was != nil && was.Kind == store.EventBeside:
		had = handoff.OnlyStaff
	}
	if !fresh && in.ByReaction && h.State != handoff.Closed && h.Asker(in.Asker) != nil {
		return nil // one 🙋 more, in another skin tone: nothing new was asked
	}
	return r.apply(ctx, h, desk.Join(h, q, had, before))
}

// remember notes that the question counts in the handoff; fresh is false if it
// did already.
func (r *Relay) remember(ctx context.Context, h *handoff.Handoff, in AskInput, at time.Time) (fresh bool, err error) {
	kind := store.EventAsked
	if in.ByReaction {
		kind = store.EventSaid
	}
	return r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: in.Event, Handoff: h.Number, Kind: kind, User: in.Asker, TS: at})
}

// asking gathers what a new handoff is about.
func (r *Relay) asking(ctx context.Context, q handoff.Said, in AskInput) (a handoff.Asking, err error) {
	a = handoff.Asking{Room: in.Room.ID, Private: in.Private, Thread: in.Thread, Question: q, At: in.At}
	room := in.Room
	if in.Room.IsLane() {
		a.Project, a.Lane = in.Room.Project, project.Kind(in.Room.Kind)
		p, err := r.Store.Project(ctx, in.Room.Project)
		if err != nil {
			return a, err
		}
		if p != nil {
			a.ProjectName = p.Name
		}
	}
	if in.Private {
		if room, err = r.Store.DirectRoom(ctx, in.Asker); err != nil {
			return a, err
		}
	}
	if a.Context, err = r.context(ctx, room, in.Event, in.Thread, in.At); err != nil {
		return a, err
	}
	if a.Again, err = r.Store.AskedBefore(ctx, in.Asker, room == nil || room.Kind == store.Direct); err != nil {
		return a, err
	}
	a.Number, err = r.Store.NextNumber(ctx)
	return a, err
}

// here reports whether the thread of a handoff stands in a room. Whoever names an
// event of another room gets nothing for it.
func here(h *handoff.Handoff, room *store.Room) bool {
	if room.Kind == store.Direct {
		return h.Direct && h.First().User == room.User
	}
	return !h.Direct && h.Room == room.ID
}

// rootHere is the root of a thread if it is a message of this room; else "": what
// clients name as the root of their threads can be anything.
func (r *Relay) rootHere(ctx context.Context, room *store.Room, root string) (string, error) {
	if root == "" {
		return "", nil
	}
	if m, err := r.Store.Message(ctx, root); err != nil || m != nil && m.Room == room.ID {
		return root, err
	}
	id, err := r.Store.SentAs(ctx, root)
	if err != nil || id == "" {
		return "", err
	}
	if where, _, err := r.Store.Sent(ctx, id); err != nil || where != room.ID {
		return "", err
	}
	return root, nil
}

// byRoot finds the handoff of a room by the root of its thread.
func (r *Relay) byRoot(ctx context.Context, room *store.Room, root string) (*handoff.Handoff, error) {
	h, err := r.Store.HandoffByThread(ctx, room, root)
	if h != nil || err != nil {
		return h, err
	}
	id, err := r.Store.SentAs(ctx, root)
	if err != nil || id == "" {
		return nil, err
	}
	return r.Store.HandoffByThread(ctx, room, string(effect.To(id)))
}

// longestChain bounds how many replies are followed to the one that a handoff knows.
const longestChain = 64

// byMessage finds the handoff of a room by any message of its thread: what answers one
// of them counts as in it, and so does what answers that, whoever wrote it.
func (r *Relay) byMessage(ctx context.Context, room *store.Room, event string) (*handoff.Handoff, error) {
	for range longestChain {
		if h, err := r.byRoot(ctx, room, event); h != nil || err != nil {
			return h, err
		}
		if n, err := r.numberOf(ctx, event); n != 0 || err != nil {
			h, err := r.Store.Handoff(ctx, n)
			if h == nil || err != nil || !here(h, room) {
				return nil, err
			}
			return h, nil
		}
		m, err := r.Store.Message(ctx, event)
		if m == nil || err != nil || m.Room != room.ID {
			return nil, err
		}
		if event = cmp.Or(m.Thread, m.ReplyTo); event == "" {
			return nil, nil
		}
	}
	return nil, nil
}

// numberOf is the number of the handoff in which an event counts, or for which the
// bot said it; 0 if of none.
func (r *Relay) numberOf(ctx context.Context, event string) (int64, error) {
	e, err := r.Store.HandoffEvent(ctx, event)
	switch {
	case err != nil:
		return 0, err
	case e != nil && e.Kind != store.EventHeld:
		return e.Handoff, nil
	}
	id, err := r.Store.SentAs(ctx, event)
	_, n, _ := numbered(id)
	return n, err
}
