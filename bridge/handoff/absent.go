package handoff

import (
	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/text"
)

// Absence is why an asker does not read an answer, or cannot reply to it.
type Absence string

// The absences; "" is none.
const (
	Gone        Absence = "gone"     // not in the room any more
	CannotReply Absence = "archived" // may only read
	Removed     Absence = "removed"  // out of the project they asked in: no answer goes to their direct chat
)

// removed says in the card's thread that an answer was not sent, and why.
func (dec *Decision) removed(h *Handoff, at effect.Ref) {
	m := cardThread(h, "", text.Sentence(text.RemovedForStaff(h.Number)).Notice())
	m.ReplyTo = at
	dec.send(m)
}

// RefusedRemoved tells an agent why a conversation cannot go on.
func (d *Desk) RefusedRemoved(h *Handoff, a *Agent) (dec Decision) {
	dec.tell(h.Number, a.Phone, text.RemovedForAgent())
	return dec
}

// EditKept says at an answer that was changed that the change goes nowhere.
func (d *Desk) EditKept(h *Handoff, event string) (dec Decision) {
	dec.removed(h, effect.Ref(event))
	return dec
}

// absent says at an answer that was sent, in the card's thread, that the asker may
// not get it, and to an agent on the phone, too.
func (dec *Decision) absent(d *Desk, h *Handoff, at effect.Ref, phone string) {
	if d.Absent == "" {
		return
	}
	m := cardThread(h, "", text.AbsentForStaff(h.Number, d.Absent == Gone).Notice())
	m.ReplyTo = at
	dec.send(m)
	if phone != "" {
		dec.tell(h.Number, phone, text.AbsentForAgent(d.Absent == Gone))
	}
}

// Archived tells both sides of an open question that its project was archived.
func (d *Desk) Archived(h *Handoff) (dec Decision, changed bool) {
	if h.Direct || h.State == Closed {
		return dec, false
	}
	dec.toAsker(h, "", text.ArchivedForAsker(h.Number).Notice(), "")
	dec.inCard(h, "", text.ArchivedForStaff(h.Number).Notice())
	if h.Reaches() && h.State == Taken && h.Owner.Kind == OnWhatsApp && d.Windows[h.Owner.ID] {
		dec.tell(h.Number, h.Owner.ID, text.ArchivedForAgent())
	}
	return dec, true
}
