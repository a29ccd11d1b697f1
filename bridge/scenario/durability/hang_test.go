package durability_test

import (
	"net/http"
	"strings"
	"testing"

	"lanekeeper/bridge/lab"
)

// C2: invitations and joins that never get an answer hold up neither the messages to
// a healthy room, nor other invitations, nor the removal of somebody from another
// room of the same project.
func TestCallsThatHang(t *testing.T) {
	t.Parallel()
	w := lab.NewWorld(t, lab.WorldOptions{Proxy: true, Shared: true, People: []string{"root", "mia", "carl", "cleo", "xena", "xavi", "eve"}})
	rooms := w.Project("acme", "--expert", w.ID("xena"))
	other := w.Project("beta")
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	direct := w.Direct("root")
	w.Proxy.Set(func(_ int, r *http.Request) lab.Fault {
		invites := strings.HasSuffix(r.URL.Path, "/invite") && strings.Contains(r.URL.Path, rooms["customer"])
		if invites || strings.HasSuffix(r.URL.Path, "/join") {
			return lab.Hang
		}
		return lab.Pass
	}, nil)
	for range 20 {
		w.Person("eve").CreateRoom(map[string]any{"is_direct": true, "preset": "private_chat", "invite": []string{w.Bot()}})
	}
	w.Person("root").Text(direct, "add "+w.ID("cleo")+" stakeholder acme")
	w.Person("mia").Wait("cleo's level, which comes before her invitation", lab.In(rooms["customer"]), lab.OfType("m.room.power_levels"), func(e lab.Event) bool {
		_, listed := e.Object("users")[w.ID("cleo")]
		return listed
	})
	w.Must("root", direct, "remove "+w.ID("xena")+" acme")
	w.Out("the internal lane", rooms["internal"], "xena")
	w.Must("mia", other["internal"], "!lane ping")
	w.Must("mia", rooms["internal"], "!lane ping")
	w.Must("root", direct, "add "+w.ID("xavi")+" expert beta")
	w.Person("xavi").WaitIn("the internal lane of another project", other["internal"])
	if n := w.Proxy.GivenUp(); n > 0 {
		t.Errorf("all of that came after %d calls had been given up", n)
	}
	w.Proxy.Set(nil, nil)
	w.Person("cleo").WaitIn("the customer lane, in the end", rooms["customer"])
}
