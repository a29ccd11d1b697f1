package handoff

import (
	"slices"
	"strings"
	"unicode"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/markup"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// Edited decides an edit by an asker. gone are the phones that were sent the old
// words; of lines that wait the caller has changed the words already.
func (d *Desk) Edited(h *Handoff, s Said, gone []string) Decision {
	var dec Decision
	w, _ := s.show(h, Staff)
	if h.Asked == s.Event { // the card holds it
		h.asks(s)
		dec.editCard(h)
	}
	switch {
	case h.Asked != s.Event || h.Long:
		dec.editCopy(h, s, w)
	case long(w): // by this edit
		h.Long = true
		dec.staffHears(h, s)
	}
	dec.editFile(h, s)
	dec.correct(d, h, s, gone)
	return dec
}

// correct sends new words to phones that have old ones.
func (dec *Decision) correct(d *Desk, h *Handoff, s Said, gone []string) {
	var to []string
	for _, phone := range gone {
		if h.State == Closed || d.Asks(h, phone) {
			to = append(to, phone)
		}
	}
	if a := h.Asker(s.User); h.Leaves && a != nil && a.Leaves() && len(to) > 0 {
		dec.Lines = append(dec.Lines, Line{Number: h.Number, Kind: LineCorrected, Source: s.Event, Pieces: []Piece{s.piece(h).noted(text.CorrectionForAgent)}, To: to})
	}
}

// ContextEdited decides an edit of a message that went along as what was said before
// the question: staff see the new words, and phones that were sent the old ones of
// an asker get a correction. before is all that went along, as it is now.
func (d *Desk) ContextEdited(h *Handoff, s Said, before []Said, gone []string) Decision {
	var dec Decision
	dec.editBefore(h, before)
	dec.correct(d, h, s, gone)
	return dec
}

// ContextWithdrawn decides the deletion of such a message. Whoever wrote it, phones
// that were sent it are told.
func (d *Desk) ContextWithdrawn(h *Handoff, s Said, before []Said, gone []string) Decision {
	var dec Decision
	dec.takenBack(d, h, s.Name, gone)
	dec.editBefore(h, before)
	return dec
}

// takenBack asks phones to delete what somebody took back, and says to staff who has
// it still: WhatsApp takes no message back.
func (dec *Decision) takenBack(d *Desk, h *Handoff, name string, gone []string) {
	if !h.Leaves || len(gone) == 0 {
		return
	}
	dec.Lines = append(dec.Lines, Line{Number: h.Number, Kind: LineWithdrawn, Head: text.WithdrawnForAgent(name), To: gone})
	var have []string
	for _, phone := range gone {
		have = append(have, d.nameOf(phone))
	}
	dec.inCard(h, "", text.KeptByPhonesForStaff(name, have).Notice())
}

// editBefore shows staff anew what was said before the question. Where nothing is
// left the notice goes.
func (dec *Decision) editBefore(h *Handoff, before []Said) {
	said := h.before(before)
	if said.Plain == "" {
		dec.Effects = append(dec.Effects, effect.Effect{Redact: &effect.Redact{In: effect.Place{SuperAdmin: true}, Target: effect.To(Before(h.Number)), Reason: "withdrawn by who wrote it"}})
		return
	}
	dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Edits: effect.To(Before(h.Number)), Content: markup.Fit(said, markup.MaxMessage/2).Notice()})
}

// Withdrawn decides the deletion of an asker's message. Everybody who was sent it
// is told, also when another owns the handoff now: they still have it.
func (d *Desk) Withdrawn(h *Handoff, a *Asker, event string, gone []string) Decision {
	var dec Decision
	if h.Asked == event {
		h.Question, h.File, h.Sent = text.WithdrawnForStaff(), false, nil
		dec.editCard(h)
	}
	if h.Asked != event || h.Long {
		dec.redactCopy(h, event)
	}
	dec.redactFile(h, event)
	dec.takenBack(d, h, a.Name, gone)
	return dec
}

// Reacted shows a reaction by an asker on an answer: to staff on the message that
// the answer was made from, to an owner on WhatsApp as a short line. What is no
// emoji, or a mark of the bot's, is shown as words: the bot's own reaction would
// say that the bot means it.
func (d *Desk) Reacted(h *Handoff, a *Asker, on effect.Ref, reaction, answer Said) Decision {
	var dec Decision
	key, ok := reaction.show(h, Staff)
	switch {
	case !ok:
		return dec
	case mirrored(key.Plain):
		dec.send(effect.Message{To: effect.Place{SuperAdmin: true}, Reacts: on, Key: key.Plain})
	default:
		m := cardThread(h, "", text.ReactionForStaff(a.Name, key).Notice())
		m.ReplyTo = on
		dec.send(m)
	}
	if !h.Reaches() || !a.Leaves() || h.Owner == nil || h.Owner.Kind != OnWhatsApp || d.Agent(h.Owner.ID) == nil || !d.Windows[h.Owner.ID] {
		return dec
	}
	if key, excerpt := reaction.piece(h), answer.piece(h); !key.empty() {
		dec.tell(h.Number, h.Owner.ID, text.ReactionForAgent(a.Name, key.p.Text, text.Excerpt(excerpt.p.Text, 40)))
		dec.Lines[len(dec.Lines)-1].Kind = LineReaction
	}
	return dec
}

// marks are reactions by which the bot itself says something.
var marks = []string{MarkSent, MarkKept, MarkTake}

// mirrored reports whether the bot may put somebody's reaction on a message.
func mirrored(key string) bool {
	return !slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(bare(key), mark) }) && len([]rune(key)) <= 10 && !strings.ContainsFunc(key, func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// Consented decides that an asker agrees that their words go to WhatsApp, by ✅ on
// the notice that asked. What waited goes out now: the caller releases the held
// lines to those who are asked.
func (d *Desk) Consented(h *Handoff, a *Asker, event string) (dec Decision, changed bool) {
	if !h.Leaves || a.Consent != Wanted {
		return dec, false
	}
	a.Consent, a.By = Given, event
	dec.consentShown(d, h, a, true)
	return dec, true
}

// Revoked takes the consent back: the ✅ was removed. An owner on WhatsApp would
// hear nothing any more: the handoff is free again then.
func (d *Desk) Revoked(h *Handoff, a *Asker) Decision {
	var dec Decision
	a.Consent, a.By = Wanted, ""
	lost := !h.Reaches() && h.State == Taken && h.Owner.Kind == OnWhatsApp
	if lost {
		dec.tell(h.Number, h.Owner.ID, text.RevokedForAgent())
		h.State, h.Owner = Open, nil
	}
	dec.consentShown(d, h, a, false)
	if lost {
		dec.freed(d, h)
	}
	return dec
}

func (dec *Decision) consentShown(d *Desk, h *Handoff, a *Asker, given bool) {
	dec.editCard(h)
	dec.inCard(h, "", text.ConsentedForStaff(a.Name, given).Notice())
	if a == h.First() {
		m := effect.Message{To: h.Place(), Edits: effect.To(Notice(h.Number)), Content: askedContent(h, d.notice(h))}
		dec.send(m)
	}
	if given {
		for _, phone := range d.Asked(h) {
			dec.unreachable(d, h, phone)
		}
	}
}

// AnswerEdited carries an edit of an answer that was sent. by wrote it, and may own
// the handoff no longer; their words stay theirs.
func (d *Desk) AnswerEdited(h *Handoff, by *Owner, s Said, ghost effect.Ghost) Decision {
	var dec Decision
	if s.empty() || d.May != nil && !d.May(s.User) {
		return dec
	}
	w, ok := s.show(h, Askers)
	if !ok {
		return dec
	}
	m := d.answerMessage(h, by, markup.Fit(w, markup.MaxMessage/2), ghost)
	m.Edits = effect.To(Answer(h.Number, s.Event))
	dec.send(m)
	return dec
}

// AnswerWithdrawn takes an answer out of the asker's thread.
func (d *Desk) AnswerWithdrawn(h *Handoff, event string) Decision {
	return Decision{Effects: []effect.Effect{{Redact: &effect.Redact{In: h.Place(), Target: effect.To(Answer(h.Number, event)), Reason: "withdrawn by who wrote it"}}}}
}

// Failed decides that a line did not reach a phone; why is for staff. everywhere: it reached nobody
// else either, nor will it, so the asker is told, too.
func (d *Desk) Failed(h *Handoff, l Line, phone, why string, everywhere bool) Decision {
	var dec Decision
	if l.Kind == LineTold || l.Kind == LineOwned || l.Kind == LineReaction {
		return dec
	}
	m := cardThread(h, "", text.FailedForStaff(h.Number, d.nameOf(phone), why).Mention(d.Staff...).Message())
	if l.Kind == LineSay {
		m.ReplyTo = effect.To(Copy(h.Number, l.Source))
	}
	dec.send(m)
	if everywhere && h.Leaves && l.Source != "" {
		dec.toAsker(h, "", text.UndeliveredForAsker(h.Number).Notice(), effect.Ref(l.Source))
	}
	return dec
}

// Unknown decides that nobody knows whether a line reached a phone.
func (d *Desk) Unknown(h *Handoff, l Line, phone string) Decision {
	var dec Decision
	if l.Kind == LineTold || l.Kind == LineOwned || l.Kind == LineReaction {
		return dec
	}
	m := cardThread(h, "", text.UnknownForStaff(h.Number, d.nameOf(phone)).Notice())
	if l.Kind == LineSay {
		m.ReplyTo = effect.To(Copy(h.Number, l.Source))
	}
	dec.send(m)
	return dec
}

// Wants reports whether a stored line shall still go to a phone when its turn
// comes: what became needless while it waited is dropped. asker is whose words it
// carries, "" if nobody's.
func (d *Desk) Wants(h *Handoff, l Line, asker, phone string) bool {
	if d.Agent(phone) == nil {
		return false
	}
	if a := h.Asker(asker); a != nil && !a.Leaves() {
		return false
	}
	switch l.Kind {
	case LineTold, LineReaction:
		return d.Windows[phone]
	case LineOwned:
		return d.Windows[phone] && d.news(h, l.Head, phone)
	case LineWaiting:
		return !h.Leaves && h.State == Open && d.Asks(h, phone)
	case LineWithdrawn, LineCorrected:
		return h.Leaves
	}
	return h.Reaches() && d.Asks(h, phone)
}

// GuestNews reports whether the project has to learn of a ghost that speaks.
func GuestNews(p *project.Project, g *project.Guest) bool {
	return !slices.ContainsFunc(p.Guests, func(have project.Guest) bool {
		return have.User == g.User && have.Lane == g.Lane && have.Name == g.Name
	})
}
