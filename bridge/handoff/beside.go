package handoff

import (
	"slices"

	"lanekeeper/bridge/text"
)

// Beside shows staff what somebody else of the project wrote in the asker's thread.
// manages: they manage the project, so it may be the answer: the card and, once, those
// who were asked on WhatsApp say that they wrote. The state stays.
func (d *Desk) Beside(h *Handoff, s Said, manages bool) (dec Decision, shown bool) {
	s.Via = text.InLane
	if _, ok := s.show(h, Staff); !ok || s.empty() && !s.File {
		return dec, false
	}
	dec.staffReads(h, s)
	if !manages || h.State == Closed {
		return dec, true
	}
	was, name := h.InLane, oneLine(s.Name)
	h.InLane, h.InLaneBy = name, s.Event
	if was != name {
		dec.editCard(h)
	}
	if was == "" { // else it was said
		dec.onIt(d, h, d.Asked(h), text.InLaneForAgent(name))
	}
	return dec, true
}

// BesideEdited decides an edit of such words.
func (d *Desk) BesideEdited(h *Handoff, s Said) (dec Decision) {
	s.Via = text.InLane
	if w, ok := s.show(h, Staff); ok {
		dec.editCopy(h, s, w)
	}
	dec.editFile(h, s)
	return dec
}

// BesideWithdrawn decides their deletion. Who read that they were written reads that
// they are gone.
func (d *Desk) BesideWithdrawn(h *Handoff, event string) (dec Decision) {
	dec.redactCopy(h, event)
	dec.redactFile(h, event)
	if h.InLane == "" || h.InLaneBy != event {
		return dec
	}
	dec.notInLane(h)
	if h.State != Open || !h.Reaches() {
		return dec
	}
	for _, phone := range d.Asked(h) {
		if slices.Contains(d.Got, phone) && d.Windows[phone] {
			dec.tell(h.Number, phone, text.NotInLaneForAgent())
		}
	}
	return dec
}

// notInLane takes back that somebody wrote in the lane: it is gone, or it did not help.
func (dec *Decision) notInLane(h *Handoff) {
	if h.InLane != "" {
		h.InLane, h.InLaneBy = "", ""
		dec.editCard(h)
	}
}
