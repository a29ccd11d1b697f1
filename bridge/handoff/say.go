package handoff

import (
	"slices"
	"strconv"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// AskerSays carries what an asker wrote in the thread. Writing in the thread of a
// closed handoff opens it again; one whose owner cannot answer any more is free
// again. before is what was said in it so far, for agents who do not know it.
func (d *Desk) AskerSays(h *Handoff, s Said, before []Said) Decision {
	var dec Decision
	h.heard(s)
	if h.Direct && (!s.empty() || s.passes()) {
		dec.send(effect.Message{To: h.Place(), Reacts: effect.Ref(s.Event), Key: MarkSent})
	}
	switch {
	case h.State == Closed:
		dec.reopen(h)
		dec.toAsker(h, "", text.ReopenedForAsker(h.Number).Notice(), effect.Ref(s.Event))
		dec.staffHears(h, s)
		dec.askAgain(d, h, s, before)
	case d.Orphan(h):
		dec.reopen(h)
		dec.staffHears(h, s)
		dec.askAgain(d, h, s, before)
	default:
		dec.notInLane(h)
		dec.carry(d, h, s)
	}
	if s.File && !s.passes() {
		dec.toAsker(h, "", text.NotCarriedForAsker(h.Number, s.Sent != nil && s.Sent.Encrypted).Notice(), effect.Ref(s.Event))
	}
	return dec
}

// Hint tells an asker, once, that what they write in the lane after an answer, outside
// of the thread, goes to nobody.
func (d *Desk) Hint(h *Handoff, event string) (dec Decision, changed bool) {
	if h.Direct || !h.Answered || h.Hinted || h.State == Closed {
		return dec, false
	}
	h.Hinted = true
	dec.send(effect.Message{To: h.Place(), ReplyTo: effect.Ref(event), Content: text.HintForAsker(h.Number).Notice()})
	return dec, true
}

// askAgain asks everybody with what somebody just wrote.
func (dec *Decision) askAgain(d *Desk, h *Handoff, s Said, before []Said) {
	dec.ask(d, h, s, before)
	dec.freed(d, h)
}

// carry takes an asker's words to the card's thread and to WhatsApp.
func (dec *Decision) carry(d *Desk, h *Handoff, s Said) {
	dec.staffHears(h, s)
	dec.toThose(d, h, s)
}

// toThose takes an asker's words to those who are asked on WhatsApp.
func (dec *Decision) toThose(d *Desk, h *Handoff, s Said) {
	if !h.Leaves {
		return
	}
	l := Line{Number: h.Number, Kind: LineSay, Source: s.Event, Pieces: []Piece{s.piece(h)}, To: d.Asked(h)}
	l.Held = !h.Asker(s.User).Leaves()
	dec.toPhones(d, h, l)
}

// staffHears shows an asker's words in the card's thread. Only an owner who reads
// there is alerted: everything else is a notice, which alerts nobody.
func (dec *Decision) staffHears(h *Handoff, s Said) {
	alert := ""
	if h.State == Taken && h.Owner.Kind == OnMatrix {
		alert = h.Owner.ID
	}
	dec.inPages(h, s, alert)
}

// staffReads is staffHears for what alerts nobody.
func (dec *Decision) staffReads(h *Handoff, s Said) { dec.inPages(h, s, "") }

func (dec *Decision) inPages(h *Handoff, s Said, alert string) {
	w, ok := s.show(h, Staff)
	if !ok {
		return
	}
	pages := s.pages(w, markup.MaxMessage)
	for i, w := range pages {
		content := w.Notice()
		if i == 0 && alert != "" {
			content = w.Mention(alert).Message()
		}
		dec.inCard(h, part(h.Number, s.Event, i), content)
	}
	h.paged(s.Event, len(pages))
	dec.staffGets(h, s)
}

// Keys of the marks that the bot puts on messages in a card's thread, and in a
// direct chat with an open handoff; of the signs that it puts on what they decide.
const (
	MarkTake = "✋" // on a card: takes it
	MarkYes  = "✅" // on a notice that asks for consent: gives it
	MarkSent = "📤" // stands in the asker's thread; went to those who are asked
	MarkKept = "🔒" // stays among staff
)

// StaffSays decides what somebody wrote in the card's thread: the owner's words go
// to the asker, everybody else's stay. ghost speaks for the owner in lanes. An
// owner who lost the right to answer is none.
func (d *Desk) StaffSays(h *Handoff, s Said, ghost effect.Ghost) (dec Decision, sent bool) {
	if h.State != Taken || !d.Owns(h, s.User) || s.empty() || d.May != nil && !d.May(s.User) || !MayTravel(s.At, h, Askers) {
		dec.keep(d, h, s)
		return dec, false
	}
	if d.Absent == Removed {
		dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Reacts: effect.Ref(s.Event), Key: MarkKept})
		dec.removed(h, effect.Ref(s.Event))
		return dec, false
	}
	mark := effect.Message{To: effect.Place{SuperAdmin: true}, Reacts: effect.Ref(s.Event), Key: MarkSent}
	lost := cardThread(h, "", text.LostForStaff(h.Number).Mention(s.User).Message())
	lost.ReplyTo = effect.Ref(s.Event)
	dec.answer(d, h, s, ghost, []effect.Effect{{Message: &mark}}, []effect.Effect{{Message: &lost}})
	dec.absent(d, h, effect.Ref(s.Event), "")
	if s.File {
		dec.fileKept(h, s)
	}
	return dec, true
}

// keep marks what stays among staff, and says why to who does not know yet.
func (dec *Decision) keep(d *Desk, h *Handoff, s Said) {
	dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Reacts: effect.Ref(s.Event), Key: MarkKept})
	owner := ""
	switch {
	case h.State == Taken && d.Owns(h, s.User):
		dec.fileKept(h, s)
		return
	case slices.Contains(h.Explained, s.User):
		return
	case h.State == Taken:
		owner = h.Owner.Name
	}
	h.Explained = append(h.Explained, s.User)
	m := cardThread(h, "", text.KeptForStaff(d.Prefix, h.Number, string(h.State), owner).Notice())
	m.ReplyTo = effect.Ref(s.Event)
	dec.send(m)
}

func (dec *Decision) fileKept(h *Handoff, s Said) {
	m := cardThread(h, "", text.NotCarriedForStaff().Notice())
	m.ReplyTo = effect.Ref(s.Event)
	dec.send(m)
}

// answer puts the owner's words into the asker's thread. In lanes a ghost says
// them, which is a guest of the project from then on; in direct chats, and where
// the ghost cannot get in, the bot names who speaks.
func (dec *Decision) answer(d *Desk, h *Handoff, s Said, ghost effect.Ghost, then, otherwise []effect.Effect) {
	w, _ := s.show(h, Askers)
	m := d.answerMessage(h, h.Owner, w, ghost)
	m.ID, m.Then, m.Else = Answer(h.Number, s.Event), then, otherwise
	h.Answered = true
	m.Thread, m.ReplyTo = h.relation(effect.Ref(s.ReplyTo))
	if h.Direct {
		m.Thread, m.ReplyTo = h.relation("")
	}
	if m.From != nil {
		dec.Guest = &project.Guest{User: ghost.User, Name: ghost.Name, Lane: h.Lane}
	}
	dec.send(m)
}

// answerMessage is the content of an answer and who says it.
func (d *Desk) answerMessage(h *Handoff, by *Owner, w text.Words, ghost effect.Ghost) effect.Message {
	w = w.Mention(h.users()...)
	named := text.AnswerForAsker(d.PublicName(by), w).Message()
	if h.Direct {
		return effect.Message{To: h.Place(), Content: named}
	}
	return effect.Message{To: h.Place(), From: &ghost, Content: w.Message(), Plain: named}
}

// AgentSays decides an answer from WhatsApp. The first one makes its agent the
// owner. An answer by another than the owner is shown to staff only; one to a
// closed handoff, or to one that stays in Matrix, is not sent. confirm: others are
// open, too, so the agent reads where it went.
func (d *Desk) AgentSays(h *Handoff, a *Agent, s Said, ghost effect.Ghost, confirm bool) (dec Decision, sent bool) {
	free := h.State == Open || d.Orphan(h)
	switch {
	case !h.Reaches():
		dec.refuse(h, a)
		return dec, false
	case h.State == Closed:
		dec.tell(h.Number, a.Phone, text.ClosedForAgent(h.Number))
		dec.unsent(h, a, s, "closed")
		return dec, false
	case !free && !d.OwnsByPhone(h, a.Phone):
		dec.tell(h.Number, a.Phone, text.OwnedForAgent(h.Owner.Name, true))
		dec.unsent(h, a, s, h.Owner.Name+" is answering it")
		return dec, false
	case s.empty() && !s.carries():
		dec.tell(h.Number, a.Phone, text.EmptyForAgent())
		return dec, false
	case d.Absent == Removed:
		dec.tell(h.Number, a.Phone, text.RemovedForAgent())
		dec.unsent(h, a, s, "the asker is gone")
		dec.removed(h, "")
		return dec, false
	}
	if free {
		dec.own(d, h, &Owner{Kind: OnWhatsApp, ID: a.Phone, Name: a.Name})
		dec.editCard(h)
	}
	if s.File = false; !s.empty() {
		copied, _ := s.show(h, Staff)
		dec.inCard(h, Copy(h.Number, s.Event), text.Spoken(a.Name, "WhatsApp", copied).Notice())
		dec.answer(d, h, s, ghost, nil, dec.lost(d, h, a, s.Event))
		dec.absent(d, h, effect.To(Copy(h.Number, s.Event)), a.Phone)
	}
	dec.attach(d, h, a, s, ghost)
	if confirm {
		dec.tell(h.Number, a.Phone, text.RoutedForAgent())
	}
	return dec, true
}

// Shown answers an agent who wants to read a handoff of which nothing waits for
// them any more.
func (d *Desk) Shown(h *Handoff, a *Agent) Decision {
	var dec Decision
	switch {
	case !h.Reaches():
		dec.refuse(h, a)
	case h.State == Closed:
		dec.tell(h.Number, a.Phone, text.AlreadyClosedForAgent())
	case h.State == Taken && !d.OwnsByPhone(h, a.Phone):
		dec.tell(h.Number, a.Phone, text.OwnedForAgent(h.Owner.Name, false))
	default:
		dec.tell(h.Number, a.Phone, text.OpenForAgent())
	}
	return dec
}

// lost is what happens if an answer from WhatsApp can never be said.
func (dec *Decision) lost(d *Desk, h *Handoff, a *Agent, source string) []effect.Effect {
	dec.Lines = append(dec.Lines, Line{Number: h.Number, Kind: LineTold, Head: text.LostForAgent(), To: []string{a.Phone}, Held: true})
	lost := cardThread(h, "", text.LostForStaff(h.Number).Mention(d.Staff...).Message())
	lost.ReplyTo = effect.To(Copy(h.Number, source))
	return []effect.Effect{{Message: &lost}, {WhatsApp: &effect.WhatsApp{Line: LineRef(len(dec.Lines) - 1), To: a.Phone}}}
}

// refuse answers an agent who wants something of a handoff whose words do not go
// to WhatsApp. One that stays in Matrix was announced to them as waiting there;
// one whose asker has not agreed was not: to them it does not exist.
func (dec *Decision) refuse(h *Handoff, a *Agent) {
	if h.Leaves {
		dec.tell(0, a.Phone, text.UnknownForAgent(h.Number))
		return
	}
	dec.tell(h.Number, a.Phone, text.OnlyMatrixForAgent())
}

func (dec *Decision) unsent(h *Handoff, a *Agent, s Said, why string) {
	if s.empty() && !s.File {
		return
	}
	w, _ := s.show(h, Staff)
	dec.inCard(h, "", text.UnsentForStaff(a.Name, why, w).Notice())
}
