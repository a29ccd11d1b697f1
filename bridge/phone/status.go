package phone

import (
	"context"
	"strconv"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// TimerRetry brings Retry; its argument is the part's id.
const TimerRetry effect.TimerKind = "whatsapp retry"

// Retries of a part that WhatsApp did not take for the moment.
const (
	retries    = 3
	retryAfter = time.Minute // times how often it came back
)

// Retry brings a part back that WhatsApp did not take for the moment.
func (q *Queue) Retry(ctx context.Context, arg string) error {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil {
		return err
	}
	p, err := q.Store.Part(ctx, id)
	if p == nil || err != nil || p.State != "failed" {
		return err
	}
	if err := q.again(ctx, p); err != nil {
		return err
	}
	return q.Rest(ctx, p.Phone)
}

// Status merges news of a part from Twilio, in whatever order they come.
func (q *Queue) Status(ctx context.Context, s whatsapp.Status) error {
	p, err := q.partOf(ctx, s)
	if p == nil || err != nil {
		return err
	}
	if p.SID == "" && s.Status != whatsapp.StatusUnknown { // the callback is faster than the answer to the request
		if err := q.sent(ctx, p, s.MessageSID, s.Status); err != nil {
			return err
		}
		p.State = "accepted"
	}
	if s.Status == whatsapp.StatusUnknown {
		return q.unknown(ctx, p)
	}
	old := p.State
	p.State = whatsapp.Merge(old, s.Status)
	switch failure := s.Err(); {
	case p.State == old:
		return nil
	case whatsapp.Rank(p.State) != whatsapp.Rank("failed"):
		if whatsapp.Rank(p.State) >= whatsapp.Rank("sent") {
			if err := q.works(ctx, p, true); err != nil {
				return err
			}
		}
		if err := q.Store.SavePart(ctx, p); err != nil || p.State != "read" {
			return err
		}
		return q.Relay.Read(ctx, p)
	case failure.Class == whatsapp.Window && !p.Template():
		p.Code = s.ErrorCode
		if err := q.closed(ctx, p); err != nil {
			return err
		}
		return q.Rest(ctx, p.Phone)
	case failure.Class == whatsapp.Account: // nothing is wrong with the message
		p.Code = s.ErrorCode
		if err := q.again(ctx, p); err != nil {
			return err
		}
		if err := q.Broke(ctx, failure, true); err != nil {
			return err
		}
		return q.Rest(ctx, p.Phone)
	case failure.Remedy == whatsapp.TextOnly && p.File != "":
		p.Code = s.ErrorCode
		if err := q.unfile(ctx, p, failure); err != nil {
			return err
		}
		return q.Rest(ctx, p.Phone)
	case failure.Class == whatsapp.Retry && p.Returned < retries:
		p.Code, p.State, p.Returned = s.ErrorCode, "failed", p.Returned+1
		if err := q.Store.SavePart(ctx, p); err != nil {
			return err
		}
		at := q.Store.Now().Add(time.Duration(p.Returned) * retryAfter)
		return q.Store.Do(ctx, effect.Effect{Timer: &effect.Timer{At: at, Kind: TimerRetry, Key: "phone:" + p.Phone, Arg: strconv.FormatInt(p.ID, 10)}})
	default:
		p.Code = s.ErrorCode
		return q.failed(ctx, p, failure)
	}
}

// partOf finds the part that a status is about: by Twilio's id or, while we have
// not read that, by our reference.
func (q *Queue) partOf(ctx context.Context, s whatsapp.Status) (*store.Part, error) {
	p, err := q.Store.PartBySID(ctx, s.MessageSID)
	if p != nil || err != nil {
		return p, err
	}
	id, err := strconv.ParseInt(s.Ref, 10, 64)
	if err != nil {
		return nil, nil
	}
	p, err = q.Store.Part(ctx, id)
	if p == nil || p.SID != "" || p.State != store.PartTrying || p.Former == s.MessageSID {
		return nil, err
	}
	return p, nil
}

// unknown notes that Twilio never told the end of a message, and has that said, once
// for a line. It may have arrived; if news of it come at last, they count.
func (q *Queue) unknown(ctx context.Context, p *store.Part) error {
	if rank := whatsapp.Rank(p.State); rank == 0 || rank >= whatsapp.Rank("delivered") {
		return nil
	}
	p.State = whatsapp.StatusUnknown
	if err := q.Store.SavePart(ctx, p); err != nil || p.Template() {
		return err
	}
	line, err := q.Store.Line(ctx, p.Line)
	if line == nil || err != nil {
		return err
	}
	parts, err := q.Store.Parts(ctx, p.Line, p.Phone)
	if err != nil {
		return err
	}
	if n := len(inState(parts, whatsapp.StatusUnknown)); n > 1 {
		return nil // said of another part of it
	}
	h, err := q.Store.Handoff(ctx, p.Number)
	if h == nil || err != nil {
		return err
	}
	desk, err := q.Relay.Desk(ctx)
	if err != nil {
		return err
	}
	return q.Relay.Apply(ctx, h, desk.Unknown(h, line.Line, p.Phone))
}
