package durability_test

import (
	"net/url"
	"sync"
	"testing"
	"time"

	"lanekeeper/bridge/emulator"
	"lanekeeper/bridge/lab"
)

// TestStop ends the bridge with SIGTERM at random moments of a conversation. It ends within ten seconds with code 0 (Bridge.Stop insists), and
// nothing is lost: OPS-05.
func TestStop(t *testing.T) {
	k := newTalk(t, lab.WorldOptions{Shared: true})
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

// TestStopWhileTwilioHangs stops the bridge while Twilio has a message and does not answer. The bridge ends in time all the same, and knows
// after its start that the message is there.
func TestStopWhileTwilioHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	k := newTalk(t, lab.WorldOptions{Shared: true})
	asked, answer := make(chan struct{}), make(chan struct{})
	hang := sync.OnceFunc(func() {
		close(asked)
		<-answer
	})
	k.Phones.Faults(emulator.Fault{Match: func(url.Values) bool { hang(); return false }})
	for range 3 {
		k.asked++
		k.ask(k.asked)
	}
	<-asked
	k.Bridge.Stop()
	close(answer)
	k.Bridge.Start()
	k.arrive(60 * time.Second)
}

// TestHomeserverAway starts the bridge before the homeserver, and lets that go away again: /readyz says so each time, and what was written
// meanwhile arrives.
func TestHomeserverAway(t *testing.T) {
	// Dendrite's queue is in memory in tests: what it has not handed to its own /sync when it ends never comes.
	k := newTalk(t, lab.WorldOptions{Server: lab.KindSynapse})
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
