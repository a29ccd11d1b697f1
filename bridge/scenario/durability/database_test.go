package durability_test

import (
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/postgres"
)

// TestDatabaseHangs lets PostgreSQL hang, which takes everything and answers nothing, in a conversation. The process goes on by itself
// when the database does, and ends in time (Bridge.Stop insists) while it hangs. Nothing is lost.
func TestDatabaseHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("needs PostgreSQL")
	}
	proxy := postgres.NewProxy(t, postgres.Database(t))
	k := newTalk(t, lab.WorldOptions{Shared: true, Bridge: lab.BridgeOptions{Database: proxy.URI}})
	k.interrupt(10, func() {
		proxy.Freeze()
		k.Bridge.Until("it to notice", func() bool { return k.Bridge.Answers("/readyz") == 503 })
		proxy.Thaw()
		k.Bridge.Until("it to begin again", func() bool { return strings.Count(k.Bridge.Log(), works) == 2 })
		k.Bridge.Ready()
	})
	k.arrive(60 * time.Second)
	k.interrupt(10, func() {
		proxy.Freeze()
		k.Bridge.Stop()
		proxy.Thaw()
		k.Bridge.Start()
	})
	k.arrive(60 * time.Second)
}
