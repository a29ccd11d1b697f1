package relay

import (
	"context"
	"time"

	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/whatsapp"
)

// keep keeps an answer until its agent says for whom it is.
func (r *Relay) keep(ctx context.Context, a *handoff.Agent, in whatsapp.Inbound) error {
	return r.Store.KeepAnswer(ctx, a.Phone, store.Kept{SID: in.MessageSID, Body: in.Body, At: r.written(in)})
}

// written is when a message was written: one that is found by listing may be old.
func (r *Relay) written(in whatsapp.Inbound) time.Time {
	now := r.Store.Now()
	if in.Sent.IsZero() || in.Sent.After(now) {
		return now
	}
	return in.Sent
}

// sendKept sends the answer that was kept to the handoff of a number, as if its agent
// had written the number before it. A number that comes too late, or was written
// before, sends nothing: it is asked about, as an answer it would be a guess.
func (r *Relay) sendKept(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, in whatsapp.Inbound, kept *store.Kept, n int64) error {
	to := handoff.Route{Verb: handoff.Answers, Number: n, Words: kept.Body, Confirm: true}
	if much, err := r.tooMuch(ctx, a, in, to); much || err != nil {
		return err
	}
	msg := handoff.Incoming{Phone: a.Phone, Body: in.Body}
	if at := r.written(in); at.Before(kept.At) || !at.Before(kept.At.Add(handoff.KeptFor)) {
		return r.choose(ctx, desk, a, in, msg, handoff.Unclear)
	}
	h, err := r.Store.Handoff(ctx, n)
	if err != nil {
		return err
	}
	if h == nil {
		return r.unknown(ctx, a, n)
	}
	if err := r.Store.RoutedWhatsApp(ctx, in.MessageSID, n, ""); err != nil { // quoted, it is about that one
		return err
	}
	in.MessageSID = kept.SID
	return r.agentSays(ctx, desk, h, a, in, msg, to, "")
}
