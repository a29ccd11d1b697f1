package phone

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// ErrChanged says that a part is not any more what its Turn said: its words were
// changed, or a late callback told that Twilio has it. The job asks for its Turn
// again.
var ErrChanged = errors.New("the part was changed meanwhile")

// Trying notes that a part is about to be sent; its outcome is unknown until
// LineSent or LineFailed. It gives the part as it stands then: the one that Turn gave
// may be known to somebody else.
func (q *Queue) Trying(ctx context.Context, p *store.Part) (*store.Part, error) {
	now, err := q.Store.Part(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if now == nil || now.State != p.State || now.Attempts != p.Attempts {
		return nil, ErrChanged
	}
	now.State, now.Started = store.PartTrying, q.Store.Now()
	now.Attempts++
	return now, q.Store.SavePart(ctx, now)
}

// NotTaken notes that Twilio has certainly not taken a part that was tried: it waits
// to be tried again.
func (q *Queue) NotTaken(ctx context.Context, id int64) error {
	p, err := q.Store.Part(ctx, id)
	if p == nil || err != nil || p.State != store.PartTrying || p.SID != "" {
		return err
	}
	p.State = store.PartNew
	p.Attempts--
	return q.Store.SavePart(ctx, p)
}

// Restarted notes that the clock was set back since a part was tried: how long ago
// that was counts from now.
func (q *Queue) Restarted(ctx context.Context, id int64) error {
	p, err := q.Store.Part(ctx, id)
	now := q.Store.Now()
	if p == nil || err != nil || p.State != store.PartTrying || !p.Started.After(now) {
		return err
	}
	p.Started = now
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
	if err := q.works(ctx, p, false); err != nil {
		return err
	}
	return q.sent(ctx, p, sid, status)
}

func (q *Queue) sent(ctx context.Context, p *store.Part, sid, status string) error {
	fresh := p.SID == ""
	if p.State == store.PartNew || p.State == store.PartTrying {
		p.State = "accepted"
	}
	p.SID = sid
	if whatsapp.Rank(status) != whatsapp.Rank("failed") { // why it failed is told by its callback
		p.State = whatsapp.Merge(p.State, status)
	}
	if err := q.Store.SavePart(ctx, p); err != nil || !fresh {
		return err
	}
	if q.Took != nil {
		queue.AfterCommit(ctx, q.Store.DB, q.Took)
	}
	if p.Template() {
		phone, err := q.Store.Phone(ctx, p.Phone)
		if err != nil {
			return err
		}
		phone.Template, phone.About, phone.Refused = q.Store.Now(), p.Number, ""
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
	if err := q.setSend(ctx, p, store.SendFrozen, store.SendDone); err != nil {
		return err
	}
	return q.served(ctx, p)
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
	case failure.Remedy == whatsapp.TextOnly && p.File != "":
		return true, q.unfile(ctx, p, failure)
	case failure.Remedy == whatsapp.Shorter && !p.Template():
		if again, err = q.shorter(ctx, p); again || err != nil {
			return again, err
		}
	}
	return false, q.failed(ctx, p, failure)
}

// closed puts a part back: the phone's window is closed, unless the agent wrote since.
func (q *Queue) closed(ctx context.Context, p *store.Part) error {
	phone, err := q.Store.Phone(ctx, p.Phone)
	if err != nil {
		return err
	}
	if !phone.Inbound.After(p.Started) {
		phone.Inbound = time.Time{}
		if err := q.Store.SavePhone(ctx, phone); err != nil {
			return err
		}
	}
	return q.again(ctx, p)
}

// again makes a part wait for its turn once more. Whatever is still told of the
// try that failed is no news.
func (q *Queue) again(ctx context.Context, p *store.Part) error {
	p.State, p.SID, p.Former, p.Attempts = store.PartNew, "", cmp.Or(p.SID, p.Former), 0
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
	if p.Template() {
		return q.refused(ctx, p, failure)
	}
	return q.lost(ctx, p.Line, p.Number, p.Phone, failure.Sentence())
}

// lost notes that a line never reaches a phone as a whole, and has that said.
func (q *Queue) lost(ctx context.Context, id, number int64, phone, why string) error {
	h, err := q.Store.Handoff(ctx, number)
	if err != nil {
		return err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	line, err := q.Store.Line(ctx, id)
	if err != nil {
		return err
	}
	sends, err := q.Store.Sends(ctx, id)
	if err != nil {
		return err
	}
	everywhere := true
	for _, s := range sends {
		switch {
		case s.Phone == phone && s.State == store.SendFailed:
			return nil // another part of it failed before, and that was said
		case s.Phone == phone:
			s.State = store.SendFailed
			if err := q.Store.SaveSend(ctx, s); err != nil {
				return err
			}
		case s.State != store.SendFailed && s.State != store.SendDropped:
			everywhere = false
		}
	}
	if h == nil { // the bot's own words about none
		return nil
	}
	return q.Relay.Apply(ctx, h, desk.Failed(h, line.Line, phone, why, everywhere))
}

// refused notes that the template which wakes a phone does not arrive. Everything
// that waits for the phone waits on; in each handoff that says so once.
func (q *Queue) refused(ctx context.Context, p *store.Part, failure *whatsapp.Error) error {
	phone, err := q.Store.Phone(ctx, p.Phone)
	if err != nil || phone.Inbound.After(p.Started) { // the agent wrote since: nothing waits
		return err
	}
	phone.Template, phone.About, phone.Refused = q.Store.Now(), p.Number, failure.Sentence()
	if err := q.Store.SavePhone(ctx, phone); err != nil {
		return err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		waiting, err := q.Store.WaitingHandoffs(ctx, p.Phone, after, page)
		if err != nil {
			return err
		}
		for _, after = range waiting {
			h, err := q.Store.Handoff(ctx, after)
			if err != nil {
				return err
			}
			if err := q.unreachable(ctx, desk, h, p.Phone); err != nil {
				return err
			}
		}
		if len(waiting) < page {
			return nil
		}
	}
}

// page is how many handoffs are looked up at a time.
const page = 100
