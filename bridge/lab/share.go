package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"lanekeeper/bridge/matrix"
)

// seats is how many bridges one shared homeserver knows. Each costs it a little at every event, as each has a registration;
// the next homeserver costs some seconds at its start.
const seats = 10

// seat is a place for one bridge at a shared homeserver: an application service with a namespace and an address of its own,
// which the homeserver knows from its start on.
type seat struct {
	name             string // of the bot, and what its ghosts and aliases begin with
	port             int
	asToken, hsToken string
	suffix           string // of the people's names
}

// ground is a homeserver that several Worlds stand on. It ends when its seats are used up and their Worlds are gone, or with
// the program.
type ground struct {
	hs      *Homeserver
	free    []seat
	worlds  int
	cleanup []func()
}

// grounds are those with free seats, by what they have been asked to be.
var grounds = struct {
	sync.Mutex
	open map[string]*ground
	main bool // CleanUp will be called
}{open: map[string]*ground{}}

// CleanUp ends the shared homeservers that are left, and Prism. Who asks for a shared World calls it at the end of the program.
func CleanUp() {
	endPrism()
	grounds.Lock()
	defer grounds.Unlock()
	for key, g := range grounds.open {
		g.end()
		delete(grounds.open, key)
	}
}

func (g *ground) end() {
	for i := len(g.cleanup) - 1; i >= 0; i-- {
		g.cleanup[i]()
	}
}

// share gives a view of a shared homeserver for this test, and a seat there.
func share(t T, kind Kind, o Options) (*Homeserver, seat) {
	t.Helper()
	grounds.Lock()
	defer grounds.Unlock()
	key := fmt.Sprintf("%s %+v", kind, o)
	g := grounds.open[key]
	if g == nil {
		g = newGround(t, kind, o)
	}
	s := g.free[0]
	g.free = g.free[1:]
	g.worlds++
	if len(g.free) == 0 {
		delete(grounds.open, key)
	} else {
		grounds.open[key] = g
	}
	t.Cleanup(func() {
		grounds.Lock()
		defer grounds.Unlock()
		if g.worlds--; g.worlds == 0 && len(g.free) == 0 {
			g.end()
		}
	})
	return g.hs.view(t), s
}

// newGround starts a homeserver that knows all its seats.
func newGround(t T, kind Kind, o Options) *ground {
	t.Helper()
	g := &ground{}
	registrations := []string{masquerade}
	hs := Prepare(outliving{t, g}, kind, o)
	for n := range seats {
		name := fmt.Sprintf("lanekeeper%d", n+1)
		s := seat{name: name, port: freePort(t), asToken: name + "_as_token", hsToken: name + "_hs_token", suffix: fmt.Sprintf("-%d", n+1)}
		r, err := matrix.Registration(matrix.Config{
			Domain: Domain, ID: name, ASToken: s.asToken, HSToken: s.hsToken, BotLocalpart: name, GhostPrefix: name + "_",
		}, fmt.Sprintf("http://127.0.0.1:%d", s.port), true)
		if err != nil {
			t.Fatal(err)
		}
		g.free = append(g.free, s)
		registrations = append(registrations, string(r))
	}
	hs.registrations = registrations
	hs.Start()
	g.hs = hs
	return g
}

// view is the same homeserver for another test. It cannot be ended by it.
func (hs *Homeserver) view(t T) *Homeserver {
	v := &Homeserver{Kind: hs.Kind, URL: hs.URL, Domain: hs.Domain, Dir: hs.Dir, secret: hs.secret, t: t, current: hs.current, shared: true}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s's log:\n%s", hs.Kind, v.LogTail(200))
		}
	})
	return v
}

// outliving is a test that starts what others go on using when it has ended.
type outliving struct {
	T
	g *ground
}

func (o outliving) Context() context.Context { return context.WithoutCancel(o.T.Context()) }

func (o outliving) Cleanup(f func()) { o.g.cleanup = append(o.g.cleanup, f) }

// Failed: whose failure it is does not show here; each World tells of its own.
func (o outliving) Failed() bool { return false }

func (o outliving) TempDir() string {
	dir, err := os.MkdirTemp("", "lanekeeper-lab-")
	if err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// masquerade is an application service that may act for everybody called olga, and may set the time of what she says.
const masquerade = `id: masquerade
url: null
as_token: masquerade_as_token
hs_token: masquerade_hs_token
sender_localpart: masquerade
rate_limited: false
namespaces:
  users: [{regex: "@olga.*:.*", exclusive: false}]
  rooms: []
  aliases: []
`

// Earlier is a client of somebody called olga on a shared homeserver that may say, by ?ts=, when something was said.
func (w *World) Earlier(name string) *Client {
	return As(w.t, w.Homeserver.URL, w.ID(name), "masquerade_as_token")
}

// writeRegistrations writes them into the server's directory, and gives the YAML list of the files.
func (hs *Homeserver) writeRegistrations() string {
	hs.t.Helper()
	var files []string
	for i, r := range hs.registrations {
		name := fmt.Sprintf("registration%d.yaml", i)
		hs.write(name, r)
		files = append(files, filepath.Join(hs.Dir, name))
	}
	return "[" + strings.Join(files, ", ") + "]"
}
