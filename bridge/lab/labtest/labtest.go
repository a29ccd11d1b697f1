// Package labtest lets tests play in the lab.
//
// A scenario is a function of a World. In a package of scenarios TestMain calls Main, and a test reads like this:
//
//	func TestHello(t *testing.T) { labtest.Both(t, lab.WorldOptions{}, hello) }
//
//	// What carl says in the customer lane, mia reads.
//	func hello(t *testing.T, w *lab.World) {
//		_, rooms := w.NewProject()
//		said := w.Person("carl").Text(rooms["customer"], "Hello!")
//		w.Person("mia").Wait("Carl's hello", lab.ID(said))
//	}
package labtest

import (
	"flag"
	"os"
	"testing"

	"lanekeeper/bridge/lab"
)

// scenarios is how many of them play at the same time: they wait for servers more than they compute.
const scenarios = "4"

// Main runs the tests of a package of scenarios, and ends the homeservers that they shared.
func Main(m *testing.M) {
	if err := flag.Set("test.parallel", scenarios); err != nil { // -parallel on the command line comes later
		panic(err)
	}
	code := m.Run()
	lab.CleanUp()
	os.Exit(code)
}

// Scenario is something that people do, and what comes of it.
type Scenario func(t *testing.T, w *lab.World)

// Both plays a scenario on Synapse with SQLite and on Dendrite with PostgreSQL, each beside others on a homeserver that they
// share. In the end each command has one answer, and nothing is left to do.
func Both(t *testing.T, o lab.WorldOptions, play Scenario) {
	t.Parallel()
	t.Run("Synapse and SQLite", func(t *testing.T) { onSynapse(t, o, play) })
	t.Run("Dendrite and PostgreSQL", func(t *testing.T) { onDendrite(t, o, play) })
}

// OnSynapse is Both on Synapse alone.
func OnSynapse(t *testing.T, o lab.WorldOptions, play Scenario) { onSynapse(t, o, play) }

func onSynapse(t *testing.T, o lab.WorldOptions, play Scenario) {
	o.Server = lab.KindSynapse
	shared(t, o, play)
}

func onDendrite(t *testing.T, o lab.WorldOptions, play Scenario) {
	if testing.Short() {
		t.Skip("the smoke test is enough for -short runs")
	}
	o.Server, o.Bridge.Postgres = lab.KindDendrite, true
	shared(t, o, play)
}

func shared(t *testing.T, o lab.WorldOptions, play Scenario) {
	t.Parallel()
	o.Shared = true
	w := lab.NewWorld(t, o)
	play(t, w)
	w.CheckAnswers()
	w.CheckSettled("in the end")
}

// EachServer runs a test against every homeserver, each its own, beside each other.
func EachServer(t *testing.T, o lab.Options, test func(t *testing.T, hs *lab.Homeserver)) {
	t.Run("synapse", func(t *testing.T) { t.Parallel(); test(t, lab.Synapse(t, o)) })
	t.Run("dendrite", func(t *testing.T) { t.Parallel(); test(t, lab.Dendrite(t, o)) })
}
