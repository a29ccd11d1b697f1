package access_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
	"lanekeeper/bridge/store"
)

// held are commands whose change does not come about as long as the proxy stands in its way.
type held struct {
	withheld, refused string // events of the commands
	rooms             [2]map[string]string
	slugs             [2]string
}

// hold adds somebody to two projects. The invitations to one do not get through; those to the other the homeserver refuses.
func hold(w *lab.World) held {
	var h held
	for i := range h.rooms {
		h.slugs[i], h.rooms[i] = w.NewProject()
	}
	w.Proxy.Set(func(_ int, r *http.Request) lab.Fault {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/invite"):
		case strings.Contains(r.URL.Path, h.rooms[0]["customer"]):
			return lab.HangUpBefore
		case strings.Contains(r.URL.Path, h.rooms[1]["customer"]):
			return lab.Refuse
		}
		return lab.Pass
	}, nil)
	root := w.Person("root")
	h.withheld = root.Text(w.Direct("root"), "add "+w.ID("cleo")+" stakeholder "+h.slugs[0])
	h.refused = root.Text(w.Direct("root"), "add "+w.ID("cleo")+" stakeholder "+h.slugs[1])
	return h
}

// A command whose change Matrix does not show within 30 seconds is answered as pending, and the answer is edited when it stands:
// one notice all the same. HAND-08.
func TestPending(t *testing.T) { labtest.Both(t, lab.WorldOptions{Proxy: true}, pending) }

func pending(t *testing.T, w *lab.World) {
	h, root := hold(w), w.Person("root")
	pending := func(command string) lab.Event {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), store.PendingAfter+lab.Patience)
		defer cancel()
		e, ok := root.WaitFor(ctx, lab.From(w.Bot()), lab.Answering(command), lab.NotEdit, func(e lab.Event) bool {
			r := e.Object("lanekeeper.result")
			return r != nil && r["pending"] == true && r["ok"] == true && e.Notice()
		})
		if !ok {
			t.Fatal("root does not see that a command is pending")
		}
		return e
	}
	pending(h.withheld)
	refused := pending(h.refused)
	w.Out("the customer lane", h.rooms[0]["customer"], "cleo")
	root.Wait("that the homeserver refuses", lab.In(w.SuperAdmin()), lab.Says("not today"))
	// What is refused holds up nothing else, and nothing else makes it look done.
	w.Must("mia", h.rooms[0]["internal"], "!lane ping")
	w.Must("mia", h.rooms[1]["internal"], "!lane accept "+w.ID("xavi"))
	if _, done := root.Saw(func(e lab.Event) bool {
		r := e.Object("lanekeeper.result")
		return e.Replaces() == refused.ID && r != nil && r["pending"] == nil
	}); done {
		t.Error("what the homeserver refuses is answered as done")
	}
	w.Proxy.Set(nil, nil)
	w.Person("root").Text(w.Direct("root"), "apply "+h.slugs[1])
	for i, command := range []string{h.withheld, h.refused} {
		r := w.ResultOf("root", command)
		if !r.OK || r.Fields["pending"] != nil || !strings.Contains(r.Text, "stakeholder") || strings.Contains(r.Text, "Still working on it") {
			t.Errorf("in the end: %s", r)
		}
		w.Person("cleo").WaitIn("the customer lane", h.rooms[i]["customer"])
		if n := len(root.Events(lab.From(w.Bot()), lab.Answering(command), lab.NotEdit)); n != 1 {
			t.Errorf("the command has %d answers", n)
		}
	}
}
