package handoff

import "lanekeeper/bridge/text"

// Beside shows staff what somebody else of the project wrote in the asker's thread.
// answers: they work on the project, so the question may be answered: the card and,
// once, those who were asked on WhatsApp say so. The state stays.
func (d *Desk) Beside(h *Handoff, s Said, answers bool) (dec Decision, shown bool) {
	s.Via = text.InLane
	if _, ok := s.show(h, Staff); !ok || s.empty() && !s.File {
		return dec, false
	}
	dec.staffReads(h, s)
	if !answers || h.State == Closed || h.InLane == s.Name {
		return dec, true
	}
	first := h.InLane == "" // else it was said
	h.InLane = oneLine(s.Name)
	dec.editCard(h)
	if first {
		dec.onIt(d, h, d.Asked(h), text.InLaneForAgent(h.InLane))
	}
	return dec, true
}

// BesideEdited decides an edit of such words.
func (d *Desk) BesideEdited(h *Handoff, s Said) (dec Decision) {
	s.Via = text.InLane
	if w, ok := s.show(h, Staff); ok {
		dec.editCopy(h, s, w)
	}
	return dec
}

// BesideWithdrawn decides their deletion.
func (d *Desk) BesideWithdrawn(h *Handoff, event string) (dec Decision) {
	dec.redactCopy(h, event)
	return dec
}
