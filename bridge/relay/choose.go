package relay

import (
	"cmp"
	"context"
	"slices"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// candidates are those handoffs that words without a number from a phone can be for:
// at most two of each kind, because with two of them the agent is asked which.
func (r *Relay) candidates(ctx context.Context, desk *handoff.Desk, phone string) (known []handoff.Known, err error) {
	for _, id := range desk.IDsByPhone(phone) {
		found, err := r.Store.TakenOnWhatsApp(ctx, id, handoff.Several)
		if err != nil {
			return nil, err
		}
		known = append(known, knownAs(found, false)...)
	}
	free, err := r.Store.Free(ctx, phone, handoff.Several)
	if err != nil || len(free) > 0 {
		return append(known, knownAs(free, true)...), err
	}
	// What was only announced counts where nothing was sent.
	unread, err := r.Store.Unread(ctx, phone, handoff.Several)
	return append(known, knownAs(unread, false)...), err
}

func knownAs(found []*handoff.Handoff, sent bool) (known []handoff.Known) {
	for _, h := range found {
		known = append(known, handoff.Known{Handoff: h, Sent: sent})
	}
	return known
}

// choose answers what the agent has to choose for, or wants listed.
func (r *Relay) choose(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, in whatsapp.Inbound, msg handoff.Incoming, kept *handoff.Kept, verb handoff.Verb) error {
	if verb == handoff.Opens && msg.Button != "" {
		return nil // a tap on a button needs no answer
	}
	list, err := r.choices(ctx, desk, a.Phone)
	if err != nil {
		return err
	}
	now := r.Store.Now()
	switch {
	case verb == handoff.Lists:
		return r.lists(ctx, a, kept, list, text.ListForAgent(list, now))
	case verb == handoff.Unclear && len(list) > 0 && desk.Keeps(msg):
		return r.keep(ctx, a, in, kept, list)
	case verb == handoff.Unclear:
		return r.lists(ctx, a, kept, list, text.WhichForAgent(list, now))
	case verb == handoff.Doubtful:
		return r.lists(ctx, a, kept, list, text.WordForAgent(list, now))
	}
	// Words that only opened the window: what waits is read first.
	for _, c := range list {
		if !c.Matrix {
			return r.tell(ctx, a, text.OpeningForAgent(c.Number))
		}
	}
	return r.tell(ctx, a, text.NoneOpenForAgent())
}

// choices are what an agent can choose from, by number. Of each kind no more is read
// than one message lists, and one that shows that there are more.
func (r *Relay) choices(ctx context.Context, desk *handoff.Desk, phone string) ([]text.Choice, error) {
	const most = text.MaxChoices + 1
	var known []handoff.Known
	for _, id := range desk.IDsByPhone(phone) {
		found, err := r.Store.TakenOnWhatsApp(ctx, id, most)
		if err != nil {
			return nil, err
		}
		known = append(known, knownAs(found, false)...)
	}
	for _, reach := range []handoff.Reach{handoff.ToWhatsApp, handoff.InMatrix} {
		found, err := r.Store.Open(ctx, reach, most)
		if err != nil {
			return nil, err
		}
		known = append(known, knownAs(found, false)...)
	}
	slices.SortFunc(known, func(a, b handoff.Known) int { return cmp.Compare(a.Number, b.Number) })
	return desk.Choices(phone, known), nil
}
