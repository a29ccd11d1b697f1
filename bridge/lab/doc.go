// Package lab runs the whole system for those who test it or try it: real homeservers as subprocesses, the bridge's own binary, and people
// who act through the Client-Server API with a client that shares no code with the bridge.
//
// Tests use it, and the demo, which is a program: nothing here needs the package testing. Scenarios stand in bridge/scenario, by subject, and most of them play beside others on a
// homeserver that they share (package labtest has what needs a *testing.T). One that stops or kills its homeserver has a World of its own:
//
//	w := lab.NewWorld(t, lab.WorldOptions{Server: lab.KindDendrite})
//	carl, rooms := w.Person("carl"), w.Project("acme")
//	question := carl.Text(rooms["customer"], "When will my invoice be paid?")
//	w.Person("mia").Wait("Carl's question", lab.ID(question))
//
// Nothing here sleeps: a Client keeps what its /sync brought, and Wait blocks until something new came. Every subprocess
// dies with the test binary, even if that is killed. The servers come from `make servers`; a test that needs one that is
// missing is skipped, or fails where CI is set, because a skipped scenario proves nothing.
package lab

import "time"

// Domain is the server name of every homeserver here. It resolves nowhere and nothing is federated.
const Domain = "lanes.test"

// Patience is how long a Wait lasts at most. It is generous because two cores may run three homeservers and a compiler;
// a passing test never waits for it.
const Patience = 90 * time.Second
