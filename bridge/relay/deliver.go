package relay

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
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
func (r *Relay) Turn(ctx context.Context, w effect.WhatsApp) (Turn, error) {
	if err := r.unhold(ctx, w); err != nil {
		return Turn{}, err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return Turn{}, err
	}
	for {
		send, err := r.Store.NextSend(ctx, w.To)
		if send == nil || err != nil {
			return Turn{}, err
		}
		line, err := r.Store.Line(ctx, send.Line)
		if err != nil {
			return Turn{}, err
		}
		parts, err := r.Store.Parts(ctx, send.Line, w.To)
		if err != nil {
			return Turn{}, err
		}
		var h *handoff.Handoff
		if line.Number != 0 {
			if h, err = r.Store.Handoff(ctx, line.Number); err != nil {
				return Turn{}, err
			}
		}
		if h != nil {
			line.Keep(h)
		}
		if !begun(parts) && !wants(desk, h, line, w.To) {
			send.State = store.SendDropped
			if err := r.Store.SaveSend(ctx, send); err != nil {
				return Turn{}, err
			}
			continue
		}
		return r.turn(ctx, desk, h, line, send, parts)
	}
}

// unhold gives a line that was kept for a failure its place.
func (r *Relay) unhold(ctx context.Context, w effect.WhatsApp) error {
	l, err := r.Store.Line(ctx, w.Line)
	if l == nil || err != nil || !l.Held || l.Kind != handoff.LineTold {
		return err
	}
	if err := r.Store.ReleaseLine(ctx, l.ID); err != nil {
		return err
	}
	return r.Store.AddSends(ctx, l.ID, []string{w.To})
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

func (r *Relay) turn(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, send *store.Send, parts []*store.Part) (Turn, error) {
	if trying := inState(parts, store.PartTrying); len(trying) > 0 && !desk.Windows[send.Phone] {
		return Turn{Parts: trying, Wait: true}, nil // first find out what became of it
	}
	if !desk.Windows[send.Phone] {
		return r.wake(ctx, desk, h, line, send.Phone)
	}
	if !begun(parts) { // cut anew: the words may have changed since the last look
		if err := r.Store.DeleteParts(ctx, line.ID, send.Phone); err != nil {
			return Turn{}, err
		}
		limit := text.WhatsAppLimit
		if send.Short {
			limit /= 2
		}
		bodies := text.Split(line.Text(), func(part, of int) string { return handoff.Tag(line.Number, part, of) }, limit)
		var err error
		if parts, err = r.Store.AddParts(ctx, line.Number, line.ID, send.Phone, bodies); err != nil {
			return Turn{}, err
		}
		send.State = store.SendFrozen
		if err := r.Store.SaveSend(ctx, send); err != nil {
			return Turn{}, err
		}
	}
	return Turn{Parts: inState(parts, store.PartNew, store.PartTrying)}, nil
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
func (r *Relay) wake(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, line *store.Line, phone string) (Turn, error) {
	if !desk.Template {
		if h == nil {
			return Turn{Wait: true}, nil
		}
		dec := desk.Unreachable(h, phone)
		if len(dec.Effects) == 0 {
			return Turn{Wait: true}, nil
		}
		return Turn{Wait: true}, r.apply(ctx, h, dec)
	}
	pending, err := r.Store.PendingTemplate(ctx, phone)
	if err != nil {
		return Turn{}, err
	}
	if pending != nil {
		return Turn{Parts: []*store.Part{pending}, Wait: true}, nil
	}
	p, err := r.Store.Phone(ctx, phone)
	if err != nil {
		return Turn{}, err
	}
	if !p.Template.IsZero() && (p.About == line.Number || r.Store.Now().Before(p.Template.Add(wakeAgain))) {
		return Turn{Wait: true}, nil
	}
	part, err := r.Store.AddTemplate(ctx, line.Number, phone)
	return Turn{Parts: []*store.Part{part}, Wait: true}, err
}

// ErrChanged says that a part is not any more what its Turn said: its words were
// changed, or a late callback told that Twilio has it. The job asks for its Turn
// again.
var ErrChanged = errors.New("the part was changed meanwhile")

// Trying notes that a part is about to be sent; its outcome is unknown until
// LineSent or LineFailed.
func (r *Relay) Trying(ctx context.Context, p *store.Part) error {
	if known, err := r.Store.Part(ctx, p.ID); err != nil {
		return err
	} else if known == nil || known.State != p.State {
		return ErrChanged
	}
	p.State, p.Started = store.PartTrying, r.Store.Now()
	p.Attempts++
	return r.Store.SavePart(ctx, p)
}

// LineSent notes that Twilio has a part: its id and first status.
func (r *Relay) LineSent(ctx context.Context, id int64, sid, status string) error {
	p, err := r.Store.Part(ctx, id)
	if p == nil || err != nil {
		return err
	}
	if p.SID != "" && p.SID != sid || p.Former == sid { // a callback was faster: it told of another try, or that this one failed
		return nil
	}
	return r.sent(ctx, p, sid, status)
}

func (r *Relay) sent(ctx context.Context, p *store.Part, sid, status string) error {
	fresh := p.SID == ""
	if p.State == store.PartNew || p.State == store.PartTrying {
		p.State = "accepted"
	}
	p.SID, p.State = sid, whatsapp.Merge(p.State, status)
	if err := r.Store.SavePart(ctx, p); err != nil || !fresh {
		return err
	}
	if p.Template() {
		phone, err := r.Store.Phone(ctx, p.Phone)
		if err != nil {
			return err
		}
		phone.Template, phone.About = r.Store.Now(), p.Number
		return r.Store.SavePhone(ctx, phone)
	}
	return r.finish(ctx, p)
}

// finish notes that Twilio has all parts of a line.
func (r *Relay) finish(ctx context.Context, p *store.Part) error {
	parts, err := r.Store.Parts(ctx, p.Line, p.Phone)
	if err != nil || slices.ContainsFunc(parts, func(p *store.Part) bool { return p.SID == "" }) {
		return err
	}
	return r.setSend(ctx, p, store.SendFrozen, store.SendDone)
}

// setSend changes the state of a part's line on its way to the phone, if it is the
// one expected ("" expects any).
func (r *Relay) setSend(ctx context.Context, p *store.Part, from, to string) error {
	sends, err := r.Store.Sends(ctx, p.Line)
	if err != nil {
		return err
	}
	for _, s := range sends {
		if s.Phone == p.Phone && (from == "" || s.State == from) {
			s.State = to
			return r.Store.SaveSend(ctx, s)
		}
	}
	return nil
}

// LineFailed notes that Twilio refused a part: it was not sent. again: the job goes
// on with Turn, which has something better to send.
func (r *Relay) LineFailed(ctx context.Context, id int64, failure *whatsapp.Error) (again bool, err error) {
	p, err := r.Store.Part(ctx, id)
	if p == nil || p.SID != "" || err != nil {
		return false, err
	}
	p.Code = failure.Code
	switch {
	case failure.Class == whatsapp.Window && !p.Template():
		return true, r.closed(ctx, p)
	case failure.Remedy == whatsapp.Shorter && !p.Template():
		if again, err = r.shorter(ctx, p); again || err != nil {
			return again, err
		}
	}
	return false, r.failed(ctx, p, failure)
}

// closed puts a part back: the phone's window is closed.
func (r *Relay) closed(ctx context.Context, p *store.Part) error {
	phone, err := r.Store.Phone(ctx, p.Phone)
	if err != nil {
		return err
	}
	phone.Inbound = time.Time{}
	if err := r.Store.SavePhone(ctx, phone); err != nil {
		return err
	}
	return r.again(ctx, p)
}

// again makes a part wait for its turn once more. Whatever is still told of the
// try that failed is no news.
func (r *Relay) again(ctx context.Context, p *store.Part) error {
	p.State, p.SID, p.Former = store.PartNew, "", cmp.Or(p.SID, p.Former)
	if err := r.Store.SavePart(ctx, p); err != nil {
		return err
	}
	return r.setSend(ctx, p, "", store.SendFrozen)
}

// shorter cuts a line into parts of half the length, once: Twilio counts some
// characters more than once (https://www.twilio.com/docs/api/errors/21617).
func (r *Relay) shorter(ctx context.Context, p *store.Part) (bool, error) {
	parts, err := r.Store.Parts(ctx, p.Line, p.Phone)
	if err != nil || slices.ContainsFunc(parts, func(p *store.Part) bool { return p.SID != "" }) {
		return false, err
	}
	sends, err := r.Store.Sends(ctx, p.Line)
	if err != nil {
		return false, err
	}
	for _, s := range sends {
		if s.Phone != p.Phone || s.Short {
			continue
		}
		if err := r.Store.DeleteParts(ctx, p.Line, p.Phone); err != nil {
			return false, err
		}
		s.State, s.Short = store.SendWaiting, true
		return true, r.Store.SaveSend(ctx, s)
	}
	return false, nil
}

// failed notes that a part never arrives, and has that said.
func (r *Relay) failed(ctx context.Context, p *store.Part, failure *whatsapp.Error) error {
	p.State = "failed"
	if err := r.Store.SavePart(ctx, p); err != nil {
		return err
	}
	why := failure.Sentence()
	h, err := r.Store.Handoff(ctx, p.Number)
	if h == nil || err != nil {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	if p.Template() {
		return r.apply(ctx, h, desk.Failed(h, handoff.Line{Number: p.Number, Kind: handoff.LineAsk}, p.Phone, why, false))
	}
	line, err := r.Store.Line(ctx, p.Line)
	if err != nil {
		return err
	}
	sends, err := r.Store.Sends(ctx, p.Line)
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
			if err := r.Store.SaveSend(ctx, s); err != nil {
				return err
			}
		case s.State != store.SendFailed && s.State != store.SendDropped:
			everywhere = false
		}
	}
	return r.apply(ctx, h, desk.Failed(h, line.Line, p.Phone, why, everywhere))
}
