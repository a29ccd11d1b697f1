package handoff

import (
	"testing"

	"lanekeeper/bridge/text"
)

// A line that somebody else is on it goes out only while that is so, to who does not
// know, and while words of the handoff may leave at all.
func TestWantsOwned(t *testing.T) {
	const dana, eli = "+4915100000001", "+4915100000002"
	root, rosa := Owner{OnMatrix, "@root:x", "root"}, Owner{OnMatrix, "@rosa:x", "Rosa"}
	d := &Desk{Agents: []Agent{{Phone: dana, Name: "Dana"}, {Phone: eli, Name: "Eli", User: "@eli:x"}}, Windows: map[string]bool{dana: true, eli: true}}
	line := Line{Kind: LineOwned, Head: text.OnItForAgent("root")}
	lane := Line{Kind: LineOwned, Head: text.InLaneForAgent("Mia")}
	taken := func(o Owner) func(*Handoff) { return func(h *Handoff) { h.State, h.Owner = Taken, &o } }
	for name, c := range map[string]struct {
		l      Line
		phone  string
		change func(*Handoff)
		want   bool
	}{
		"said in time":            {line, dana, taken(root), true},
		"another took it":         {line, dana, taken(rosa), false},
		"given back":              {line, dana, func(h *Handoff) {}, false},
		"over":                    {line, dana, func(h *Handoff) { h.State, h.Owner = Closed, &root }, false},
		"consent taken back":      {line, dana, func(h *Handoff) { taken(root)(h); h.Askers[0].Consent = Wanted }, false},
		"its reader's, by phone":  {Line{Kind: LineOwned, Head: text.OnItForAgent("Dana")}, dana, taken(Owner{OnWhatsApp, dana, "Dana"}), false},
		"its reader's, by Matrix": {Line{Kind: LineOwned, Head: text.OnItForAgent("Eli")}, eli, taken(Owner{OnMatrix, "@eli:x", "Eli"}), false},
		"in the lane":             {lane, dana, func(h *Handoff) { h.InLane = "Mia" }, true},
		"in the lane, deleted":    {lane, dana, func(h *Handoff) {}, false},
		"in the lane, no consent": {lane, dana, func(h *Handoff) { h.InLane = "Mia"; h.Askers[0].Consent = Wanted }, false},
		"in the lane, taken":      {lane, dana, func(h *Handoff) { h.InLane = "Mia"; taken(root)(h) }, false},
	} {
		h := &Handoff{Number: 1, State: Open, Leaves: true, Askers: []Asker{{User: "@carl:x", Name: "Carl", Consent: Announced}}}
		c.change(h)
		if got := d.Wants(h, c.l, "", c.phone); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
