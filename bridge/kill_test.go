package bridge_test

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/bridgetest"
)

// killed makes projects and kills the bridge, or the homeserver, while it does.
type killed struct {
	*bridgetest.World
	projects int
}

func newKilled(t *testing.T, o bridgetest.WorldOptions) *killed {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	o.Proxy, o.People = true, []string{"root", "mia", "carl", "xena"}
	w := &killed{World: bridgetest.NewWorld(t, o)}
	w.SuperAdmin()
	w.Direct("root")
	return w
}

// project makes a project, and an expert of xena, and checks that everybody is in their rooms and nowhere else.
func (w *killed) project(t *testing.T, name string) {
	rooms := w.Project(name)
	w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	w.projects++
	for kind, people := range map[string][]string{
		"space": {"mia"}, "customer": {"mia", "carl"}, "internal": {"mia", "xena"}, "notes": {"mia"},
	} {
		want := map[string]string{w.Bot(): "join"}
		for _, p := range people {
			want[w.ID(p)] = "join"
		}
		if kind == "space" {
			delete(want, w.ID("mia")) // she may not have joined yet
		}
		got := w.Bridge.AsBot().Members(rooms[kind])
		if kind == "space" {
			if m := got[w.ID("mia")]; m != "join" && m != "invite" {
				t.Errorf("mia's membership of the Space is %q", m)
			}
			delete(got, w.ID("mia"))
		}
		if !maps.Equal(got, want) {
			t.Errorf("in the %s room are %v, not %v", kind, got, want)
		}
	}
}

// checkRooms checks that the bot is in one room of each kind for each project, in one super-admin room, in one direct chat with each
// person, and in no other.
func (w *killed) checkRooms(t *testing.T) {
	bot := w.Bridge.AsBot()
	joined, _ := bot.Do(http.MethodGet, "/joined_rooms", nil).Body["joined_rooms"].([]any)
	count := map[string]int{}
	for _, id := range joined {
		room, _ := id.(string)
		if lane := bot.State(room, "lanekeeper.lane", ""); lane.OK() {
			count[strings.TrimSpace(lane.Field("kind")+" "+lane.Field("project"))]++
			continue
		}
		for user := range bot.Members(room) {
			if user != w.Bot() {
				count["direct "+user]++
			}
		}
	}
	kinds := map[string]int{}
	for key, n := range count {
		if n != 1 {
			t.Errorf("%d rooms: %s", n, key)
		}
		kind, _, _ := strings.Cut(key, " ")
		kinds[kind]++
	}
	for kind, want := range map[string]int{"super_admin": 1, "space": w.projects, "customer": w.projects, "internal": w.projects, "notes": w.projects} {
		if kinds[kind] != want {
			t.Errorf("%d projects have %d rooms of kind %s", w.projects, kinds[kind], kind)
		}
	}
	if w.Homeserver.Kind == bridgetest.KindSynapse {
		w.checkLeftovers(t, len(joined))
	}
}

// checkLeftovers looks into Synapse's database for rooms that the bot made and left behind, and for aliases without a room.
func (w *killed) checkLeftovers(t *testing.T, rooms int) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Homeserver.Dir, "homeserver.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []struct {
		what, query string
		want        int
	}{
		{"rooms that the bot made", "SELECT COUNT(*) FROM rooms WHERE creator=?", rooms - w.direct(t)},
		{"aliases without a room", "SELECT COUNT(*) FROM room_aliases a LEFT JOIN current_state_events s ON s.room_id=a.room_id AND s.type='m.room.create' WHERE s.room_id IS NULL AND ?<>''", 0},
		{"rooms with two aliases", "SELECT COUNT(*) FROM (SELECT room_id FROM room_aliases WHERE ?<>'' GROUP BY room_id HAVING COUNT(*)>1)", 0},
	} {
		var got int
		if err := db.QueryRow(q.query, w.Bot()).Scan(&got); err != nil {
			t.Fatalf("%s: %v", q.what, err)
		}
		if got != q.want {
			t.Errorf("%d %s, not %d", got, q.what, q.want)
		}
	}
}

// direct counts the rooms of the bot that somebody else made.
func (w *killed) direct(t *testing.T) (n int) {
	bot := w.Bridge.AsBot()
	joined, _ := bot.Do(http.MethodGet, "/joined_rooms", nil).Body["joined_rooms"].([]any)
	for _, id := range joined {
		room, _ := id.(string)
		events := bot.Do(http.MethodGet, "/rooms/"+room+"/state/m.room.create/?format=event", nil)
		if events.Field("sender") != w.Bot() {
			n++
		}
	}
	return n
}

// TestKilledAtEachWrite kills the bridge with kill -9 before and after every single write to the homeserver while projects are made. There is
// one room of each kind, nobody is missing, nothing is left over, and each command has one answer: MSG-02.
func TestKilledAtEachWrite(t *testing.T) {
	w := newKilled(t, bridgetest.WorldOptions{Server: bridgetest.KindSynapse})
	kills := w.KillPoints(t, bridgetest.Kills{Share: 4}, func(t *testing.T, run int) {
		w.project(t, fmt.Sprintf("run%d", run))
	})
	w.checkRooms(t)
	t.Logf("%d kills, %d projects", kills, w.projects)
	if kills < 40 && !t.Failed() {
		t.Error("these are too few to be all")
	}
}

// TestKilledAtSomeWrites is the same for a sample of the writes, on Dendrite and PostgreSQL.
func TestKilledAtSomeWrites(t *testing.T) {
	random := newRandom(t)
	w := newKilled(t, bridgetest.WorldOptions{Bridge: bridgetest.BridgeOptions{Postgres: true}})
	kills := w.KillPoints(t, bridgetest.Kills{Share: 2, Choose: func() bool { return random.IntN(5) == 0 }}, func(t *testing.T, run int) {
		w.project(t, fmt.Sprintf("run%d", run))
	})
	w.checkRooms(t)
	t.Logf("%d kills, %d projects", kills, w.projects)
}

// TestHomeserverKilledWhileMakingRooms kills Synapse inside of createRoom, where it leaves an alias without a room, a room without its first
// events, or one without its people: MSG-02.
func TestHomeserverKilledWhileMakingRooms(t *testing.T) {
	random := newRandom(t)
	w := newKilled(t, bridgetest.WorldOptions{Server: bridgetest.KindSynapse})
	for run, delays := range [][]time.Duration{{8, 90}, {25, 130}, {50, 180}} {
		restarted := make(chan struct{}, 4)
		creations := 0
		w.Proxy.Set(func(_ int, r *http.Request) bridgetest.Fault {
			if !strings.HasSuffix(r.URL.Path, "/createRoom") {
				return bridgetest.Pass
			}
			if creations++; creations%2 == 0 || creations/2 >= len(delays) {
				return bridgetest.Pass // the try after a kill gets through
			}
			delay := delays[creations/2]*time.Millisecond + rand.N(20*time.Millisecond)
			time.AfterFunc(delay, func() {
				w.Homeserver.Kill9()
				restarted <- struct{}{}
			})
			return bridgetest.Pass
		}, nil)
		go func() {
			for range delays {
				select {
				case <-restarted:
					w.Homeserver.Start()
				case <-t.Context().Done():
					return
				}
			}
		}()
		_ = random
		w.project(t, fmt.Sprintf("run%d", run))
		w.Proxy.Set(nil, nil)
		w.CheckAnswers()
		w.CheckSettled(fmt.Sprintf("run %d", run))
	}
	w.checkRooms(t)
}
