package durability_test

import (
	"testing"
	"time"

	"lanekeeper/bridge/lab"
)

// TestTalkBridgeKilled kills the bridge with kill -9 at random moments of a conversation. What Twilio could not bring while it was
// down is found by the listing: MSG-02.
func TestTalkBridgeKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Parallel()
	for _, c := range []struct {
		name  string
		kills int
		world lab.WorldOptions
	}{
		{"Synapse and SQLite", 6, lab.WorldOptions{Server: lab.KindSynapse, Shared: true}},
		{"Dendrite and PostgreSQL", 4, lab.WorldOptions{Server: lab.KindDendrite, Shared: true, Bridge: lab.BridgeOptions{Postgres: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk(t, c.world)
			for range c.kills {
				k.interrupt(8, func() {
					for again := true; again; again = k.random.IntN(4) == 0 { // some starts are killed, too
						k.Bridge.Kill9()
						if err := k.Bridge.Launch(); err != nil {
							t.Error(err)
						}
						k.jitter(300 * time.Millisecond)
					}
					k.Bridge.Ready()
				})
			}
			k.arrive(90 * time.Second)
			k.CheckSettled("after the kills")
		})
	}
}

// TestTalkHomeserverKilled ends Synapse in a conversation, at random moments, by kill -9 and as an operator does: MSG-02.
func TestTalkHomeserverKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	k := newTalk(t, lab.WorldOptions{Server: lab.KindSynapse})
	for i := range 4 {
		k.interrupt(8, func() {
			if i%2 == 0 {
				k.Homeserver.Kill9()
			} else {
				k.Homeserver.Stop()
			}
			k.Homeserver.Start()
		})
	}
	k.arrive(90 * time.Second)
	k.CheckSettled("after the kills")
}
