package handoff

import (
	"slices"
	"time"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Asking is somebody asking for a human where no handoff is open yet.
type Asking struct {
	Number      int64
	Project     string
	ProjectName string
	Lane        project.Kind // where it was asked; "" in a direct chat
	Room        string
	Private     bool   // asked in a lane, answered in the direct chat
	Thread      string // root of the thread it stands in, "" if in none
	Question    Said   // Event is the command or the message with the 🙋
	Context     []Said // what was said before in the same room, oldest first
	Again       bool   // the asker has read the long notice before
	At          time.Time
}

// Ask opens a handoff.
func (d *Desk) Ask(a Asking) (*Handoff, Decision) {
	h := &Handoff{
		Number: a.Number, Project: a.Project, ProjectName: a.ProjectName, Lane: a.Lane,
		Direct: a.Private || a.Lane == "", Room: a.Room, Thread: effect.Ref(a.Question.Event),
		Asked: a.Question.Event, State: Open,
		// What was asked in any other lane stays in Matrix, also when the answer
		// comes in the direct chat: the question was made of that lane's words.
		Leaves:  (a.Lane == "" || a.Lane == project.Customer) && !a.Question.At.Stays,
		Created: a.At,
	}
	h.Askers = []Asker{d.asker(h, a.Question.User, a.Question.Name, Notice(h.Number))}
	a.Question.At.Handoff = h.Number
	h.asks(a.Question)
	h.Long = long(h.question())
	h.heard(a.Question)
	var dec Decision
	switch {
	case a.Private:
		h.Room, h.Thread = "", effect.To(Notice(h.Number))
		dec.Effects = append(dec.Effects, effect.Effect{Redact: &effect.Redact{In: effect.Place{Room: a.Room}, Target: effect.Ref(a.Question.Event), Reason: "goes on in the direct chat"}})
	case a.Thread != "":
		h.Thread = effect.Ref(a.Thread)
	}
	dec.firstNotice(d, h, a)
	staff := effect.Place{SuperAdmin: true}
	dec.send(effect.Message{ID: Card(h.Number), To: staff, Content: h.card(d.toMention(h)), Then: []effect.Effect{effect.Sign(staff, Card(h.Number), MarkTake)}})
	if h.Long {
		dec.staffHears(h, a.Question)
	} else {
		dec.staffGets(h, a.Question)
	}
	if said := h.before(a.Context); said.Plain != "" {
		dec.inCard(h, Before(h.Number), said.Notice())
	}
	dec.ask(d, h, a.Question, a.Context)
	return h, dec
}

// before are the words for staff of what was said before the question.
func (h *Handoff) before(context []Said) text.Words {
	var said []text.Words
	for _, s := range context {
		if w, ok := s.show(h, Staff); ok && w.Plain != "" {
			said = append(said, text.Spoken(s.Name, "", markup.Fit(w, contextLimit)))
		}
	}
	if len(said) == 0 {
		return text.Words{}
	}
	return text.ContextForStaff(said)
}

// asker is somebody who asks, with the consent that the settings give or want.
func (d *Desk) asker(h *Handoff, user, name, notice string) Asker {
	a := Asker{User: user, Name: oneLine(name), Consent: Announced}
	if h.Leaves && d.Consent == "ask" && len(d.Agents) > 0 {
		a.Consent, a.Notice = Wanted, notice
	}
	return a
}

func (dec *Decision) firstNotice(d *Desk, h *Handoff, a Asking) {
	asked := d.notice(h)
	asked.Again = a.Again
	if a.Private {
		asked.Question = markup.Fit(h.question(), markup.MaxMessage).Plain
	}
	dec.toConsent(h, Notice(h.Number), askedContent(h, asked), effect.Ref(a.Question.Event), asked.Consent)
}

// notice is what the first notice says as things stand.
func (d *Desk) notice(h *Handoff) text.Asked {
	leaves := h.Leaves && len(d.Agents) > 0
	return text.Asked{Number: h.Number, Prefix: d.Prefix, Lane: !h.Direct, WhatsApp: leaves && h.First().Leaves(), Consent: leaves && h.First().Consent == Wanted}
}

func askedContent(h *Handoff, a text.Asked) map[string]any {
	content := text.AskedForAsker(a).Notice()
	content["lanekeeper.result"] = map[string]any{"ok": true, "command": "human", "handoff": h.Number}
	return content
}

// toMention is who has to act when nobody on WhatsApp can be asked.
func (d *Desk) toMention(h *Handoff) []string {
	if h.Reaches() && slices.ContainsFunc(d.Asked(h), d.reachable) {
		return nil
	}
	return d.Staff
}

// Join adds what somebody asks in the thread of a handoff; a closed one is open
// again then. before is what was said so far.
func (d *Desk) Join(h *Handoff, q Said, had Had, before []Said) Decision {
	var dec Decision
	id := "join:" + itoa(h.Number) + ":" + q.Event
	fresh, reopened := h.Asker(q.User) == nil, h.State == Closed
	if fresh {
		h.Askers = append(h.Askers, d.asker(h, q.User, q.Name, id))
	}
	if reopened {
		dec.reopen(h)
	}
	h.heard(q)
	asked := d.notice(h)
	asked.WhatsApp = asked.WhatsApp && fresh
	asked.Consent = fresh && !h.Asker(q.User).Leaves()
	content := text.JoinedForAsker(asked, reopened).Notice()
	content["lanekeeper.result"] = map[string]any{"ok": true, "command": "human", "handoff": h.Number}
	dec.toConsent(h, id, content, effect.Ref(q.Event), asked.Consent)
	dec.notInLane(h) // what was written there did not help
	words := !q.empty() || q.File
	if had == Nobody && (words || reopened) {
		dec.staffHears(h, q)
	}
	switch {
	case reopened:
		dec.askAgain(d, h, q, before)
	case had != Everybody && words:
		dec.toThose(d, h, q)
	}
	return dec
}

// Had is who has words already that somebody asks with: each of them gets them once, so
// that an edit or a deletion reaches the only copy.
type Had int

const (
	Nobody    Had = iota
	OnlyStaff     // they were written beside the question of another
	Everybody     // they were said in the handoff
)

// JoinFull adds what somebody asks who has as many open handoffs as one person may:
// it joins the newest one of the same place. A question that was asked privately is
// taken out of its lane and repeated here, as it would be in a handoff of its own.
func (d *Desk) JoinFull(h *Handoff, q Said, open int, private bool, room string) Decision {
	var dec Decision
	full := text.Full{Number: h.Number, Open: open}
	reply := effect.Ref(q.Event)
	if private {
		dec.Effects = append(dec.Effects, effect.Effect{Redact: &effect.Redact{In: effect.Place{Room: room}, Target: reply, Reason: "goes on in the direct chat"}})
		asked, _ := q.show(h, Staff)
		full.Question, reply = markup.Fit(asked, markup.MaxMessage).Plain, ""
	}
	content := text.FullForAsker(full).Notice()
	content["lanekeeper.result"] = map[string]any{"ok": true, "command": "human", "handoff": h.Number}
	dec.toAsker(h, "join:"+itoa(h.Number)+":"+q.Event, content, reply)
	dec.notInLane(h)
	if !q.empty() || q.File {
		dec.carry(d, h, q)
	}
	return dec
}

// NoMore says that a closed handoff stays closed, as its asker has as many open ones as
// one person may.
func (d *Desk) NoMore(h *Handoff, event string, open int) Decision {
	var dec Decision
	dec.toAsker(h, "", text.Sentence(text.NoMoreForAsker(open)).Notice(), effect.Ref(event))
	return dec
}

// TooMuch says once that an asker writes more than is carried.
func (d *Desk) TooMuch(h *Handoff, event string, limit int) Decision {
	var dec Decision
	dec.toAsker(h, "", text.TooMuchForAsker(h.Number, limit).Notice(), effect.Ref(event))
	return dec
}

// TooMuchOfStaff keeps an owner's words that are more than one person may say; said: they
// read so with the first of them.
func (d *Desk) TooMuchOfStaff(h *Handoff, event string, limit int, said bool) (dec Decision) {
	dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Reacts: effect.Ref(event), Key: MarkKept})
	if said {
		m := cardThread(h, "", text.TooMuchForAsker(h.Number, limit).Notice())
		m.ReplyTo = effect.Ref(event)
		dec.send(m)
	}
	return dec
}

// ask sends a conversation to everybody who is asked: the question (or the newest
// words) first, then what was said before. Of a handoff that stays in Matrix
// agents read only that it waits.
func (dec *Decision) ask(d *Desk, h *Handoff, q Said, before []Said) {
	to := d.Asked(h)
	if !h.Leaves {
		dec.toPhones(d, h, Line{Number: h.Number, Kind: LineWaiting, Head: text.WaitingForAgent(), To: to})
		return
	}
	l := Line{Number: h.Number, Kind: LineAsk, Source: q.Event, Head: h.title(), To: to}
	l.Pieces = append(l.Pieces, q.piece(h).or(text.SilentForAgent()))
	l.Pieces = append(l.Pieces, h.history(before, "Before that:")...)
	a := h.Asker(q.User)
	l.Held = a != nil && !a.Leaves()
	dec.toPhones(d, h, l)
}

// title names the conversation on WhatsApp, by somebody who let it go there.
func (h *Handoff) title() string {
	return markup.LiteralForWhatsApp(h.Named().Name + " · " + h.Where())
}

// history are the words of a conversation in a line, without those of askers who
// have not agreed.
func (h *Handoff) history(before []Said, title string) (pieces []Piece) {
	for _, s := range before {
		if a := h.Asker(s.User); a != nil && !a.Leaves() {
			continue
		}
		p := s.piece(h)
		if p.empty() {
			continue
		}
		pieces = append(pieces, p.shortened(contextLimit).titled(title))
		title = ""
	}
	return pieces
}

const (
	// contextLimit is how much of one message of the context is shown, in characters.
	contextLimit = 600
	// cardLimit is how much of the question the card shows, in bytes. It is part of
	// every edit of the card, twice.
	cardLimit = 4000
)

// toPhones sends a line, and tells staff once of each phone that it cannot reach.
func (dec *Decision) toPhones(d *Desk, h *Handoff, l Line) {
	if len(l.To) == 0 && !l.Held {
		return
	}
	dec.Lines = append(dec.Lines, l)
	if l.Held {
		return
	}
	for _, phone := range l.To {
		dec.unreachable(d, h, phone)
	}
}

func (dec *Decision) unreachable(d *Desk, h *Handoff, phone string) {
	if d.reachable(phone) || slices.Contains(h.Unreached, phone) {
		return
	}
	h.Unreached = append(h.Unreached, phone)
	if why := d.Refused[phone]; why != "" {
		dec.inCard(h, "", text.FailedForStaff(h.Number, d.nameOf(phone), why).Mention(d.toMention(h)...).Message())
		return
	}
	dec.inCard(h, "", text.UnreachableForStaff(h.Number, d.nameOf(phone)).Notice())
}

// Unreachable tells staff, once, that a phone gets nothing: its window is closed, and
// there is no template or Twilio refused it.
func (d *Desk) Unreachable(h *Handoff, phone string) Decision {
	var dec Decision
	dec.unreachable(d, h, phone)
	return dec
}

func (d *Desk) nameOf(phone string) string {
	if a := d.Agent(phone); a != nil {
		return a.Name
	}
	return "somebody who was an agent"
}
