package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/policy"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/reconcile"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

const asToken = "reconcile_as_token"

func config(address string) matrix.Config {
	return matrix.Config{
		Address: address, Domain: lab.Domain, ASToken: asToken, HSToken: "reconcile_hs_token",
		BotLocalpart: "lanekeeper", BotName: "Lanekeeper", GhostPrefix: "lanekeeper_", ID: "lanekeeper",
	}
}

// site is a homeserver with people, and a database.
type site struct {
	*testing.T
	hs     *lab.Homeserver
	proxy  *lab.Proxy
	store  *store.Store
	people map[string]*lab.Client
	vandal *lab.Client // has our token
	count  *atomic.Int64
}

func eachServer(t *testing.T, test func(l *site)) {
	t.Helper()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	t.Cleanup(service.Close)
	registration, err := matrix.Registration(config(""), service.URL, true)
	if err != nil {
		t.Fatal(err)
	}
	labtest.EachServer(t, lab.Options{Registration: string(registration)}, func(t *testing.T, hs *lab.Homeserver) {
		l := &site{T: t, hs: hs, proxy: lab.NewProxy(t, hs.URL), people: map[string]*lab.Client{}, count: &atomic.Int64{}}
		for _, name := range []string{"carl", "mia", "xena", "eve"} {
			l.people[name] = hs.Register(name)
		}
		if err := l.client(hs.URL).EnsureBot(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.vandal = lab.As(t, hs.URL, hs.ID("lanekeeper"), asToken)
		l.newStore()
		test(l)
	})
}

func (l *site) newStore() {
	db := storetest.Open(l, store.SQLite, storetest.SQLite(l))
	l.store = &store.Store{
		DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Domain: lab.Domain, Now: time.Now,
		NewID: func() string { return fmt.Sprintf("t%d", l.count.Add(1)) },
	}
}

// later moves the bridge's clock.
func (l *site) later(d time.Duration) {
	now := l.store.Now
	l.store.Now = func() time.Time { return now().Add(d) }
}

func (l *site) client(address string) *matrix.Client {
	l.Helper()
	c, err := matrix.New(config(address), zerolog.Nop())
	if err != nil {
		l.Fatal(err)
	}
	return c
}

func (l *site) id(name string) string { return l.hs.ID(name) }

// fresh is the reconciler of a process that has just started.
func (l *site) fresh(address, version string) *reconcile.Reconciler {
	pol := policy.Default()
	pol.Bot = l.id("lanekeeper")
	pol.Permissions = policy.Permissions{"*": "none", l.id("mia"): "superadmin"}
	return &reconcile.Reconciler{Store: l.store, HS: l.client(address), Policy: pol, Log: zerolog.Nop(), Version: version}
}

// acme is a new agency project with a customer, a manager and an expert.
func (l *site) acme() *project.Project {
	return l.project("agency", map[string]project.Role{"carl": "customer", "mia": "manager", "xena": "expert"})
}

// small is a new project with few rooms and people.
func (l *site) small() *project.Project {
	return l.project("managed", map[string]project.Role{"mia": "manager"})
}

func (l *site) project(profile string, people map[string]project.Role) *project.Project {
	n := l.count.Add(1)
	p := &project.Project{ID: fmt.Sprintf("p%d", n), Slug: fmt.Sprintf("acme%d", n), Name: "Acme", Profile: profile, Status: project.Active, Created: time.Now()}
	for user, role := range people {
		p.People = append(p.People, project.Person{User: l.id(user), Role: role, Since: time.Now()})
	}
	l.save(p)
	return p
}

func (l *site) save(p *project.Project) {
	l.Helper()
	if err := l.store.Tx(l.Context(), func(ctx context.Context) error { return l.store.SaveProject(ctx, p) }); err != nil {
		l.Fatal(err)
	}
}

// look looks until it succeeds, and gives how much was written.
func (l *site) look(key, version string) int {
	l.Helper()
	l.proxy.Set(nil, nil)
	r := l.fresh(l.proxy.URL, version)
	for {
		err := r.Look(l.Context(), key)
		var again *reconcile.Again
		if !errors.As(err, &again) {
			if err != nil {
				l.Fatal(err)
			}
			return l.proxy.Writes()
		}
		select { // as the queue does
		case <-time.After(again.After):
		case <-l.Context().Done():
			l.Fatal(err)
		}
	}
}

// steady fails if a look still finds something.
func (l *site) steady(key, version, when string) {
	l.Helper()
	steps, err := l.fresh(l.hs.URL, version).Plan(l.Context(), l.projects(key), true)
	if err != nil || len(steps) > 0 {
		l.Fatalf("%s: plan %v %v", when, steps, err)
	}
	r := l.fresh(l.proxy.URL, version)
	if _, err := r.HS.Probe(l.Context()); err != nil {
		l.Fatal(err)
	}
	l.proxy.Set(nil, nil)
	if err := r.Look(l.Context(), key); err != nil || l.proxy.Writes() > 0 {
		l.Fatalf("%s: %d writes, %v", when, l.proxy.Writes(), err)
	}
}

func (l *site) projects(key string) []*project.Project {
	l.Helper()
	p, err := l.store.Project(l.Context(), key)
	if err != nil || p == nil {
		l.Fatalf("project %s: %v", key, err)
	}
	return []*project.Project{p}
}

func (l *site) rooms(p *project.Project) map[string]string {
	l.Helper()
	rows, err := l.store.Rooms(l.Context(), p.ID)
	if err != nil {
		l.Fatal(err)
	}
	ids := map[string]string{}
	for _, row := range rows {
		ids[row.Kind] = row.ID
	}
	return ids
}

func (l *site) joins(name, room string) {
	l.Helper()
	if r := l.people[name].Join(room); !r.OK() {
		l.Fatalf("%s cannot join: %s", name, r)
	}
}

func (l *site) membership(room, name string) string {
	return l.vandal.State(room, "m.room.member", l.id(name)).Field("membership")
}

// ours lists the rooms of a project that stand on the homeserver, known or not.
func (l *site) ours(p *project.Project) map[string]int {
	l.Helper()
	all, err := l.client(l.hs.URL).JoinedRooms(l.Context())
	if err != nil {
		l.Fatal(err)
	}
	count := map[string]int{}
	for _, room := range all {
		if mark := l.vandal.State(room, "lanekeeper.lane", ""); mark.Field("project") == p.ID {
			count[mark.Field("kind")]++
		}
	}
	return count
}

var (
	oneOfEach  = map[string]int{"customer": 1, "internal": 1, "notes": 1, "space": 1}
	oneOfThree = map[string]int{"customer": 1, "notes": 1, "space": 1}
)
