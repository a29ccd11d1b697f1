package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/reconcile"
)

// LANE-02, LANE-03, LANE-04, LANE-08, LANE-15: rooms of every version are made, stay
// as they are, and heal from what somebody with our token does to them.
func TestOnRealServers(t *testing.T) {
	eachServer(t, func(l *site) {
		versions := []string{"10", "11", "12"}
		if testing.Short() {
			versions = versions[2:]
		}
		for _, version := range versions {
			inner := *l
			l.Run(version, func(t *testing.T) {
				l := &inner
				l.T = t
				p := l.acme()
				l.look(p.ID, version)
				rooms := l.rooms(p)
				if got := l.ours(p); !maps.Equal(got, oneOfEach) {
					t.Fatalf("rooms %v", got)
				}
				if v := l.vandal.State(rooms["customer"], "m.room.create", "").Field("room_version"); v != version {
					t.Errorf("version %q", v)
				}
				l.steady(p.ID, version, "new")
				l.joins("carl", rooms["customer"])
				for _, kind := range []string{"customer", "internal", "notes", "space"} {
					l.joins("mia", rooms[kind])
				}
				l.joins("xena", rooms["internal"])
				l.steady(p.ID, version, "joined")
				l.vandalism(p, version, rooms)
				l.coming(p, version, rooms)
				if version != "12" {
					l.peer(p, version, rooms)
				}
			})
		}
	})
}

// vandalism does what can be done with our token, and looks.
func (l *site) vandalism(p *project.Project, version string, rooms map[string]string) {
	l.Helper()
	customer, v := rooms["customer"], l.vandal
	levels := v.State(customer, "m.room.power_levels", "").Body
	levels["users"].(map[string]any)[l.id("carl")] = 75
	levels["invite"], levels["events"] = 0, map[string]any{"m.room.name": 0}
	put := func(room, typ, key string, content any) {
		l.Helper()
		if r := v.PutState(room, typ, key, content); !r.OK() {
			l.Fatalf("vandalism: %s: %s", typ, r)
		}
	}
	put(customer, "m.room.join_rules", "", map[string]any{"join_rule": "public"})
	put(customer, "m.room.history_visibility", "", map[string]any{"history_visibility": "world_readable"})
	put(customer, "m.room.guest_access", "", map[string]any{"guest_access": "can_join"})
	put(customer, "m.room.name", "", map[string]any{"name": "Nice lane"})
	put(customer, "m.space.parent", rooms["space"], map[string]any{"via": []string{l.hs.Domain}})
	put(customer, "m.room.server_acl", "", map[string]any{"allow": []string{"*"}, "deny": []string{"else.test"}})
	put(customer, "lanekeeper.lane", "", map[string]any{"project": "x", "kind": "notes"})
	put(customer, "m.room.power_levels", "", levels)
	put(rooms["space"], "m.space.child", customer, map[string]any{})
	put(rooms["space"], "m.space.child", "!other:"+l.hs.Domain, map[string]any{"via": []string{l.hs.Domain}})
	put(rooms["internal"], "m.room.tombstone", "", map[string]any{"body": "moved", "replacement_room": customer})
	if r := l.people["eve"].Join(customer); !r.OK() {
		l.Fatalf("eve cannot join a public room: %s", r)
	}
	if r := v.Kick(customer, l.id("mia")); !r.OK() {
		l.Fatal(r)
	}
	if r := v.Do(http.MethodPost, "/rooms/"+url.PathEscape(customer)+"/ban", map[string]any{"user_id": l.id("carl")}); !r.OK() {
		l.Fatal(r)
	}
	l.look(p.ID, version)
	l.steady(p.ID, version, "healed")
	for name, want := range map[string]string{"mia": "invite", "carl": "invite", "eve": "leave"} {
		if is := l.membership(customer, name); is != want {
			l.Errorf("%s is %q, want %q", name, is, want)
		}
	}
	if name := v.State(customer, "m.room.name", "").Field("name"); name != "Customer · Nice lane" {
		l.Errorf("name %q", name)
	}
	if level := v.Level(customer, l.id("carl")); level != 20 {
		l.Errorf("carl has %d", level)
	}
	l.joins("carl", customer)
	l.joins("mia", customer)
	if r := l.people["mia"].PutState(customer, "m.room.name", "", map[string]any{"name": "customer: Mia's"}); !r.OK() {
		l.Errorf("a manager cannot rename: %s", r)
	}
	l.steady(p.ID, version, "renamed by who may")
}

// coming follows people in and out.
func (l *site) coming(p *project.Project, version string, rooms map[string]string) {
	l.Helper()
	customer := rooms["customer"]
	ghost := l.id(fmt.Sprintf("lanekeeper_agent_%d", l.count.Add(1)))
	p.Grants = []project.Grant{{User: l.id("xena"), Lane: project.Customer, Access: project.Text, Since: time.Now()}}
	p.Guests = []project.Guest{{User: ghost, Name: "Dana", Lane: project.Customer}}
	l.save(p)
	l.look(p.ID, version)
	if is := l.vandal.State(customer, "m.room.member", ghost).Field("membership"); is != "join" || l.vandal.Level(customer, ghost) != 10 {
		l.Errorf("the ghost is %q", is)
	}
	l.joins("xena", customer)
	if level := l.vandal.Level(customer, l.id("xena")); level != 10 {
		l.Errorf("xena has %d", level)
	}
	p.Grants = nil
	l.save(p)
	l.look(p.ID, version)
	if is := l.membership(customer, "xena"); is != "leave" {
		l.Errorf("xena is %q", is)
	}
	if r := l.people["carl"].Leave(customer); !r.OK() {
		l.Fatal(r)
	}
	l.look(p.ID, version)
	if is := l.membership(customer, "carl"); is != "leave" {
		l.Errorf("who left by himself is %q", is)
	}
	l.steady(p.ID, version, "left")
	p.Person(l.id("carl")).Since = time.Now().Add(time.Millisecond)
	l.save(p)
	l.look(p.ID, version)
	if is := l.membership(customer, "carl"); is != "invite" {
		l.Errorf("who was added again is %q", is)
	}
	p.Status = project.Archived
	l.save(p)
	l.look(p.ID, version)
	l.steady(p.ID, version, "archived")
}

// peer raises somebody to the bot's own level, where nobody can lower them.
func (l *site) peer(p *project.Project, version string, rooms map[string]string) {
	l.Helper()
	room := rooms["internal"]
	levels := l.vandal.State(room, "m.room.power_levels", "").Body
	levels["users"].(map[string]any)[l.id("xena")] = 100
	levels["redact"] = 0
	if r := l.vandal.PutState(room, "m.room.power_levels", "", levels); !r.OK() {
		l.Fatal(r)
	}
	l.look(p.ID, version)
	steps, err := l.fresh(l.hs.URL, version).Plan(l.Context(), l.projects(p.ID), true)
	if err != nil || len(steps) != 1 || steps[0].Op != reconcile.OpImpossible || !strings.Contains(steps[0].Text, l.id("xena")) {
		l.Errorf("plan %v %v", steps, err)
	}
	if n := l.vandal.State(room, "m.room.power_levels", "").Body["redact"]; n != 50.0 {
		l.Errorf("the rest of the levels stayed: %v", n)
	}
}

// A process that dies before or after any write to a real homeserver is followed by
// one that finishes: one room of each kind. (MSG-02)
func TestInterruptedOnRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("many projects")
	}
	eachServer(t, func(l *site) {
		version := map[lab.Kind]string{lab.KindSynapse: "12", lab.KindDendrite: "10"}[l.hs.Kind]
		l.look(l.small().ID, version) // uploads the pictures, which others need not
		p := l.small()
		all := l.look(p.ID, version)
		for n := 1; n <= all; n++ {
			faults := []lab.Fault{lab.HangUpAfter, lab.HangUpBefore}
			if n > 4 { // all rooms are made
				faults = faults[n%2 : n%2+1]
			}
			for _, fault := range faults {
				p := l.small()
				l.proxy.Set(func(i int, _ *http.Request) lab.Fault {
					if i >= n { // nothing gets through any more
						if i == n {
							return fault
						}
						return lab.HangUpBefore
					}
					return lab.Pass
				}, nil)
				if err := l.fresh(l.proxy.URL, version).Look(l.Context(), p.ID); err == nil {
					l.Fatalf("write %d did not fail", n)
				}
				l.later(time.Minute)
				l.look(p.ID, version)
				if got := l.ours(p); !maps.Equal(got, oneOfThree) {
					l.Errorf("write %d, fault %d: rooms %v", n, fault, got)
				}
				l.steady(p.ID, version, fmt.Sprintf("after write %d", n))
			}
		}
	})
}

// A creation from which the client walks away in the middle leaves something else
// behind on each homeserver. (MSG-02)
func TestCreationCutOffOnRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("many projects")
	}
	reconcile.Settling(500 * time.Millisecond)
	eachServer(t, func(l *site) {
		target, err := url.Parse(l.hs.URL)
		if err != nil {
			l.Fatal(err)
		}
		var patience atomic.Int64 // of the proxy with a creation, in ms; 0: endless
		forward := &httputil.ReverseProxy{
			Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
			ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		}
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if ms := patience.Load(); ms > 0 && strings.HasSuffix(r.URL.Path, "/createRoom") {
				ctx, cancel := context.WithTimeoutCause(r.Context(), time.Duration(ms)*time.Millisecond, errors.New("walks away"))
				defer cancel()
				r = r.WithContext(ctx)
			}
			forward.ServeHTTP(w, r)
		}))
		l.Cleanup(proxy.Close)
		for _, ms := range []int64{3, 11, 20, 40, 70, 110} {
			p := l.small()
			patience.Store(ms)
			failed := l.fresh(proxy.URL, "12").Look(l.Context(), p.ID)
			patience.Store(0)
			l.look(p.ID, "12")
			if got := l.ours(p); !maps.Equal(got, oneOfThree) {
				l.Errorf("cut off after %d ms (%v): rooms %v", ms, failed, got)
			}
			l.steady(p.ID, "12", fmt.Sprintf("cut off after %d ms", ms))
		}
	})
}

// MSG-02: the direct chat of the bot with somebody is one room, to which they come
// when there is something to say.
func TestDirectOnRealServers(t *testing.T) {
	eachServer(t, func(l *site) {
		carl := l.people["carl"]
		for _, fault := range []lab.Fault{lab.HangUpBefore, lab.HangUpAfter} {
			l.newStore()
			l.proxy.Set(func(_ int, r *http.Request) lab.Fault {
				if strings.HasSuffix(r.URL.Path, "/createRoom") {
					return fault
				}
				return lab.Pass
			}, nil)
			if _, err := l.fresh(l.proxy.URL, "").EnsureDirect(l.Context(), carl.ID); !matrix.Temporary(err) {
				l.Fatalf("no answer is %v", err)
			}
			l.later(time.Minute)
			room, err := l.fresh(l.hs.URL, "").EnsureDirect(l.Context(), carl.ID)
			if err != nil {
				l.Fatal(err)
			}
			if again, err := l.fresh(l.hs.URL, "").EnsureDirect(l.Context(), carl.ID); again != room || err != nil {
				l.Errorf("again %s %v", again, err)
			}
			l.joins("carl", room)
			if h := l.vandal.State(room, "m.room.history_visibility", "").Field("history_visibility"); h != "shared" {
				l.Errorf("history %q", h)
			}
			if a := l.vandal.State(room, "m.room.canonical_alias", "").Field("alias"); a != "" {
				l.Errorf("alias %q", a)
			}
			if mark := l.vandal.State(room, "lanekeeper.lane", ""); mark.OK() {
				l.Errorf("a direct chat is marked: %s", mark)
			}
			if r := carl.Invite(room, l.id("eve")); !r.Refused() {
				l.Errorf("carl brings in somebody: %s", r)
			}
			if r := carl.Leave(room); !r.OK() {
				l.Fatal(r)
			}
			left := carlLeft(l, room)
			if err := l.store.PutState(l.Context(), left); err != nil {
				l.Fatal(err)
			}
			if again, err := l.fresh(l.hs.URL, "").EnsureDirect(l.Context(), carl.ID); again != room || err != nil {
				l.Errorf("after leaving %s %v", again, err)
			}
			if is := l.membership(room, "carl"); is != "invite" {
				l.Errorf("carl is %q", is)
			}
		}
	})
}

func carlLeft(l *site, room string) *matrix.Event {
	l.Helper()
	events, err := l.client(l.hs.URL).State(l.Context(), room)
	if err != nil {
		l.Fatal(err)
	}
	for _, e := range events {
		if e.IsState("m.room.member", l.id("carl")) {
			return e
		}
	}
	l.Fatal("carl was never there")
	return nil
}
