package durability_test

import (
	"fmt"
	"sync"
	"testing"

	"lanekeeper/bridge/lab"
)

// TestTwoRoomsAfterAnOutage approves in one room of a project and revokes in another while the bridge is stopped, and then so much
// is said in both that a sync leaves the decisions out. They are taken in the order in which they were made: M1, C3.
func TestTwoRoomsAfterAnOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for name, server := range map[string]struct {
		lab.WorldOptions
		said int // so much that a sync cuts it
	}{
		"Synapse and SQLite":      {lab.WorldOptions{Server: lab.KindSynapse}, 120},
		"Dendrite and PostgreSQL": {lab.WorldOptions{Server: lab.KindDendrite, Bridge: lab.BridgeOptions{Postgres: true}}, 1_020},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := server.WorldOptions
			o.People = []string{"root", "mia", "carl", "xena"}
			w := lab.NewWorld(t, o) // a homeserver of its own: others would wait for it
			_, rooms := w.NewExpert()
			w.Bridge.Stop()

			mia := w.Person("mia")
			approve, revoke := "!lane approve "+w.ID("xena")+" customer text", "!lane revoke "+w.ID("xena")
			var decided []string
			for _, c := range []struct{ room, words string }{
				{"notes", approve}, {"internal", revoke}, {"internal", approve}, {"notes", revoke}, {"notes", approve}, {"internal", revoke},
			} {
				decided = append(decided, mia.Text(rooms[c.room], c.words))
			}
			fill(mia, server.said, rooms["notes"], rooms["internal"])

			w.Bridge.Start()
			for i, event := range decided {
				r := w.ResultOf("mia", event)
				if !r.OK || r.Fields["changed"] == false {
					t.Errorf("decision %d: %s", i+1, r)
				}
			}
			if m := w.Membership(rooms["customer"], "xena"); m == "join" || m == "invite" {
				t.Errorf("the last word was that xena is out; she is %q", m)
			}
			w.Bridge.Stop()
		})
	}
}

// fill fills rooms with n messages each.
func fill(c *lab.Client, n int, rooms ...string) {
	var all sync.WaitGroup
	for _, room := range rooms {
		for part := range 2 {
			all.Go(func() {
				for i := range n / 2 {
					c.Text(room, fmt.Sprintf("%d.%d", part, i))
				}
			})
		}
	}
	all.Wait()
}
