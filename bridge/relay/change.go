package relay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/phone"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// longestReaction bounds what is shown of a reaction, in characters: its key can
// be any text.
const longestReaction = 30

// Reaction takes ✋ on a card, ✅ on a consent notice, and reactions on answers.
func (r *Relay) Reaction(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	target, key := ev.Annotates()
	if target == "" || key == "" {
		return false, nil
	}
	id, err := r.Store.SentAs(ctx, target)
	if err != nil {
		return false, err
	}
	kind, n, source := numbered(id)
	if n == 0 {
		return false, nil
	}
	h, err := r.Store.Handoff(ctx, n)
	if h == nil || err != nil {
		return false, err
	}
	if kind != "card" {
		if member, err := r.member(ctx, h, ev.Sender); err != nil || !member {
			return true, err
		}
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return false, err
	}
	switch {
	case kind == "card" && handoff.IsTake(key):
		return true, r.takeByHand(ctx, desk, h, ev)
	case kind == "card":
		return true, r.otherSign(ctx, h, ev)
	case (kind == "ask" || kind == "join") && handoff.IsYes(key):
		return true, r.consent(ctx, desk, h, ev, id)
	case kind == "ask" || kind == "join":
		return r.otherThanYes(ctx, h, ev, id)
	case kind == "ans":
		return true, r.reacted(ctx, desk, h, ev, source)
	}
	return false, nil
}

func (r *Relay) takeByHand(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, ev *matrix.Event) error {
	if !r.May(ev.Sender) {
		return nil
	}
	var refused *project.Error
	if err := r.mayWake(ctx, h); errors.As(err, &refused) {
		return r.Store.Do(ctx, effect.Effect{Message: &effect.Message{
			To: effect.Place{SuperAdmin: true}, Thread: effect.To(handoff.Card(h.Number)), Content: text.Sentence(refused.Sentence).Notice(),
		}})
	} else if err != nil {
		return err
	}
	if err := r.got(ctx, desk, h); err != nil {
		return err
	}
	o := handoff.Owner{Kind: handoff.OnMatrix, ID: ev.Sender, Name: r.Store.Name(ctx, ev.Sender)}
	dec, changed, err := desk.Take(h, o, false, nil)
	if err != nil {
		dec = handoff.Decision{Effects: []effect.Effect{{Message: &effect.Message{
			To: effect.Place{SuperAdmin: true}, Thread: effect.To(handoff.Card(h.Number)),
			Content: text.OwnedForStaff(r.Prefix, h.Number, h.Owner.Name).Notice(),
		}}}}
	} else if !changed {
		return nil
	}
	return r.apply(ctx, h, dec)
}

// otherSign tells once a card which reaction counts on it.
func (r *Relay) otherSign(ctx context.Context, h *handoff.Handoff, ev *matrix.Event) error {
	if !r.May(ev.Sender) || h.State == handoff.Closed {
		return nil
	}
	if first, err := r.Store.Once(ctx, "signs:"+handoff.Card(h.Number)); err != nil || !first {
		return err
	}
	return r.Store.Do(ctx, effect.Effect{Message: &effect.Message{
		To: effect.Place{SuperAdmin: true}, Thread: effect.To(handoff.Card(h.Number)), Content: text.SignOfCardForStaff(h.Number).Notice(),
	}})
}

// otherThanYes tells once an asker who is wanted to agree which reaction does that.
func (r *Relay) otherThanYes(ctx context.Context, h *handoff.Handoff, ev *matrix.Event, notice string) (handled bool, err error) {
	a := h.Asker(ev.Sender)
	if a == nil || a.Leaves() || a.Notice != notice {
		return false, nil
	}
	if first, err := r.Store.Once(ctx, "signs:"+notice); err != nil || !first {
		return true, err
	}
	m := effect.Message{To: h.Place(), Thread: h.Thread, Content: text.SignOfConsentForAsker(h.Number).Notice()}
	if h.Direct {
		m.Thread, m.ReplyTo = "", effect.To(notice)
	}
	return true, r.Store.Do(ctx, effect.Effect{Message: &m})
}

func (r *Relay) consent(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, ev *matrix.Event, notice string) error {
	a := h.Asker(ev.Sender)
	if a == nil || a.Notice != notice {
		return nil
	}
	dec, changed := desk.Consented(h, a, ev.ID)
	if !changed {
		return nil
	}
	if _, err := r.Store.SaveHandoffEvent(ctx, store.HandoffEvent{Event: ev.ID, Handoff: h.Number, Kind: store.EventConsent, User: ev.Sender, TS: ev.TS}); err != nil {
		return err
	}
	if err := r.apply(ctx, h, dec); err != nil {
		return err
	}
	return r.releaseHeld(ctx, desk, h, ev.Sender)
}

// releaseHeld sends what waited for an asker's consent to those who are asked now.
func (r *Relay) releaseHeld(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, asker string) error {
	held, err := r.Store.HeldLines(ctx, h.Number, asker)
	if err != nil {
		return err
	}
	phones := desk.Asked(h)
	for _, l := range held {
		if err := r.Store.ReleaseLine(ctx, l.ID); err != nil {
			return err
		}
		if err := phone.Put(ctx, r.Store, l.ID, phones...); err != nil {
			return err
		}
	}
	return nil
}

func (r *Relay) reacted(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, ev *matrix.Event, source string) error {
	a := h.Asker(ev.Sender)
	_, key := ev.Annotates()
	if a == nil || len([]rune(key)) > longestReaction || strings.ContainsAny(key, "\n\r") {
		return nil
	}
	if much, err := r.tooMuchOf(ctx, desk, h, ev); much || err != nil {
		return err
	}
	on := effect.Ref(source)
	if !strings.HasPrefix(source, "$") { // from WhatsApp: staff see a copy
		on = effect.To(handoff.Copy(h.Number, source))
	}
	room, err := r.Store.RoomByID(ctx, ev.Room)
	if room == nil || err != nil {
		return err
	}
	at := origin(room, h.Number)
	reaction := handoff.Said{Event: ev.ID, User: ev.Sender, At: at, Words: text.Words{Plain: key}, Markup: markup.LiteralForWhatsApp(key)}
	target, _ := ev.Annotates()
	m, err := r.Store.Message(ctx, target)
	if err != nil {
		return err
	}
	answer := handoff.Said{At: at}
	if m != nil && m.Room == ev.Room {
		excerpt := m.Body
		keeper, err := r.Store.KeeperOf(ctx, room.Project)
		if err != nil {
			return err
		}
		if _, words, ok := strings.Cut(excerpt, ":** "); ok && m.Sender == keeper {
			excerpt = words // the keeper named who speaks
		}
		answer.Markup = markup.LiteralForWhatsApp(excerpt)
	}
	return r.apply(ctx, h, desk.Reacted(h, a, on, reaction, answer))
}

// Edit takes an m.replace of anything that belongs to a handoff. The caller has
// checked that it comes from who wrote the message.
func (r *Relay) Edit(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	target, content := ev.Replaces(), ev.NewContent()
	if target == "" || content == nil {
		return false, nil
	}
	e, err := r.Store.HandoffEvent(ctx, target)
	if err != nil || (e != nil && e.User != ev.Sender) {
		return false, err
	}
	room, err := r.Store.RoomByID(ctx, ev.Room)
	if room == nil || err != nil {
		return false, err
	}
	at := origin(room, 0)
	if over, err := r.over(ctx, e); err != nil || over {
		return over, err
	}
	if e != nil {
		stays, err := r.stays(ctx, map[string]*store.HandoffEvent{target: e})
		if err != nil {
			return false, err
		}
		at.Handoff, at.Stays = e.Handoff, stays[target]
	}
	s := r.contentSaid(ctx, target, ev.Sender, at, content)
	if e != nil && e.Kind == store.EventAsked {
		s = r.spelled(ctx, target, ev.Sender, at, r.question(content))
	}
	lines, err := r.changeLines(ctx, target, func(p handoff.Piece) handoff.Piece { return p.Reworded(&s) })
	if err != nil {
		return false, err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return false, err
	}
	if much, err := r.tooManyEdits(ctx, desk, ev, e); much || err != nil {
		return much, err
	}
	if err := r.contextChanged(ctx, room, s, lines); err != nil || e == nil {
		return e != nil, err
	}
	h, err := r.Store.Handoff(ctx, e.Handoff)
	if h == nil || err != nil {
		return false, err
	}
	switch e.Kind {
	case store.EventAsked, store.EventSaid:
		return true, r.apply(ctx, h, desk.Edited(h, s, lines.stale(h.Number)))
	case store.EventBeside:
		return true, r.apply(ctx, h, desk.BesideEdited(h, s))
	case store.EventSent:
		switch why, err := r.absent(ctx, h); {
		case err != nil:
			return true, err
		case why == handoff.Removed:
			return true, r.apply(ctx, h, desk.EditKept(h, target))
		}
		by := h.Owner
		if !desk.Owns(h, e.User) { // any more
			by = &handoff.Owner{Kind: handoff.OnMatrix, ID: e.User, Name: s.Name}
		}
		ghost, err := r.ghost(ctx, desk, h, by)
		if err != nil {
			return true, err
		}
		return true, r.apply(ctx, h, desk.AnswerEdited(h, by, s, ghost))
	}
	return false, nil
}

// tooManyEdits reports whether an edit would be shown to staff or agents and is more
// than its author may say in a minute. Words that wait have changed all the same.
func (r *Relay) tooManyEdits(ctx context.Context, desk *handoff.Desk, ev *matrix.Event, e *store.HandoffEvent) (bool, error) {
	if e != nil && e.Kind != store.EventAsked && e.Kind != store.EventSaid && e.Kind != store.EventBeside {
		return false, nil
	}
	numbers, err := r.Store.ContextOf(ctx, ev.Replaces())
	if err != nil {
		return false, err
	}
	if e != nil {
		numbers = []int64{e.Handoff}
	}
	if len(numbers) == 0 {
		return false, nil
	}
	h, err := r.Store.Handoff(ctx, numbers[0])
	if h == nil || err != nil {
		return false, err
	}
	return r.tooMuchOf(ctx, desk, h, ev)
}

// tooMuchOf counts an edit or a reaction among what somebody says in a minute, and
// reports whether it is too much, which an asker is told once. What others say is
// counted apart: nobody is told of that, who would have to be told of their own later.
func (r *Relay) tooMuchOf(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, ev *matrix.Event) (bool, error) {
	kind := store.MeterWords
	if h.Asker(ev.Sender) == nil {
		kind = store.MeterBeside
	}
	over, first, err := r.Store.Spend(ctx, ev.Sender, kind, ev.TS, time.Minute, r.Limits.Words)
	if err != nil || !first || kind == store.MeterBeside {
		return over, err
	}
	return true, r.apply(ctx, h, desk.TooMuch(h, ev.ID, r.Limits.Words))
}

// over reports whether something was said by an asker who was taken out of the project
// that they asked in: what they take back is taken back, and nothing else of theirs
// reaches anybody.
func (r *Relay) over(ctx context.Context, e *store.HandoffEvent) (bool, error) {
	if e == nil || e.Kind == store.EventSent {
		return false, nil
	}
	h, err := r.Store.Handoff(ctx, e.Handoff)
	if h == nil || err != nil {
		return false, err
	}
	member, err := r.member(ctx, h, e.User)
	return !member, err
}

// Redaction takes the deletion of anything that belongs to a handoff.
func (r *Relay) Redaction(ctx context.Context, ev *matrix.Event) (handled bool, err error) {
	if ev.Redacts == "" {
		return false, nil
	}
	lines, err := r.changeLines(ctx, ev.Redacts, handoff.Piece.Withdrawn)
	if err != nil {
		return false, err
	}
	if err := r.contextWithdrawn(ctx, ev, lines); err != nil {
		return false, err
	}
	e, err := r.Store.HandoffEvent(ctx, ev.Redacts)
	if e == nil || err != nil {
		return false, err
	}
	h, err := r.Store.Handoff(ctx, e.Handoff)
	if h == nil || err != nil {
		return false, err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return false, err
	}
	a := h.Asker(e.User)
	switch {
	case e.Kind == store.EventHeld:
		return false, nil
	case e.Kind == store.EventSent:
		return true, r.apply(ctx, h, desk.AnswerWithdrawn(h, ev.Redacts))
	case e.Kind == store.EventBeside:
		if err := r.got(ctx, desk, h); err != nil {
			return true, err
		}
		return true, r.apply(ctx, h, desk.BesideWithdrawn(h, ev.Redacts))
	case a == nil:
		return false, nil
	case e.Kind == store.EventConsent && a.By == ev.Redacts:
		return true, r.apply(ctx, h, desk.Revoked(h, a))
	case e.Kind == store.EventConsent:
		return false, nil
	}
	return true, r.apply(ctx, h, desk.Withdrawn(h, a, ev.Redacts, lines.gone[h.Number]))
}

// changed are the phones that hold words of an event, by handoff.
type changed struct {
	gone    map[int64][]string // got them
	pending map[int64][]string // get a correction of them that has not left yet
}

// stale are the phones that need a correction: they got old words and nothing
// newer is on the way.
func (c changed) stale(n int64) (phones []string) {
	for _, p := range c.gone[n] {
		if !slices.Contains(c.pending[n], p) {
			phones = append(phones, p)
		}
	}
	return phones
}

// changeLines changes the words of an event in all lines; those that left stay as
// they are in their parts.
func (r *Relay) changeLines(ctx context.Context, event string, change func(handoff.Piece) handoff.Piece) (c changed, err error) {
	c = changed{gone: map[int64][]string{}, pending: map[int64][]string{}}
	lines, err := r.Store.LinesWith(ctx, event)
	if err != nil {
		return c, err
	}
	for _, l := range lines {
		for i := range l.Pieces {
			if l.Pieces[i].Event() == event {
				l.Pieces[i] = change(l.Pieces[i])
			}
		}
		if err := r.Store.ChangeLine(ctx, l); err != nil {
			return c, err
		}
		sends, err := r.Store.Sends(ctx, l.ID)
		if err != nil {
			return c, err
		}
		for _, s := range sends {
			if err := phone.Thaw(ctx, r.Store, s); err != nil {
				return c, err
			}
			switch s.State {
			case store.SendFrozen, store.SendDone:
				if !slices.Contains(c.gone[l.Number], s.Phone) {
					c.gone[l.Number] = append(c.gone[l.Number], s.Phone)
				}
			case store.SendWaiting:
				c.pending[l.Number] = append(c.pending[l.Number], s.Phone)
			}
		}
	}
	return c, nil
}
