package relay

import (
	"context"
	"slices"
	"strconv"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// TimerRetry brings Retry; its argument is the part's id.
const TimerRetry effect.TimerKind = "whatsapp retry"

// Retries of a part that WhatsApp did not take for the moment.
const (
	retries    = 3
	retryAfter = time.Minute // times the number of tries
)

// Retry sends a part anew that WhatsApp did not take for the moment.
func (r *Relay) Retry(ctx context.Context, part string) error {
	id, err := strconv.ParseInt(part, 10, 64)
	if err != nil {
		return nil
	}
	p, err := r.Store.Part(ctx, id)
	if p == nil || err != nil || p.State != "failed" {
		return err
	}
	if err := r.again(ctx, p); err != nil {
		return err
	}
	return r.Store.Do(ctx, effect.Effect{WhatsApp: &effect.WhatsApp{Line: p.Line, To: p.Phone}})
}

// Status merges news of a part from Twilio, in whatever order they come.
func (r *Relay) Status(ctx context.Context, s whatsapp.Status) error {
	p, err := r.partOf(ctx, s)
	if p == nil || err != nil {
		return err
	}
	if p.SID == "" { // the callback is faster than the answer to the request
		if err := r.sent(ctx, p, s.MessageSID, s.Status); err != nil {
			return err
		}
		p.State = "accepted"
	}
	old := p.State
	p.State = whatsapp.Merge(old, s.Status)
	switch failure := s.Err(); {
	case p.State == old:
		return nil
	case whatsapp.Rank(p.State) != whatsapp.Rank("failed"):
		if err := r.Store.SavePart(ctx, p); err != nil || p.State != "read" {
			return err
		}
		return r.read(ctx, p)
	case failure.Class == whatsapp.Window && !p.Template():
		p.Code = s.ErrorCode
		if err := r.closed(ctx, p); err != nil {
			return err
		}
		return r.Store.Do(ctx, effect.Effect{WhatsApp: &effect.WhatsApp{Line: p.Line, To: p.Phone}})
	case failure.Class == whatsapp.Retry && !p.Template() && p.Attempts < retries:
		p.Code, p.State = s.ErrorCode, "failed"
		if err := r.Store.SavePart(ctx, p); err != nil {
			return err
		}
		at := r.Store.Now().Add(time.Duration(p.Attempts) * retryAfter)
		return r.Store.Do(ctx, effect.Effect{Timer: &effect.Timer{At: at, Kind: TimerRetry, Key: "phone:" + p.Phone, Arg: strconv.FormatInt(p.ID, 10)}})
	default:
		p.Code = s.ErrorCode
		return r.failed(ctx, p, failure)
	}
}

// partOf finds the part that a status is about: by Twilio's id or, while we have
// not read that, by our reference.
func (r *Relay) partOf(ctx context.Context, s whatsapp.Status) (*store.Part, error) {
	p, err := r.Store.PartBySID(ctx, s.MessageSID)
	if p != nil || err != nil {
		return p, err
	}
	id, err := strconv.ParseInt(s.Ref, 10, 64)
	if err != nil {
		return nil, nil
	}
	p, err = r.Store.Part(ctx, id)
	if p == nil || p.SID != "" || p.State != store.PartTrying || p.Former == s.MessageSID {
		return nil, err
	}
	return p, nil
}

// read puts the ghost's receipt on a message that an agent has read on WhatsApp, in
// lanes where the ghost has joined.
func (r *Relay) read(ctx context.Context, p *store.Part) error {
	if p.Template() || p.Part != p.Parts {
		return nil
	}
	line, err := r.Store.Line(ctx, p.Line)
	if line == nil || line.Source == "" || err != nil {
		return err
	}
	h, err := r.Store.Handoff(ctx, p.Number)
	if h == nil || h.Direct || h.Project == "" || err != nil {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	a := desk.Agent(p.Phone)
	if a == nil {
		return nil
	}
	ghost, err := r.ghost(ctx, desk, h, &handoff.Owner{Kind: handoff.OnWhatsApp, ID: a.Phone, Name: a.Name})
	if err != nil {
		return err
	}
	pr, err := r.Store.Project(ctx, h.Project)
	if pr == nil || err != nil {
		return err
	}
	in := func(g project.Guest) bool { return g.User == ghost.User && g.Lane == h.Lane }
	if !slices.ContainsFunc(pr.Guests, in) {
		return nil
	}
	return r.Store.Do(ctx, effect.Effect{Receipt: &effect.Receipt{Room: h.Room, As: ghost.User, Event: effect.Ref(line.Source)}})
}
