package relay

import (
	"context"
	"errors"
	"strings"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/handoff"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/text"
	"lanekeeper/bridge/whatsapp"
)

// toldEvery bounds how often staff hear of the same stranger.
const toldEvery = 24 * time.Hour

// Inbound takes a message from WhatsApp, once for each MessageSid.
func (r *Relay) Inbound(ctx context.Context, in whatsapp.Inbound) error {
	number, err := r.sender(ctx, in)
	if err != nil {
		return err
	}
	fresh, err := r.Store.SaveWhatsApp(ctx, in.MessageSID, number)
	if err != nil || !fresh {
		return err
	}
	if r.Came != nil {
		queue.AfterCommit(ctx, r.Store.DB, r.Came)
	}
	a := r.agent(number)
	if a == nil {
		return r.stranger(ctx, number)
	}
	opening, err := r.opened(ctx, a.Phone, in)
	if err != nil {
		return err
	}
	in.From = number // of who hides it, too
	if done, err := r.optedOut(ctx, a, in); done || err != nil {
		return err
	}
	desk, err := r.desk(ctx)
	if err != nil {
		return err
	}
	return r.route(ctx, desk, a, in, opening)
}

// sender is the number that a message came from. Who hides it is known by
// WhatsApp's own id, if they wrote with both before.
func (r *Relay) sender(ctx context.Context, in whatsapp.Inbound) (string, error) {
	if in.From != "" || in.ExternalUserID == "" {
		return in.From, nil
	}
	number, err := r.Store.PhoneOf(ctx, in.ExternalUserID)
	if number == "" && err == nil {
		number = in.ExternalUserID
	}
	return number, err
}

// strangersADay is how many notices of unknown numbers staff get in a day, at most.
const strangersADay = 20

// stranger tells staff that somebody wrote who is no agent; they get no answer. Anybody
// can write from a new number, so all of them together have a limit, too, and what is
// remembered of them is no more than was told.
func (r *Relay) stranger(ctx context.Context, number string) error {
	p, err := r.Store.Phone(ctx, number)
	if err != nil || (!p.Told.IsZero() && r.Store.Now().Before(p.Told.Add(toldEvery))) {
		return err
	}
	over, first, err := r.Store.Spend(ctx, "", store.MeterStrangers, r.Store.Now(), toldEvery, strangersADay)
	switch {
	case err != nil || over && !first:
		return err
	case first:
		return r.tellStaff(ctx, text.StrangersForStaff(strangersADay))
	}
	p.Told = r.Store.Now()
	if err := r.Store.SavePhone(ctx, p); err != nil {
		return err
	}
	return r.tellStaff(ctx, text.StrangerForStaff(number))
}

func (r *Relay) tellStaff(ctx context.Context, w text.Words) error {
	return r.Store.Do(ctx, effect.Effect{Message: &effect.Message{To: effect.Place{SuperAdmin: true}, Content: w.Notice()}})
}

// opened notes that a phone's 24 hours begin again and sends on what waited for
// that. opening says that they were over, or never began.
func (r *Relay) opened(ctx context.Context, phone string, in whatsapp.Inbound) (opening bool, err error) {
	at := r.Store.Now()
	if in.Listed && !in.Sent.IsZero() && in.Sent.Before(at) {
		at = in.Sent
	}
	p, err := r.Store.Phone(ctx, phone)
	if err != nil {
		return false, err
	}
	opening = !open(p, at)
	if at.After(p.Inbound) {
		p.Inbound = at
	}
	if in.From != "" && in.ExternalUserID != "" {
		p.UserID = in.ExternalUserID
	}
	p.Template, p.About, p.Refused = time.Time{}, 0, ""
	p.Told = time.Time{} // no stranger, whatever they were before
	if err := r.Store.SavePhone(ctx, p); err != nil {
		return false, err
	}
	queue.AfterCommit(ctx, r.Store.DB, func() { r.Store.Queue.Wake(store.QueueWhatsApp, phone) })
	return opening, nil
}

// errUnderWay puts a message off that may be about one whose id Twilio has not told us
// yet: an agent can be faster than Twilio's answer to the request.
var errUnderWay = errors.New("the message that it is about may be one that is just being sent")

// soon is how long a request to Twilio may be under way when its message is answered.
const soon = 10 * time.Second

// settled gives errUnderWay while something is being sent to a phone.
func (r *Relay) settled(ctx context.Context, phone string) error {
	sending, err := r.Store.SendingSince(ctx, phone, r.Store.Now().Add(-soon))
	if err == nil && sending {
		err = errUnderWay
	}
	return err
}

// quoted finds what a message quotes.
func (r *Relay) quoted(ctx context.Context, phone, sid string) (number int64, source string, err error) {
	if number, source, err = r.Store.Quoted(ctx, sid); number != 0 || err != nil {
		return number, source, err
	}
	return 0, source, r.settled(ctx, phone)
}

// route finds out what a message is for, and has that done.
func (r *Relay) route(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, in whatsapp.Inbound, opening bool) error {
	msg := handoff.Incoming{
		Phone: a.Phone, Body: in.Body, At: r.written(in), Quotes: in.Quoted != "", Button: in.ButtonPayload,
		Opening: opening, Listed: in.Listed, File: in.NumMedia > 0 || len(in.Media) > 0 || in.Location != nil,
	}
	if in.Body == "" && in.ButtonPayload == "" && in.ButtonText != "" {
		msg.Button = in.ButtonText
	}
	quoted := ""
	if in.Quoted != "" {
		var err error
		if msg.Quoted, quoted, err = r.quoted(ctx, a.Phone, in.Quoted); err != nil {
			return err
		}
	}
	kept, err := r.kept(ctx, a, in, &msg)
	if err != nil {
		return err
	}
	if done, err := r.numbered(ctx, desk, a, in, msg, kept); done || err != nil {
		return err
	}
	// What names its handoff itself, as most messages do, needs no look at others.
	to := desk.Find(msg, nil)
	if to.Number == 0 && (to.Verb == handoff.Nothing || to.Verb == handoff.Unclear) {
		if err := r.settled(ctx, a.Phone); err != nil {
			return err
		}
		known, err := r.candidates(ctx, desk, a.Phone)
		if err != nil {
			return err
		}
		to = desk.Find(msg, known)
	}
	if to, err = r.album(ctx, in, msg, to); err != nil {
		return err
	}
	if much, err := r.tooMuch(ctx, a, in, to); much || err != nil {
		return err
	}
	switch to.Verb {
	case handoff.Empty:
		return nil
	case handoff.Helps:
		return r.tell(ctx, a, text.HelpForAgent(desk.ReadyNames()))
	case handoff.Nothing:
		return r.tell(ctx, a, text.NoneOpenForAgent())
	case handoff.Lists, handoff.Unclear, handoff.Doubtful, handoff.Opens:
		return r.choose(ctx, desk, a, in, msg, kept, to.Verb)
	case handoff.Shows:
		return r.show(ctx, desk, a, to.Number)
	case handoff.Statuses:
		return r.status(ctx, desk, a, to.Number)
	}
	h, err := r.Store.Handoff(ctx, to.Number)
	if err != nil {
		return err
	}
	if h == nil {
		return r.unknown(ctx, a, to.Number)
	}
	if to.Verb == handoff.Answers {
		sent, err := r.agentSays(ctx, desk, h, a, in, msg, to, quoted)
		if !sent || err != nil {
			return err
		}
		return r.replaced(ctx, a, kept, to)
	}
	return r.agentDoes(ctx, desk, h, a, to.Verb)
}

// tooMuch reports whether an agent says or wants more than one person may, which they
// are told once. A phone that answers by itself to all it gets would never end.
func (r *Relay) tooMuch(ctx context.Context, a *handoff.Agent, in whatsapp.Inbound, to handoff.Route) (bool, error) {
	kind, limit := store.MeterCommands, r.Limits.Commands
	switch to.Verb {
	case handoff.Empty:
		return false, nil
	case handoff.Answers:
		kind, limit = store.MeterWords, r.Limits.Words
	}
	at := r.Store.Now()
	if !in.Sent.IsZero() {
		at = in.Sent
	}
	over, first, err := r.Store.Spend(ctx, a.Phone, kind, at, time.Minute, limit)
	if err != nil || !first {
		return over, err
	}
	return true, r.tell(ctx, a, text.TooMuchForAgent(limit))
}

// tell answers an agent about no handoff in particular.
func (r *Relay) tell(ctx context.Context, a *handoff.Agent, words string) error {
	_, err := r.told(ctx, a, words)
	return err
}

// told is tell; it gives the id of the line, 0 if its agent wants none.
func (r *Relay) told(ctx context.Context, a *handoff.Agent, words string) (int64, error) {
	if p, err := r.Store.Phone(ctx, a.Phone); err != nil || !p.Stopped.IsZero() {
		return 0, err
	}
	lines := []handoff.Line{{Kind: handoff.LineTold, Head: words, To: []string{a.Phone}}}
	ids, err := r.lines(ctx, lines)
	if err != nil {
		return 0, err
	}
	return ids[0], r.put(ctx, lines, ids)
}

func (r *Relay) unknown(ctx context.Context, a *handoff.Agent, n int64) error {
	return r.tell(ctx, a, text.UnknownForAgent(n))
}

// show answers a tap on "Show": what waits comes by itself. Where nothing does, or the
// one that was tapped is closed or another's by now, the agent reads that.
func (r *Relay) show(ctx context.Context, desk *handoff.Desk, a *handoff.Agent, n int64) error {
	h, err := r.Store.Handoff(ctx, n)
	if err != nil {
		return err
	}
	over := h != nil && h.Leaves && (h.State == handoff.Closed || h.State == handoff.Taken && !desk.OwnsByPhone(h, a.Phone))
	if !over {
		if waits, err := r.Store.Waits(ctx, a.Phone); waits || err != nil {
			return err
		}
	}
	if h == nil {
		return r.unknown(ctx, a, n)
	}
	return r.apply(ctx, h, desk.Shown(h, a))
}

// agentSays carries an answer; sent is false if it went to staff alone, or to nobody.
func (r *Relay) agentSays(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, a *handoff.Agent, in whatsapp.Inbound, msg handoff.Incoming, to handoff.Route, quoted string) (sent bool, err error) {
	at := handoff.Origin{Phone: true, Handoff: h.Number}
	to.Words, _ = desk.Said(h, a.Name, markup.Visible(to.Words))
	came := files(in)
	to.Words = named(came, to.Words)
	s := handoff.Said{Event: in.MessageSID, User: a.Phone, Name: a.Name, At: at, Words: markup.FromWhatsApp(to.Words), Markup: to.Words, File: msg.File, ReplyTo: quoted, Files: came, Place: spot(in)}
	if strings.TrimSpace(to.Words) == "" {
		s.Words = text.Words{}
	}
	owner := h.Owner
	if h.State == handoff.Open || desk.Orphan(h) {
		owner = &handoff.Owner{Kind: handoff.OnWhatsApp, ID: a.Phone, Name: a.Name}
	}
	ghost, err := r.ghost(ctx, desk, h, owner)
	if err != nil {
		return false, err
	}
	if desk.Absent, err = r.absent(ctx, h); err != nil {
		return false, err
	}
	if err := r.got(ctx, desk, h); err != nil {
		return false, err
	}
	dec, sent := desk.AgentSays(h, a, s, ghost, to.Confirm)
	body := ""
	if sent {
		body = to.Words
	}
	if err := r.Store.RoutedWhatsApp(ctx, in.MessageSID, h.Number, body); err != nil {
		return false, err
	}
	return sent, r.apply(ctx, h, dec)
}

func (r *Relay) agentDoes(ctx context.Context, desk *handoff.Desk, h *handoff.Handoff, a *handoff.Agent, verb handoff.Verb) error {
	before, err := r.soFar(ctx, h)
	if err != nil {
		return err
	}
	var dec handoff.Decision
	switch verb {
	case handoff.Takes:
		var refused *project.Error
		if err := r.mayWake(ctx, h); errors.As(err, &refused) {
			return r.apply(ctx, h, desk.RefusedRemoved(h, a))
		} else if err != nil {
			return err
		}
		if err := r.got(ctx, desk, h); err != nil {
			return err
		}
		sent, err := r.Store.WasSent(ctx, h.Number, a.Phone)
		if err != nil {
			return err
		}
		if sent && h.State != handoff.Closed {
			before = nil // they have it on their phone
		}
		dec = desk.TakeByPhone(h, a, before)
	case handoff.Passes:
		dec = desk.Pass(h, a, before)
	case handoff.Closes:
		if h.Billed, err = r.Store.Billed(ctx, h.Number); err != nil {
			return err
		}
		dec = desk.Done(h, a)
	}
	return r.apply(ctx, h, dec)
}
