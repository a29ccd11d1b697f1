package relay

import (
	"context"
	"slices"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// TimerKept brings KeptOver; its argument is the agent's number.
const TimerKept effect.TimerKind = "kept words"

func keptKey(phone string) string { return "kept:" + phone }

// KeptOver ends what is kept of an agent's words when its time is over. A clock that was
// set back brings it early: it waits on then.
func (r *Relay) KeptOver(ctx context.Context, phone string) error {
	k, err := r.Store.Kept(ctx, phone)
	switch {
	case err != nil || !k.Waits():
		return err
	case !k.Over(r.Store.Now()):
		return r.saveKept(ctx, phone, k)
	}
	return r.endKept(ctx, phone, k, handoff.LateFor)
}

// saveKept writes what is kept of an agent's words, and sets the one timer for its end.
func (r *Relay) saveKept(ctx context.Context, phone string, k *handoff.Kept) error {
	if err := r.Store.Queue.Cancel(ctx, store.QueueIn, keptKey(phone)); err != nil {
		return err
	}
	if k.Waits() {
		if err := r.Store.Do(ctx, effect.Effect{Timer: &effect.Timer{At: k.Until, Kind: TimerKept, Key: keptKey(phone), Arg: phone}}); err != nil {
			return err
		}
	}
	return r.Store.SaveKept(ctx, phone, k)
}

// endKept ends words that went to nobody, which their agent reads; until then numbers
// that were offered for them are no words.
func (r *Relay) endKept(ctx context.Context, phone string, k *handoff.Kept, still time.Duration) error {
	begins := k.Begins()
	k.End(0, r.Store.Now().Add(still))
	if err := r.saveKept(ctx, phone, k); err != nil {
		return err
	}
	a := r.agent(phone)
	if a == nil {
		return nil // there is nobody to tell
	}
	return r.tell(ctx, a, text.NoLongerKeptForAgent(begins))
}

// kept is what is kept of an agent's words when a message comes: the timer of words whose
// time is over may be later than that. It notes whether the message quotes them, or a
// question for their number.
func (r *Relay) kept(ctx context.Context, a *handoff.Agent, in whatsapp.Inbound, msg *handoff.Incoming) (*handoff.Kept, error) {
	k, err := r.Store.Kept(ctx, a.Phone)
	if k == nil || err != nil {
		return nil, err
	}
	if last := r.Store.Now().Add(handoff.LateFor); k.Until.After(last) { // the clock was set back since
		k.Until = r.Store.Now()
	}
	if k.Over(msg.At) {
		if err := r.endKept(ctx, a.Phone, k, handoff.LateFor); err != nil {
			return nil, err
		}
	}
	if !msg.Quotes || msg.Quoted != 0 {
		return k, nil
	}
	said, err := r.Store.PartBySID(ctx, in.Quoted)
	msg.QuotesKept = said != nil && said.Line == k.Line || slices.Contains(k.SIDs, in.Quoted)
	return k, err
}

// written is when a message was written, as far as that is known.
func (r *Relay) written(in whatsapp.Inbound) time.Time {
	at, now := in.Came, r.Store.Now()
	if in.Listed {
		at = in.Sent
	}
	if at.IsZero() || at.After(now) {
		return now
	}
	return at
}

// numbered does what a number alone means for words that are kept; done is false where
// the message means nothing for them.
func (r *Relay) numbered(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, in whatsapp.Inbound, msg handoff.Incoming, k *handoff.Kept) (done bool, err error) {
	meaning, n := k.Read(msg)
	if meaning == handoff.Aside {
		return false, nil
	}
	to := handoff.Route{Verb: handoff.Unclear}
	if meaning == handoff.Chooses {
		to = handoff.Route{Verb: handoff.Answers, Number: n, Words: k.Body, Confirm: true}
	}
	if much, err := r.tooMuch(ctx, a, in, to); much || err != nil {
		return true, err
	}
	switch meaning {
	case handoff.Spent:
		if k.Spend(n) {
			if err := r.saveKept(ctx, a.Phone, k); err != nil {
				return true, err
			}
		}
		return true, r.tell(ctx, a, text.SpentForAgent(n, k.Sent))
	case handoff.Early:
		// Its question may be on its way: only what Twilio has is told from what is not.
		if err := r.settled(ctx, a.Phone); err != nil {
			return true, err
		}
		return true, r.askAgain(ctx, desk, a, k, text.EarlyForAgent(n))
	}
	h, err := r.Store.Handoff(ctx, n)
	if err != nil {
		return true, err
	}
	if h != nil {
		if desk.Absent, err = r.absent(ctx, h); err != nil {
			return true, err
		}
	}
	switch why := desk.Bars(n, h, a); {
	case why != "":
		return true, r.askAgain(ctx, desk, a, k, why)
	case meaning == handoff.Astray:
		return true, r.askAgain(ctx, desk, a, k, text.NotOfferedForAgent(n), n)
	}
	return true, r.sendKept(ctx, desk, h, a, in, msg, k, to)
}

// sendKept sends words that were kept, as if their agent had written them after the number.
// Whoever quotes one of their messages, or the number, means the same handoff.
func (r *Relay) sendKept(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, a *handoff.Agent, in whatsapp.Inbound, msg handoff.Incoming, k *handoff.Kept, to handoff.Route) error {
	for _, sid := range append(slices.Clone(k.SIDs), in.MessageSID) {
		if err := r.Store.RoutedWhatsApp(ctx, sid, h.Number, ""); err != nil {
			return err
		}
	}
	in.MessageSID = k.SIDs[0]
	sent, err := r.agentSays(ctx, desk, h, a, in, msg, to, "")
	if !sent || err != nil {
		return err
	}
	k.End(h.Number, r.Store.Now().Add(handoff.KeptFor))
	return r.saveKept(ctx, a.Phone, k)
}

// keep keeps an answer, behind what is kept already, until its agent says for whom it is.
func (r *Relay) keep(ctx context.Context, a *handoff.Agent, in whatsapp.Inbound, k *handoff.Kept, list []text.Choice) error {
	if k == nil {
		k = &handoff.Kept{}
	}
	now, first := r.Store.Now(), !k.Waits()
	switch added := k.Add(in.MessageSID, in.Body, now); {
	case first:
		return r.offer(ctx, a, k, list, text.WhichKeptForAgent(list, now))
	case !added:
		return r.offer(ctx, a, k, list, text.StillKeptForAgent(text.TooLongForAgent(), k.Begins(), list, now))
	}
	return r.offer(ctx, a, k, list, text.AddedForAgent(k.Begins(), list, now))
}

// askAgain asks for the number of what is kept once more; why says what the last one was,
// named are those that it offers beside the listed ones.
func (r *Relay) askAgain(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, k *handoff.Kept, why string, named ...int64) error {
	list, err := r.choices(ctx, desk, a.Phone)
	if err != nil {
		return err
	}
	return r.offer(ctx, a, k, list, text.StillKeptForAgent(why, k.Begins(), list, r.Store.Now()), named...)
}

// lists shows an agent what they can choose from for something else than what is kept,
// and says that this is.
func (r *Relay) lists(ctx context.Context, a *handoff.Agent, k *handoff.Kept, list []text.Choice, words string) error {
	if !k.Waits() || len(list) == 0 {
		return r.tell(ctx, a, words)
	}
	return r.offer(ctx, a, k, list, words+"\n"+text.KeepingForAgent(k.Begins()))
}

// offer tells an agent from which numbers they can choose for what is kept: those of a
// list, and some that the words name.
func (r *Relay) offer(ctx context.Context, a *handoff.Agent, k *handoff.Kept, list []text.Choice, words string, named ...int64) error {
	line, err := r.told(ctx, a, words)
	if err != nil {
		return err
	}
	k.Offer(line, append(text.Offered(list), named...))
	return r.saveKept(ctx, a.Phone, k)
}

// replaced ends what is kept when its agent answers in another way. Who only repeated it
// has nothing to read about that.
func (r *Relay) replaced(ctx context.Context, a *handoff.Agent, k *handoff.Kept, to handoff.Route) error {
	switch {
	case !k.Waits():
		return nil
	case strings.TrimSpace(to.Words) == k.Body:
		k.End(to.Number, r.Store.Now().Add(handoff.KeptFor))
		return r.saveKept(ctx, a.Phone, k)
	}
	return r.endKept(ctx, a.Phone, k, handoff.KeptFor)
}
