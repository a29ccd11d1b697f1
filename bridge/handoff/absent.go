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
)

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
