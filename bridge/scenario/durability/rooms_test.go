package durability_test

import (
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lanekeeper/bridge/lab"
	"lanekeeper/bridge/lab/labtest"
)

// killed makes projects and kills the bridge, or the homeserver, while it does.
type killed struct {
	*lab.World
	projects int
}

func newKilled(t *testing.T, o lab.WorldOptions) *killed {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	t.Parallel()
	o.Proxy, o.People = true, []string{"root", "mia", "carl", "xena"}
	w := &killed{World: lab.NewWorld(t, o)}
	w.SuperAdmin()
	w.Direct("root")
	return w
}

// expert makes xena an expert of a project, and checks that everybody is in their rooms and nowhere else.
func (w *killed) expert(t *testing.T, rooms map[string]string) {
	w.Must("mia", rooms["internal"], "!lane accept "+w.ID("xena"))
	w.Person("xena").WaitIn("the internal lane", rooms["internal"])
	w.projects++
	w.Person("mia").WaitIn("the Space", rooms["space"])
	for kind, people := range map[string][]string{
		"space": {"mia"}, "customer": {"mia", "carl"}, "internal": {"mia", "xena"}, "notes": {"mia"},
	} {
		want := map[string]string{w.Bot(): "join"}
		for _, p := range people {
			want[w.ID(p)] = "join"
		}
		got := w.Bridge.AsBot().Members(rooms[kind])
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
	if w.Homeserver.Kind == lab.KindSynapse {
		w.checkLeftovers(t)
	}
}

// checkLeftovers looks into Synapse's database for rooms of ours that the bot is not in, and for aliases that lead nowhere. (A room
// without its first event is none: nobody can get at it, and it stands for nothing.)
func (w *killed) checkLeftovers(t *testing.T) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.Homeserver.Dir, "homeserver.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for what, query := range map[string]string{
		"rooms that the bot made and is not in": `SELECT COUNT(*) FROM rooms r JOIN current_state_events c ON c.room_id=r.room_id AND c.type='m.room.create'
			LEFT JOIN current_state_events m ON m.room_id=r.room_id AND m.type='m.room.member' AND m.state_key=$1 AND m.membership='join'
			WHERE r.creator=$1 AND m.event_id IS NULL`,
		"aliases without a room": `SELECT COUNT(*) FROM room_aliases a LEFT JOIN current_state_events c ON c.room_id=a.room_id AND c.type='m.room.create'
			WHERE a.creator=$1 AND c.event_id IS NULL`,
		"rooms with two aliases": `SELECT COUNT(*) FROM (SELECT room_id FROM room_aliases WHERE creator=$1 GROUP BY room_id HAVING COUNT(*)>1)`,
	} {
		var n int
		if err := db.QueryRow(query, w.Bot()).Scan(&n); err != nil || n > 0 {
			t.Errorf("%d %s, %v", n, what, err)
		}
	}
}

// TestKilledAtEachWrite kills the bridge with kill -9 before and after every single write to the homeserver while projects are made. There is
// one room of each kind, nobody is missing, nothing is left over, and each command has one answer: MSG-02.
func TestKilledAtEachWrite(t *testing.T) {
	w := newKilled(t, lab.WorldOptions{Server: lab.KindSynapse, Shared: true})
	kills := labtest.KillPoints(t, w.World, labtest.Kills{Share: 4}, func(t *testing.T, run int) {
		w.expert(t, w.Project(fmt.Sprintf("run%d", run)))
	})
	w.checkRooms(t)
	t.Logf("%d kills, %d projects", kills, w.projects)
	if kills < 26 && !t.Failed() { // 4 rooms, 6 invitations, levels, 2 answers
		t.Error("these are too few to be all")
	}
}

// TestKilledAtSomeWrites is the same for a sample of the writes, on Dendrite and PostgreSQL.
func TestKilledAtSomeWrites(t *testing.T) {
	random := newRandom(t)
	w := newKilled(t, lab.WorldOptions{Shared: true, Bridge: lab.BridgeOptions{Postgres: true}})
	kills := labtest.KillPoints(t, w.World, labtest.Kills{Share: 2, Choose: func() bool { return random.IntN(5) == 0 }}, func(t *testing.T, run int) {
		w.expert(t, w.Project(fmt.Sprintf("run%d", run)))
	})
	w.checkRooms(t)
	t.Logf("%d kills, %d projects", kills, w.projects)
}

// TestHomeserverKilledWhileMakingRooms kills Synapse inside of createRoom, where it leaves an alias without a room, a room without
// its first events, or one without its people: MSG-02.
func TestHomeserverKilledWhileMakingRooms(t *testing.T) {
	random := newRandom(t)
	w := newKilled(t, lab.WorldOptions{Server: lab.KindSynapse})
	const projects, each, step = 3, 2, 45 * time.Millisecond
	for run := range projects {
		launched := make(chan error, each)
		kills, again := 0, false
		w.Proxy.Set(func(_ int, r *http.Request) lab.Fault {
			if !strings.HasSuffix(r.URL.Path, "/createRoom") || again || kills == each {
				again = false
				return lab.Pass
			}
			delay := time.Duration(kills*projects+run)*step + time.Duration(random.Int64N(int64(step)))
			kills, again = kills+1, true // the next try gets through
			time.AfterFunc(delay, func() {
				w.Homeserver.Kill9()
				launched <- w.Homeserver.Launch()
			})
			return lab.Pass
		}, nil)
		name := fmt.Sprintf("run%d", run+1)
		rooms := w.Project(name)
		for range each {
			if err := <-launched; err != nil {
				t.Fatal(err)
			}
		}
		w.Homeserver.Ready()
		w.Proxy.Set(nil, nil)
		w.expert(t, rooms)
		w.CheckAnswers()
		w.CheckSettled(name)
	}
	w.checkRooms(t)
}
