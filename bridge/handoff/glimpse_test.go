package handoff

import (
	"encoding/json"
	"strings"
	"testing"

	"lanekeeper/bridge/project"
	"lanekeeper/bridge/text"
)

// A list on a phone shows of a question only its words: none of ours for staff, and
// nothing of what may not leave.
func TestGlimpse(t *testing.T) {
	const carl, room = "@carl:x", "!customer"
	d := &Desk{Agents: []Agent{{Phone: "+49151", Name: "Dana"}}}
	ask := func(lane project.Kind, s Said) *Handoff {
		s.User, s.Name, s.Event, s.At = carl, "Carl", "$q", Origin{Room: room, Lane: lane}
		h, dec := d.Ask(Asking{Number: 1, Lane: lane, Room: room, Question: s})
		for _, e := range dec.Effects {
			if m := e.Message; m != nil && m.ID == Card(1) && s.File {
				if b, _ := json.Marshal(m.Content); !strings.Contains(string(b), text.FileForStaff(text.File{}, false).Plain) {
					t.Errorf("the card does not name the file: %s", b)
				}
			}
		}
		return h
	}
	words := text.Words{Plain: "Look"}
	for name, c := range map[string]struct {
		h           *Handoff
		name, words string
	}{
		"words":    {ask(project.Customer, Said{Words: words}), "Carl", "Look"},
		"a file":   {ask(project.Customer, Said{File: true}), "Carl", ""},
		"caption":  {ask(project.Customer, Said{Words: words, File: true}), "Carl", "Look"},
		"internal": {ask(project.Internal, Said{Words: words}), "", ""},
	} {
		if who, words := c.h.glimpse(); who != c.name || words != c.words {
			t.Errorf("%s: %q %q", name, who, words)
		}
	}
}
