package bridge_test

import (
	"net/http"
	"strings"
	"testing"

	"lanekeeper/bridge/bridgetest"
)

// held are commands whose change does not come about as long as the proxy stands in its way.
type held struct {
	withheld, refused string // events of the commands
	rooms             [2]map[string]string
	slugs             [2]string
}

// hold adds somebody to two projects. The invitations to one do not get through; those to the other the homeserver refuses.
func (g *ground) hold() held {
	var h held
	for i := range h.rooms {
		h.slugs[i], h.rooms[i] = g.project()
	}
	g.Proxy.Set(func(_ int, r *http.Request) bridgetest.Fault {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/invite"):
		case strings.Contains(r.URL.Path, h.rooms[0]["customer"]):
			return bridgetest.HangUpBefore
		case strings.Contains(r.URL.Path, h.rooms[1]["customer"]):
			return bridgetest.Refuse
		}
		return bridgetest.Pass
	}, nil)
	root := g.Person("root")
	h.withheld = root.Text(g.Direct("root"), "add "+g.ID("cleo")+" stakeholder "+h.slugs[0])
	h.refused = root.Text(g.Direct("root"), "add "+g.ID("cleo")+" stakeholder "+h.slugs[1])
	return h
}

// A command whose change Matrix does not show within 30 seconds is answered as pending, and the answer is edited when it stands:
// one notice all the same, in its thread. HAND-08.
func (g *ground) pending(t *testing.T, h held) {
	root := g.Person("root")
	pending := func(command string) bridgetest.Event {
		return root.Wait("that it is pending", bridgetest.From(g.Bot()), bridgetest.InThread(command), bridgetest.NotEdit, func(e bridgetest.Event) bool {
			r := e.Object("lanekeeper.result")
			return r != nil && r["pending"] == true && r["ok"] == true && e.Notice()
		})
	}
	pending(h.withheld)
	refused := pending(h.refused)
	g.Out("the customer lane", h.rooms[0]["customer"], "cleo")
	root.Wait("that the homeserver refuses", bridgetest.In(g.SuperAdmin()), bridgetest.Says("not today"))
	// What is refused holds up nothing else, and nothing else makes it look done.
	g.Must("mia", h.rooms[0]["internal"], "!lane ping")
	g.Must("mia", h.rooms[1]["internal"], "!lane accept "+g.ID("xavi"))
	if _, done := root.Saw(func(e bridgetest.Event) bool {
		r := e.Object("lanekeeper.result")
		return e.Replaces() == refused.ID && r != nil && r["pending"] == nil
	}); done {
		t.Error("what the homeserver refuses is answered as done")
	}
	g.Proxy.Set(nil, nil)
	g.Person("root").Text(g.Direct("root"), "apply "+h.slugs[1])
	for i, command := range []string{h.withheld, h.refused} {
		r := g.ResultOf("root", command)
		if !r.OK || r.Fields["pending"] != nil || !strings.Contains(r.Text, "stakeholder") || strings.Contains(r.Text, "keep at it") {
			t.Errorf("in the end: %s", r)
		}
		g.Person("cleo").WaitIn("the customer lane", h.rooms[i]["customer"])
		if n := len(root.Events(bridgetest.From(g.Bot()), bridgetest.InThread(command), bridgetest.NotEdit)); n != 1 {
			t.Errorf("the command has %d answers", n)
		}
	}
}
