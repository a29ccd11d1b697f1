package relay_test

import (
	"testing"

	"lanekeeper/bridge/relay"
)

// R6: what a client names as the root of its thread blocks nobody else: a root counts
// in the room where it stands, and for no other room.
func TestForeignRoots(t *testing.T) {
	each(t, nil, func(w *world) {
		question := w.wrote(carl, "customer", body("Where is my invoice?")).ID
		ask := func(room, thread string) int64 {
			t.Helper()
			ev := w.wrote(xena, room, body("!lane human x"))
			return w.ask(relay.AskInput{Asker: xena, Room: w.rooms[room], Event: ev.ID, Question: "x", Thread: thread, At: ev.TS})
		}
		first := ask("direct"+xena, question)
		if mine := w.hands(carl, "customer", question, ""); mine == first {
			t.Errorf("R6 Carl's question joined %d", first)
		}
		for _, root := range []string{question, "$nosuch", "~ask:5", "~ask:6"} {
			n := ask("internal", root)
			h, err := w.s.Handoff(w.ctx, n)
			if err != nil || string(h.Thread) == root {
				t.Errorf("R6 %s is the root of #%d: %v", root, n, err)
			}
		}
		if root := w.wrote(mia, "internal", body("one of this room")).ID; true {
			n := ask("internal", root)
			if h, err := w.s.Handoff(w.ctx, n); err != nil || string(h.Thread) != root {
				t.Errorf("a root of this room: #%d has %s, %v", n, h.Thread, err)
			}
		}
	})
}
