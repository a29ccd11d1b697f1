package handoff

import (
	"slices"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// own changes the owner; the waiting lines of everybody else are needless then, and
// who was asked while nobody owned it reads who is on it.
func (dec *Decision) own(d *Desk, h *Handoff, o *Owner) {
	var others []string
	if h.State == Open {
		others = d.Asked(h)
	}
	h.State, h.Owner, h.Closer = Taken, o, ""
	others = slices.DeleteFunc(others, func(phone string) bool { return d.OwnsByPhone(h, phone) })
	dec.onIt(d, h, others, text.OnItForAgent(o.Name))
	for _, a := range d.Agents {
		if a.Phone != o.ID {
			dec.Wake = append(dec.Wake, a.Phone)
		}
	}
}

// onIt tells those of some phones who got the question, and can be told now for
// nothing, that somebody else sees to it.
func (dec *Decision) onIt(d *Desk, h *Handoff, among []string, words string) {
	if !h.names() {
		return
	}
	var to []string
	for _, phone := range among {
		if slices.Contains(d.Got, phone) && d.Windows[phone] {
			to = append(to, phone)
		}
	}
	if len(to) > 0 {
		dec.Lines = append(dec.Lines, Line{Number: h.Number, Kind: LineOwned, Head: words, To: to})
	}
}

// news reports whether words of onIt say how things are now, and to somebody who does
// not know: a line waits for its turn, and meanwhile another may have it, or its reader.
func (d *Desk) news(h *Handoff, words, phone string) bool {
	switch {
	case !h.names() || h.State == Closed:
		return false
	case h.InLane != "" && words == text.InLaneForAgent(h.InLane):
		return d.Asks(h, phone)
	}
	return h.State == Taken && !d.OwnsByPhone(h, phone) && words == text.OnItForAgent(h.Owner.Name)
}

func (dec *Decision) reopen(h *Handoff) {
	h.State, h.Owner, h.Closer, h.Passed, h.InLane, h.InLaneBy = Open, nil, "", nil, "", ""
	dec.editCard(h)
}

// freed tells staff when nobody owns a handoff and nobody on WhatsApp can help.
func (dec *Decision) freed(d *Desk, h *Handoff) {
	if staff := d.toMention(h); h.State == Open && len(staff) > 0 {
		dec.inCard(h, "", text.FreedForStaff(h.Number).Mention(staff...).Message())
	}
}

// Same reports whether two owners are one: a person on Matrix and an agent with
// their MXID are.
func (d *Desk) Same(a, b *Owner) bool {
	if a == nil || b == nil {
		return a == b
	}
	return d.person(a) == d.person(b)
}

// Take makes somebody the owner. Taking what another owns is a conflict, unless
// with force; taking a closed handoff opens it again. before is what was said so
// far, for an agent on WhatsApp.
func (d *Desk) Take(h *Handoff, o Owner, force bool, before []Said) (dec Decision, changed bool, err error) {
	former := h.Owner
	switch {
	case o.Kind == OnWhatsApp && !h.Reaches():
		return dec, false, project.Refuse(project.NotAllowed, "%s", text.InMatrixForStaff(h.Number))
	case h.State == Taken && d.Same(former, &o):
		return dec, false, nil
	case h.State == Taken && !force && !d.Orphan(h):
		return dec, false, d.OwnedBy(former.Name, h.Number)
	case h.State == Closed:
		dec.toAsker(h, "", text.ReopenedForAsker(h.Number).Notice(), "")
		former = nil
	case h.State == Open:
		former = nil
	}
	dec.own(d, h, &o)
	h.Passed = slices.DeleteFunc(h.Passed, func(p string) bool { return p == o.ID })
	dec.editCard(h)
	if former != nil {
		dec.takenOver(d, h, former)
	}
	if o.Kind == OnWhatsApp && len(before) > 0 {
		dec.brief(d, h, before)
	}
	return dec, true, nil
}

// takenOver tells the former owner.
func (dec *Decision) takenOver(d *Desk, h *Handoff, former *Owner) {
	if former.Kind == OnWhatsApp {
		dec.tell(h.Number, former.ID, text.TakenOverForAgent(h.Owner.Name))
		return
	}
	dec.inCard(h, "", text.TakenOverForStaff(h.Number, h.Owner.Name).Mention(former.ID).Message())
}

// brief shows the conversation so far to those who are asked now.
func (dec *Decision) brief(d *Desk, h *Handoff, before []Said) {
	if !h.Leaves {
		dec.toPhones(d, h, Line{Number: h.Number, Kind: LineWaiting, Head: text.WaitingForAgent(), To: d.Asked(h)})
		return
	}
	if !h.Reaches() {
		return
	}
	dec.toPhones(d, h, Line{Number: h.Number, Kind: LineAsk, Head: h.title(), Pieces: h.history(before, ""), To: d.Asked(h)})
}

// OwnedBy refuses what only the owner may do, who has this name where it is read.
func (d *Desk) OwnedBy(name string, n int64) *project.Error {
	return project.Refuse(project.Conflict, "%s", text.OwnedForCommand(d.Prefix, n, name))
}

// Release gives a handoff back: all agents are asked again, and read what was said
// so far.
func (d *Desk) Release(h *Handoff, user string, before []Said) (dec Decision, changed bool, err error) {
	switch {
	case h.State == Open:
		return dec, false, nil
	case h.State == Closed:
		return dec, false, project.Refuse(project.Conflict, "%s", text.ClosedForStaff(d.Prefix, h.Number))
	case !d.Owns(h, user):
		return dec, false, d.OwnedBy(h.Owner.Name, h.Number)
	}
	dec.free(d, h, before)
	return dec, true, nil
}

func (dec *Decision) free(d *Desk, h *Handoff, before []Said) {
	h.State, h.Owner = Open, nil
	dec.editCard(h)
	dec.brief(d, h, before)
	dec.freed(d, h)
}

// Pass takes an agent out of those who are asked; an owner who passes gives the
// handoff back to the others.
func (d *Desk) Pass(h *Handoff, a *Agent, before []Said) Decision {
	var dec Decision
	switch {
	case !h.Reaches() && h.Leaves:
		dec.refuse(h, a)
		return dec
	case !h.Leaves: // agents read nothing of it but that it waits
	case h.State == Closed:
		dec.tell(h.Number, a.Phone, text.AlreadyClosedForAgent())
		return dec
	case h.State == Taken && !d.OwnsByPhone(h, a.Phone):
		dec.tell(h.Number, a.Phone, text.OwnedForAgent(h.Owner.Name, false))
		return dec
	}
	owned, known := h.State == Taken && d.OwnsByPhone(h, a.Phone), slices.Contains(h.Passed, a.Phone)
	if !known {
		h.Passed = append(h.Passed, a.Phone)
	}
	dec.tell(h.Number, a.Phone, text.PassedForAgent())
	switch {
	case owned:
		dec.free(d, h, before)
	case !known:
		dec.Wake = append(dec.Wake, a.Phone)
		if h.Leaves {
			dec.freed(d, h)
		}
	}
	return dec
}

// Closing is who closes a handoff.
type Closing struct {
	By      string // name for staff
	ByAsker bool
	Phone   string // of an agent on WhatsApp
	Quiet   bool   // the asker reads of it in the answer to the command
}

// Close ends a handoff. Its owner stays in the record.
func (d *Desk) Close(h *Handoff, c Closing) (dec Decision, changed bool) {
	if h.State == Closed {
		return dec, false
	}
	owner := h.Owner
	h.State, h.Closer = Closed, c.By
	dec.editCard(h)
	if !c.Quiet && !c.ByAsker {
		dec.toAsker(h, "", text.ClosedForAsker(h.Number, d.spoken(c.By), h.Direct).Notice(), "")
	}
	if owner != nil && owner.Kind == OnWhatsApp && owner.ID != c.Phone {
		dec.tell(h.Number, owner.ID, text.EndedForAgent(c.By))
	}
	for _, a := range d.Agents {
		if a.Phone != c.Phone {
			dec.Wake = append(dec.Wake, a.Phone)
		}
	}
	return dec, true
}

// End closes a handoff of a direct chat whose asker is nobody any more that we talk
// to: they, staff and the agents who are asked read why.
func (d *Desk) End(h *Handoff) (dec Decision) {
	if h.State == Closed {
		return dec
	}
	asked := d.Asked(h)
	h.State, h.Closer = Closed, ""
	dec.editCard(h)
	dec.inCard(h, "", text.EndedForStaff(h.Number, h.First().Name).Notice())
	dec.toAsker(h, "", text.EndedForAsker(h.Number).Notice(), "")
	for _, phone := range asked {
		if h.Leaves && d.Windows[phone] {
			dec.tell(h.Number, phone, text.GoneForAgent())
		}
	}
	for _, a := range d.Agents {
		dec.Wake = append(dec.Wake, a.Phone)
	}
	return dec
}

// Done is `done` from WhatsApp.
func (d *Desk) Done(h *Handoff, a *Agent) Decision {
	var dec Decision
	switch {
	case !h.Reaches():
		dec.refuse(h, a)
	case h.State == Closed:
		dec.tell(h.Number, a.Phone, text.AlreadyClosedForAgent())
	case h.State == Taken && !d.OwnsByPhone(h, a.Phone):
		dec.tell(h.Number, a.Phone, text.OwnedForAgent(h.Owner.Name, false))
	default:
		dec, _ = d.Close(h, Closing{By: a.Name, Phone: a.Phone})
		dec.tell(h.Number, a.Phone, text.DoneForAgent())
	}
	return dec
}

// TakeByPhone is `take` from WhatsApp.
func (d *Desk) TakeByPhone(h *Handoff, a *Agent, before []Said) Decision {
	if !h.Reaches() {
		var dec Decision
		dec.refuse(h, a)
		return dec
	}
	if h.State == Taken && !d.OwnsByPhone(h, a.Phone) {
		var dec Decision
		dec.tell(h.Number, a.Phone, text.OwnedForAgent(h.Owner.Name, false))
		return dec
	}
	dec, _, _ := d.Take(h, Owner{Kind: OnWhatsApp, ID: a.Phone, Name: a.Name}, false, before)
	// said before the conversation, if that is shown
	dec.Lines = append([]Line{{Number: h.Number, Kind: LineTold, Head: text.TakenForAgent(), To: []string{a.Phone}}}, dec.Lines...)
	return dec
}

// Reopen opens a closed handoff again, by a command of staff.
func (d *Desk) Reopen(h *Handoff, quiet bool, before []Said) (dec Decision, changed bool) {
	if h.State != Closed {
		return dec, false
	}
	dec.reopen(h)
	if !quiet {
		dec.toAsker(h, "", text.ReopenedForAsker(h.Number).Notice(), effect.Ref(""))
	}
	dec.brief(d, h, before)
	dec.freed(d, h)
	return dec, true
}
