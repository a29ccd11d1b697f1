package bridge_test

import (
	"fmt"
	"testing"

	"lanekeeper/bridge/bridgetest"
)

// The bridge is killed at its writes to the homeserver, one after the other, while a project is made and an expert is let in.
// Everything is there in the end, once: MSG-02.
func TestKilledWhileMakingRooms(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	w := bridgetest.NewWorld(t, bridgetest.WorldOptions{Proxy: true, People: []string{"root", "mia", "carl", "xena"}})
	w.Direct("root")
	w.KillPoints(t, 3, func(t *testing.T, run int) {
		rooms := w.Project(fmt.Sprintf("run%d", run))
		w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
		w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	})
}
