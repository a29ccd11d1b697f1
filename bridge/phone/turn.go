package phone

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// Turn is what a phone gets now.
type Turn struct {
	// Parts are to be sent in this order. One in state trying has an unknown
	// outcome: it is looked up at Twilio before it is sent again.
	Parts []*store.Part
	// Wait: after the parts, if any, the phone's window has to open first. The job
	// stays where it is until it is woken; it may look again every few minutes.
	Wait bool
}

// Turn decides what a job of the queue "whatsapp" sends. The job is a place in the
// phone's queue rather than its line: what is oldest goes first, so that a line
// that has to be sent again is not overtaken. Lines that nobody needs any more are
// dropped. A line's words can change until its first part is tried. Call it in a
// transaction.
func (q *Queue) Turn(ctx context.Context, w effect.WhatsApp) (Turn, error) {
	if err := q.unhold(ctx, w); err != nil {
		return Turn{}, err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return Turn{}, err
	}
	for {
		send, err := q.Store.NextSend(ctx, w.To)
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

// unhold gives a line that was kept for a failure its place.
func (q *Queue) unhold(ctx context.Context, w effect.WhatsApp) error {
	l, err := q.Store.Line(ctx, w.Line)
	if l == nil || err != nil || !l.Held || l.Kind != handoff.LineTold {
		return err
	}
	if err := q.Store.ReleaseLine(ctx, l.ID); err != nil {
		return err
	}
	return q.Store.AddSends(ctx, l.ID, []string{w.To})
}

// begun reports whether Twilio may have any of the parts.
func begun(parts []*store.Part) bool {
	return slices.ContainsFunc(parts, func(p *store.Part) bool { return p.State != store.PartNew })
}

func wants(desk *handoff.Desk, h *handoff.Handoff, l *store.Line, phone string) bool {
	if l.Text() == "" {
		return false
	}
	if h == nil {
		return l.Number == 0 && desk.Agent(phone) != nil && desk.Windows[phone]
	}
	return desk.Wants(h, l.Kind, l.Asker, phone)
}

func (q *Queue) turn(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, send *store.Send, parts []*store.Part) (Turn, error) {
	if trying := inState(parts, store.PartTrying); len(trying) > 0 && !desk.Windows[send.Phone] {
		return Turn{Parts: trying, Wait: true}, nil // first find out what became of it
	}
	if !desk.Windows[send.Phone] {
		return q.wake(ctx, desk, h, line, send.Phone)
	}
	if !begun(parts) { // cut anew: the words may have changed since the last look
		if err := q.Store.DeleteParts(ctx, line.ID, send.Phone); err != nil {
			return Turn{}, err
		}
		limit := markup.WhatsAppLimit
		if send.Short {
			limit /= 2
		}
		bodies := markup.Split(line.Text(), func(part, of int) string { return handoff.Tag(line.Number, part, of) }, limit)
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

func inState(parts []*store.Part, states ...string) []*store.Part {
	var out []*store.Part
	for _, p := range parts {
		if slices.Contains(states, p.State) {
			out = append(out, p)
		}
	}
	return out
}

// wakeAgain is how soon a phone that did not answer a template may get another,
// about another handoff.
const wakeAgain = 24 * time.Hour

// wake opens a closed window: by one template, after which everything waits for
// the agent. Without a template staff are told.
func (q *Queue) wake(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, phone string) (Turn, error) {
	if !desk.Template {
		if h == nil {
			return Turn{Wait: true}, nil
		}
		dec := desk.Unreachable(h, phone)
		if len(dec.Effects) == 0 {
			return Turn{Wait: true}, nil
		}
		return Turn{Wait: true}, q.Relay.Apply(ctx, h, dec)
	}
	pending, err := q.Store.PendingTemplate(ctx, phone)
	if err != nil {
		return Turn{}, err
	}
	if pending != nil {
		return Turn{Parts: []*store.Part{pending}, Wait: true}, nil
	}
	p, err := q.Store.Phone(ctx, phone)
	if err != nil {
		return Turn{}, err
	}
	if !p.Template.IsZero() && (p.About == line.Number || q.Store.Now().Before(p.Template.Add(wakeAgain))) {
		return Turn{Wait: true}, nil
	}
	part, err := q.Store.AddTemplate(ctx, line.Number, phone)
	return Turn{Parts: []*store.Part{part}, Wait: true}, err
}

// ErrChanged says that a part is not any more what its Turn said: its words were
// changed, or a late callback told that Twilio has it. The job asks for its Turn
// again.
var ErrChanged = errors.New("the part was changed meanwhile")

// Trying notes that a part is about to be sent; its outcome is unknown until
// LineSent or LineFailed.
func (q *Queue) Trying(ctx context.Context, p *store.Part) error {
	if known, err := q.Store.Part(ctx, p.ID); err != nil {
		return err
	} else if known == nil || known.State != p.State {
		return ErrChanged
	}
	p.State, p.Started = store.PartTrying, q.Store.Now()
	p.Attempts++
	return q.Store.SavePart(ctx, p)
}

// LineSent notes that Twilio has a part: its id and first status.
func (q *Queue) LineSent(ctx context.Context, id int64, sid, status string) error {
	p, err := q.Store.Part(ctx, id)
	if p == nil || err != nil {
		return err
	}
	if p.SID != "" && p.SID != sid || p.Former == sid { // a callback was faster: it told of another try, or that this one failed
		return nil
	}
	return q.sent(ctx, p, sid, status)
}

func (q *Queue) sent(ctx context.Context, p *store.Part, sid, status string) error {
	fresh := p.SID == ""
	if p.State == store.PartNew || p.State == store.PartTrying {
		p.State = "accepted"
	}
	p.SID, p.State = sid, whatsapp.Merge(p.State, status)
	if err := q.Store.SavePart(ctx, p); err != nil || !fresh {
		return err
	}
	if p.Template() {
		phone, err := q.Store.Phone(ctx, p.Phone)
		if err != nil {
			return err
		}
		phone.Template, phone.About = q.Store.Now(), p.Number
		return q.Store.SavePhone(ctx, phone)
	}
	return q.finish(ctx, p)
}

// finish notes that Twilio has all parts of a line.
func (q *Queue) finish(ctx context.Context, p *store.Part) error {
	parts, err := q.Store.Parts(ctx, p.Line, p.Phone)
	if err != nil || slices.ContainsFunc(parts, func(p *store.Part) bool { return p.SID == "" }) {
		return err
	}
	return q.setSend(ctx, p, store.SendFrozen, store.SendDone)
}

// setSend changes the state of a part's line on its way to the phone, if it is the
// one expected ("" expects any).
func (q *Queue) setSend(ctx context.Context, p *store.Part, from, to string) error {
	sends, err := q.Store.Sends(ctx, p.Line)
	if err != nil {
		return err
	}
	for _, s := range sends {
		if s.Phone == p.Phone && (from == "" || s.State == from) {
			s.State = to
			return q.Store.SaveSend(ctx, s)
		}
	}
	return nil
}

// LineFailed notes that Twilio refused a part: it was not sent. again: the job goes
// on with Turn, which has something better to send.
func (q *Queue) LineFailed(ctx context.Context, id int64, failure *whatsapp.Error) (again bool, err error) {
	p, err := q.Store.Part(ctx, id)
	if p == nil || p.SID != "" || err != nil {
		return false, err
	}
	p.Code = failure.Code
	switch {
	case failure.Class == whatsapp.Window && !p.Template():
		return true, q.closed(ctx, p)
	case failure.Remedy == whatsapp.Shorter && !p.Template():
		if again, err = q.shorter(ctx, p); again || err != nil {
			return again, err
		}
	}
	return false, q.failed(ctx, p, failure)
}

// closed puts a part back: the phone's window is closed.
func (q *Queue) closed(ctx context.Context, p *store.Part) error {
	phone, err := q.Store.Phone(ctx, p.Phone)
	if err != nil {
		return err
	}
	phone.Inbound = time.Time{}
	if err := q.Store.SavePhone(ctx, phone); err != nil {
		return err
	}
	return q.again(ctx, p)
}

// again makes a part wait for its turn once more. Whatever is still told of the
// try that failed is no news.
func (q *Queue) again(ctx context.Context, p *store.Part) error {
	p.State, p.SID, p.Former = store.PartNew, "", cmp.Or(p.SID, p.Former)
	if err := q.Store.SavePart(ctx, p); err != nil {
		return err
	}
	return q.setSend(ctx, p, "", store.SendFrozen)
}

// shorter cuts a line into parts of half the length, once: Twilio counts some
// characters more than once (https://www.twilio.com/docs/api/errors/21617).
func (q *Queue) shorter(ctx context.Context, p *store.Part) (bool, error) {
	parts, err := q.Store.Parts(ctx, p.Line, p.Phone)
	if err != nil || slices.ContainsFunc(parts, func(p *store.Part) bool { return p.SID != "" }) {
		return false, err
	}
	sends, err := q.Store.Sends(ctx, p.Line)
	if err != nil {
		return false, err
	}
	for _, s := range sends {
		if s.Phone != p.Phone || s.Short {
			continue
		}
		if err := q.Store.DeleteParts(ctx, p.Line, p.Phone); err != nil {
			return false, err
		}
		s.State, s.Short = store.SendWaiting, true
		return true, q.Store.SaveSend(ctx, s)
	}
	return false, nil
}

// failed notes that a part never arrives, and has that said.
func (q *Queue) failed(ctx context.Context, p *store.Part, failure *whatsapp.Error) error {
	p.State = "failed"
	if err := q.Store.SavePart(ctx, p); err != nil {
		return err
	}
	why := failure.Sentence()
	h, err := q.Store.Handoff(ctx, p.Number)
	if h == nil || err != nil {
		return err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	if p.Template() {
		return q.Relay.Apply(ctx, h, desk.Failed(h, handoff.Line{Number: p.Number, Kind: handoff.LineAsk}, p.Phone, why, false))
	}
	line, err := q.Store.Line(ctx, p.Line)
	if err != nil {
		return err
	}
	sends, err := q.Store.Sends(ctx, p.Line)
	if err != nil {
		return err
	}
	everywhere := true
	for _, s := range sends {
		switch {
		case s.Phone == p.Phone && s.State == store.SendFailed:
			return nil // another part of it failed before, and that was said
		case s.Phone == p.Phone:
			s.State = store.SendFailed
			if err := q.Store.SaveSend(ctx, s); err != nil {
				return err
			}
		case s.State != store.SendFailed && s.State != store.SendDropped:
			everywhere = false
		}
	}
	return q.Relay.Apply(ctx, h, desk.Failed(h, line.Line, p.Phone, why, everywhere))
}
