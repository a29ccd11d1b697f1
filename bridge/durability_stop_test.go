package bridge_test

import (
	"testing"
	"time"

	"lanekeeper/bridge/bridgetest"
)

// TestStop ends the bridge with SIGTERM at random moments of a conversation. It ends within ten seconds with code 0 (Bridge.Stop insists), and
// nothing is lost: OPS-05.
func TestStop(t *testing.T) {
	k := newTalk(t, bridgetest.WorldOptions{})
	for range 4 {
		k.interrupt(10, func() {
			began := time.Now()
			k.Bridge.Stop()
			t.Logf("ended within %s", time.Since(began).Round(time.Millisecond))
			k.Bridge.Start()
		})
	}
	k.arrive(60 * time.Second)
}

// TestHomeserverAway starts the bridge before the homeserver, and lets that go away again: /readyz says so each time, and what was written
// meanwhile arrives.
func TestHomeserverAway(t *testing.T) {
	// Dendrite's queue is in memory in tests: what it has not handed to its own /sync when it ends never comes.
	k := newTalk(t, bridgetest.WorldOptions{Server: bridgetest.KindSynapse})
	k.Bridge.Stop()
	k.interrupt(5, func() {
		k.Homeserver.Stop()
		if err := k.Bridge.Launch(); err != nil {
			t.Error(err)
		}
		k.Bridge.Until("its address", func() bool { return k.Bridge.Answers("/livez") == 200 })
		if ready := k.Bridge.Answers("/readyz"); ready != 503 {
			t.Errorf("/readyz without a homeserver: %d", ready)
		}
		k.Homeserver.Start()
		k.Bridge.Ready()
	})
	k.interrupt(5, func() {
		k.Homeserver.Stop()
		k.Bridge.Until("/readyz to say that the homeserver is away", func() bool { return k.Bridge.Answers("/readyz") == 503 })
		k.Homeserver.Start()
		k.Bridge.Ready()
	})
	k.arrive(60 * time.Second)
}
