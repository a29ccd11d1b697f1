package story_test

import (
	"testing"

	"lanekeeper/bridge/lab"
)

// TestSmoke is the shortest scenario that touches everything between a command and a room: it runs in seconds.
func TestSmoke(t *testing.T) {
	w := lab.NewWorld(t, lab.WorldOptions{People: []string{"root", "mia", "carl", "xena"}})
	if r := w.Must("carl", w.Direct("carl"), "ping"); r.Text == "" {
		t.Errorf("ping is answered without words: %s", r)
	}
	rooms := w.Project("acme")
	hello := w.Person("carl").Text(rooms["customer"], "Hello!")
	w.Person("mia").Wait("Carl's hello", lab.ID(hello))
	w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	w.Must("mia", rooms["internal"], "!lane approve "+w.ID("xena")+" text please ask Carl")
	w.Person("xena").WaitIn("the customer lane", rooms["customer"])
	w.Bridge.Restart()
	w.Must("mia", rooms["internal"], "!lane revoke "+w.ID("xena"))
	w.Person("xena").WaitOut("the customer lane", rooms["customer"])
	w.CheckAnswers()
	w.CheckSettled("in the end")
}
