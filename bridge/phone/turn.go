package phone

import (
	"context"
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
)

// Turn is what a phone gets now.
type Turn struct {
	// Look is a file to look at first, nil if none: what it is decides how it goes. With
	// that known the job asks for its Turn again.
	Look *Look
	// Parts are to be sent in this order. One in state trying has an unknown
	// outcome: it is looked up at Twilio before it is sent again.
	Parts []*store.Part
	// Wait: after the parts, if any, the phone's window has to open first. The job
	// stays where it is until it is woken; it may look again every few minutes.
	Wait bool
}

// Turn decides what a job of a phone sends: one line, by whose turn it is. Lines that
// nobody needs any more are dropped. A line's words can change until its first part
// is tried. The same line is given until it is sent, or failed.
func (q *Queue) Turn(ctx context.Context, w effect.WhatsApp) (Turn, error) {
	if err := q.unhold(ctx, w); err != nil {
		return Turn{}, err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return Turn{}, err
	}
	for {
		send, err := q.next(ctx, w.To)
		if send == nil || err != nil {
			return Turn{}, err
		}
		line, err := q.Store.Line(ctx, send.Line)
		if err != nil {
			return Turn{}, err
		}
		parts, err := q.Store.Parts(ctx, send.Line, w.To)
		if err != nil {
			return Turn{}, err
		}
		var h *handoff.Handoff
		if line.Number != 0 {
			if h, err = q.Store.Handoff(ctx, line.Number); err != nil {
				return Turn{}, err
			}
		}
		if h != nil {
			line.Keep(h)
		}
		if !begun(parts) && !wants(desk, h, line, w.To) {
			send.State = store.SendDropped
			if err := q.Store.SaveSend(ctx, send); err != nil {
				return Turn{}, err
			}
			continue
		}
		return q.turn(ctx, desk, h, line, send, parts)
	}
}

// inTurn is how many lines of one handoff a phone gets before it is the next one's
// turn: who writes much keeps nobody waiting, and a question with the words after it
// stays together.
const inTurn = 2

// next is the line that a phone gets now. Within a handoff lines keep their order;
// between handoffs phones take turns, by number. The bot's own words about none come
// when all handoffs had their turn.
func (q *Queue) next(ctx context.Context, phone string) (*store.Send, error) {
	p, err := q.Store.Phone(ctx, phone)
	if err != nil {
		return nil, err
	}
	if p.Turn != 0 && p.Served < inTurn {
		if own, err := q.Store.NextSend(ctx, phone, p.Turn); own != nil || err != nil {
			return own, err
		}
	}
	send, err := q.Store.NextSendAfter(ctx, phone, p.Turn)
	if send == nil && err == nil {
		send, err = q.Store.NextSendAfter(ctx, phone, -1)
	}
	if send == nil || err != nil {
		return nil, err
	}
	p.Turn, p.Served = send.Handoff, 0
	return send, q.Store.SavePhone(ctx, p)
}

// served counts a line that was sent in its handoff's turn.
func (q *Queue) served(ctx context.Context, p *store.Part) error {
	phone, err := q.Store.Phone(ctx, p.Phone)
	if err != nil || phone.Turn != p.Number {
		return err
	}
	phone.Served++
	return q.Store.SavePhone(ctx, phone)
}

// unhold gives a line that was kept for a failure its place.
func (q *Queue) unhold(ctx context.Context, w effect.WhatsApp) error {
	l, err := q.Store.Line(ctx, w.Line)
	if l == nil || err != nil || !l.Held || l.Kind != handoff.LineTold {
		return err
	}
	if err := q.Store.ReleaseLine(ctx, l.ID); err != nil {
		return err
	}
	return q.Store.AddSend(ctx, l.ID, w.To)
}

// begun reports whether Twilio may have any of the parts.
func begun(parts []*store.Part) bool {
	return slices.ContainsFunc(parts, func(p *store.Part) bool { return p.State != store.PartNew })
}

// tried reports whether Twilio had any of the parts, even if it gave them back: who
// has seen a part fail knows how often, so the parts stay as they are.
func tried(parts []*store.Part) bool {
	return begun(parts) || slices.ContainsFunc(parts, func(p *store.Part) bool { return p.Attempts > 0 || p.Returned > 0 || p.Former != "" })
}

func wants(desk *handoff.Desk, h *handoff.Handoff, l *store.Line, phone string) bool {
	if l.Text("") == "" {
		return false
	}
	if h == nil {
		return l.Number == 0 && desk.Agent(phone) != nil && desk.Windows[phone]
	}
	return desk.Wants(h, l.Line, l.Asker, phone)
}

func (q *Queue) turn(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, send *store.Send, parts []*store.Part) (Turn, error) {
	if trying := inState(parts, store.PartTrying); len(trying) > 0 && !desk.Windows[send.Phone] {
		return Turn{Parts: trying, Wait: true}, nil // first find out what became of it
	}
	if !desk.Windows[send.Phone] {
		return q.wake(ctx, desk, h, line, send.Phone)
	}
	if len(parts) == 0 || !tried(parts) { // cut anew: the words may have changed since the last look
		if err := q.Store.DeleteParts(ctx, line.ID, send.Phone); err != nil {
			return Turn{}, err
		}
		limit := markup.WhatsAppLimit
		if send.Short {
			limit /= 2
		}
		link := ""
		f, event := line.File()
		switch {
		case f == nil:
		case line.Kind == handoff.LineCorrected: // they may have the same file already
			link = q.Link(event)
		case f.Type == "":
			return Turn{Look: &Look{Line: line.ID, MXC: f.MXC}}, nil
		case !f.Carried():
			link = q.Link(event)
		}
		bodies := withFile(q.cut(line, line.Text(link), limit), line, link)
		var err error
		if parts, err = q.Store.AddParts(ctx, line.Number, line.ID, send.Phone, bodies); err != nil {
			return Turn{}, err
		}
		send.State = store.SendFrozen
		if err := q.Store.SaveSend(ctx, send); err != nil {
			return Turn{}, err
		}
	}
	return Turn{Parts: inState(parts, store.PartNew, store.PartTrying)}, nil
}

// Thaw takes back the parts of a line of which none was tried yet.
func Thaw(ctx context.Context, s *store.Store, send *store.Send) error {
	if send.State != store.SendFrozen {
		return nil
	}
	parts, err := s.Parts(ctx, send.Line, send.Phone)
	if err != nil || begun(parts) {
		return err
	}
	if err := s.DeleteParts(ctx, send.Line, send.Phone); err != nil {
		return err
	}
	send.State = store.SendWaiting
	return s.SaveSend(ctx, send)
}

// cut makes the messages of a line. Of a text that is longer than one may be, the
// last one says where the rest stands.
func (q *Queue) cut(line *store.Line, words string, limit int) []string {
	split := markup.Split
	if len(line.Pieces) > 0 {
		split = markup.SplitSaid
	}
	tag := func(part, of int) string { return handoff.Tag(line.Number, part, of) }
	bodies := split(words, tag, limit)
	if q.Parts < 1 || len(bodies) <= q.Parts {
		return bodies
	}
	bodies = split(words, func(part, of int) string { return tag(part, min(of, q.Parts)) }, limit)[:q.Parts]
	rest := "\n" + text.RestForAgent(line.Number)
	last := markup.Split(bodies[q.Parts-1], func(int, int) string { return "" }, limit-len(rest))
	bodies[q.Parts-1] = last[0] + rest
	return bodies
}

func inState(parts []*store.Part, states ...string) []*store.Part {
	var out []*store.Part
	for _, p := range parts {
		if slices.Contains(states, p.State) {
			out = append(out, p)
		}
	}
	return out
}

// wakeAgain is how soon a phone may get another template: one that was not answered
// about another handoff, one that was refused about the same, too.
const wakeAgain = 24 * time.Hour

// wake opens a closed window: by one template, after which everything waits for
// the agent. Where no template can do that, staff are told, once in each handoff.
func (q *Queue) wake(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, number string) (Turn, error) {
	if !desk.Template || desk.Stopped[number] {
		return Turn{Wait: true}, q.unreachable(ctx, desk, h, number)
	}
	pending, err := q.Store.PendingTemplate(ctx, number)
	if err != nil {
		return Turn{}, err
	}
	if pending != nil {
		return Turn{Parts: []*store.Part{pending}, Wait: true}, nil
	}
	p, err := q.Store.Phone(ctx, number)
	if err != nil {
		return Turn{}, err
	}
	lately := !p.Template.IsZero() && q.Store.Now().Before(p.Template.Add(wakeAgain))
	asked := !p.Template.IsZero() && p.Refused == "" && p.About == line.Number
	if lately || asked {
		return Turn{Wait: true}, q.unreachable(ctx, desk, h, number)
	}
	part, err := q.Store.AddTemplate(ctx, line.Number, number)
	return Turn{Parts: []*store.Part{part}, Wait: true}, err
}

// unreachable tells staff, once in each handoff, that a phone cannot be sent its lines.
func (q *Queue) unreachable(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, number string) error {
	if h == nil {
		return nil
	}
	dec := desk.Unreachable(h, number)
	if len(dec.Effects) == 0 {
		return nil
	}
	return q.Relay.Apply(ctx, h, dec)
}
