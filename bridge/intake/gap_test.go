package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/matrix"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// said is one event of the homeserver.
type said struct {
	id, room string
	at       time.Time
	state    bool
}

func (s said) raw() json.RawMessage {
	key := ""
	if s.state {
		key = `"state_key":"",`
	}
	return json.RawMessage(fmt.Sprintf(`{"event_id":%q,"type":"t","sender":"@carl:x",%s"origin_server_ts":%d,"content":{}}`, s.id, key, s.at.UnixMilli()))
}

// server is a homeserver whose events stand in one order; a token says how many there were.
type server struct {
	log    []said
	limit  int             // of a sync, for each room
	cuts   bool            // a sync of one room is cut, too
	page   int             // events of one page
	broken map[string]bool // rooms whose history cannot be read
	asked  int             // for history
	fail   func() bool     // nil: never
	left   string          // a room that the bot is out of
}

func (s *server) say(room string, at time.Time) string {
	id := fmt.Sprint("$", len(s.log))
	s.log = append(s.log, said{id, room, at, len(s.log)%5 == 0})
	return id
}

func token(t string) int { n, _ := strconv.Atoi(t); return n }

func (s *server) in(room string, from, to int) (out []said) {
	for _, e := range s.log[from:to] {
		if e.room == room {
			out = append(out, e)
		}
	}
	return out
}

func raws(all []said) (out []json.RawMessage) {
	for _, e := range all {
		out = append(out, e.raw())
	}
	return out
}

func (s *server) Sync(_ context.Context, since string, _ time.Duration, m matrix.Measure) (*matrix.Batch, error) {
	b := &matrix.Batch{Next: fmt.Sprint(len(s.log)), Joined: map[string]matrix.JoinedRoom{}, Left: map[string]matrix.LeftRoom{}}
	limit := s.limit
	if m.Limit > 0 {
		limit = min(limit, m.Limit)
	}
	for _, e := range s.log[token(since):] {
		if slices.Contains(m.Without, e.room) {
			continue
		}
		all := s.in(e.room, token(since), len(s.log))
		cut := max(0, len(all)-limit)
		var state []said
		for _, e := range all[:cut] {
			if e.state {
				state = append(state, e)
			}
		}
		prev := ""
		if cut > 0 {
			prev = fmt.Sprint(slices.IndexFunc(s.log, func(other said) bool { return other.id == all[cut].id }))
		}
		if e.room == s.left {
			b.Left[e.room] = matrix.LeftRoom{State: raws(state), Timeline: raws(all[cut:]), Limited: cut > 0, Prev: prev}
		} else {
			b.Joined[e.room] = matrix.JoinedRoom{State: raws(state), Timeline: raws(all[cut:]), Limited: cut > 0, Prev: prev}
		}
	}
	return b, nil
}

func (s *server) JoinedRooms(context.Context) ([]string, error) { return []string{lane1, foreign}, nil }

func (s *server) refuses(room string) error {
	s.asked++
	if s.broken[room] || s.fail != nil && s.fail() {
		return &matrix.Error{Status: 500, Message: "broken"}
	}
	return nil
}

func (s *server) Since(_ context.Context, room, since string, each func([]json.RawMessage) error) (bool, error) {
	if err := s.refuses(room); err != nil {
		return false, err
	}
	all := s.in(room, token(since), len(s.log))
	if s.cuts && len(all) > s.limit {
		return false, each(raws(all[len(all)-s.limit:]))
	}
	for page := range slices.Chunk(all, s.page) {
		if err := each(raws(page)); err != nil {
			return false, err
		}
		if s.fail != nil && s.fail() {
			return false, &matrix.Error{Message: "cut off"}
		}
	}
	return true, nil
}

func (s *server) Page(_ context.Context, room, from, to string, _ int) ([]json.RawMessage, string, error) {
	if err := s.refuses(room); err != nil {
		return nil, "", err
	}
	var page []said
	for i := token(from); i < token(to); i++ {
		if s.log[i].room == room {
			if page = append(page, s.log[i]); len(page) == s.page {
				return raws(page), fmt.Sprint(i + 1), nil
			}
		}
	}
	return raws(page), "", nil
}

// desk is intake on a real database, with two lanes of one project, one of another, and a room that is not ours.
type desk struct {
	t    *testing.T
	s    *store.Store
	hs   *server
	sync *Sync
	gaps *Gaps
	now  time.Time
}

const (
	lane1, lane2, other, foreign = "!z", "!a", "!other", "!foreign"
)

func newDesk(t *testing.T, db *dbutil.Database) *desk {
	t.Helper()
	d := &desk{t: t, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), hs: &server{limit: 3, page: 2, broken: map[string]bool{}}}
	ids := 0
	d.s = &store.Store{DB: db, Queue: queue.New(db, queue.System{}, zerolog.Nop()), Domain: "x", Now: func() time.Time { return d.now },
		NewID: func() string { ids++; return fmt.Sprint("id", ids) }}
	d.restart()
	d.tx(func(ctx context.Context) error {
		for _, p := range []string{"p1", "p2"} {
			if err := d.s.SaveProject(ctx, &project.Project{ID: p, Slug: p, Name: p, Profile: "agency", Status: project.Active, Created: d.now}); err != nil {
				return err
			}
		}
		for _, r := range []struct{ id, kind, project string }{{lane1, "customer", "p1"}, {lane2, "internal", "p1"}, {other, "customer", "p2"}} {
			room, err := d.s.PrepareRoom(ctx, r.kind, r.project, "")
			if err != nil {
				return err
			}
			if err := d.s.MadeRoom(ctx, room.Alias, r.id, "12"); err != nil {
				return err
			}
		}
		return nil
	})
	d.hs.say(foreign, d.now)
	d.once()
	d.taken()
	return d
}

// restart begins anew with what is stored.
func (d *desk) restart() {
	d.sync = NewSync(d.hs, d.s, zerolog.Nop())
	d.gaps = &Gaps{HS: d.hs, Store: d.s, Log: zerolog.Nop(), Events: func(int) {}, Exact: true}
}

func (d *desk) tx(fn func(context.Context) error) {
	d.t.Helper()
	if err := d.s.Tx(d.t.Context(), fn); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) once() {
	d.t.Helper()
	if err := d.sync.once(d.t.Context(), 0); err != nil {
		d.t.Fatal(err)
	}
}

type row struct {
	id       int64
	key      string
	payload  []byte
	attempts int
}

func (d *desk) jobs(name string) (out []row) {
	d.t.Helper()
	rows, err := d.s.DB.Query(d.t.Context(), "SELECT id, key, payload, attempts FROM job WHERE queue=$1 ORDER BY id", name)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var j row
		if err := rows.Scan(&j.id, &j.key, &j.payload, &j.attempts); err != nil {
			d.t.Fatal(err)
		}
		out = append(out, j)
	}
	return out
}

// step takes one step of a gap; false: it is to be tried again.
func (d *desk) step(j row) bool {
	d.t.Helper()
	r := d.gaps.Do(d.t.Context(), queue.Job{ID: j.id, Queue: store.QueueGap, Key: j.key, Payload: j.payload, Attempts: j.attempts})
	if r.Park != "" {
		d.t.Fatal(r.Park, r.Err)
	}
	if r.Retry > 0 {
		return false
	}
	d.tx(func(ctx context.Context) error {
		if _, err := d.s.DB.Exec(ctx, "DELETE FROM job WHERE id=$1", j.id); err != nil || r.Commit == nil {
			return err
		}
		return r.Commit(ctx)
	})
	return true
}

// fill takes steps until nothing moves.
func (d *desk) fill() {
	d.t.Helper()
	for moved := true; moved; {
		moved = false
		for _, j := range d.jobs(store.QueueGap) {
			moved = d.step(j) || moved
		}
	}
}

// taken gives the ids of the events that were handed on since, by key.
func (d *desk) taken() map[string][]string {
	d.t.Helper()
	out := map[string][]string{}
	for _, j := range d.jobs(store.QueueIn) {
		var in store.Input
		var e wireEvent
		if err := errors.Join(json.Unmarshal(j.payload, &in), json.Unmarshal(in.Raw, &e)); err == nil {
			out[j.key] = append(out[j.key], e.ID)
		}
	}
	if _, err := d.s.DB.Exec(d.t.Context(), "DELETE FROM job WHERE queue=$1", store.QueueIn); err != nil {
		d.t.Fatal(err)
	}
	return out
}

func eachDesk(t *testing.T, test func(d *desk)) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) { test(newDesk(t, db)) })
}

// C3, C4: a room whose gap cannot be read waits, with its project; everybody else goes on. A restart changes nothing, and a
// homeserver that gives up the history later finds it.
func TestGapHoldsOnlyItsRoom(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.hs.broken[lane1] = true
		var p1 []string
		for range 8 {
			p1 = append(p1, d.hs.say(lane1, d.now))
		}
		elsewhere := d.hs.say(other, d.now)
		d.once()
		d.fill()
		if got := d.taken(); len(got["project:p1"]) != 0 || !slices.Equal(got["project:p2"], []string{elsewhere}) {
			d.t.Errorf("handed on: %v", got)
		}
		d.restart()
		p1 = append(p1, d.hs.say(lane2, d.now.Add(time.Second)))
		elsewhere = d.hs.say(other, d.now)
		d.now = d.now.Add(2 * time.Second)
		d.once()
		d.fill()
		if got := d.taken(); len(got["project:p1"]) != 0 || !slices.Equal(got["project:p2"], []string{elsewhere}) {
			d.t.Errorf("handed on after a restart: %v", got)
		}
		d.hs.broken = nil
		d.fill()
		if got := d.taken(); !slices.Equal(got["project:p1"], p1) {
			d.t.Errorf("handed on at last: %v, not %v", got, p1)
		}
		// Nothing is held back any more.
		p1 = []string{d.hs.say(lane1, d.now)}
		d.once()
		if got := d.taken(); !slices.Equal(got["project:p1"], p1) {
			d.t.Errorf("later: %v, not %v", got, p1)
		}
	})
}

// C3: staff is told once of a gap that cannot be read; after a day the room goes on without it. One that is refused for good
// is given up at once.
func TestGapGivenUp(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.hs.broken[lane1] = true
		var all []string
		for range 5 {
			all = append(all, d.hs.say(lane1, d.now))
		}
		d.once()
		d.fill()
		if n := len(d.jobs(store.QueueMatrix)); n != 0 {
			d.t.Errorf("%d messages to staff at once", n)
		}
		d.now = d.now.Add(gapTold + time.Second)
		for range 3 {
			d.fill()
		}
		if n := len(d.jobs(store.QueueMatrix)); n != 1 {
			d.t.Errorf("%d messages to staff", n)
		}
		d.now = d.now.Add(gapLost)
		d.fill()
		if n := len(d.jobs(store.QueueMatrix)); n != 2 {
			d.t.Errorf("%d messages to staff in the end", n)
		}
		// The state that was left out had come with the batch.
		if got := d.taken()["project:p1"]; !slices.Equal(got[len(got)-3:], all[2:]) {
			d.t.Errorf("handed on: %v of %v", got, all)
		}
	})
}

// Dendrite's pages may leave something out: where a gap has to be read by them, staff
// are told once.
func TestGapInPages(t *testing.T) {
	eachDesk(t, func(d *desk) {
		for exact, want := range map[bool]int{true: 0, false: 1} {
			d.gaps.Exact = exact
			d.hs.cuts = true
			for range 12 {
				d.hs.say(lane1, d.now)
			}
			d.once()
			d.fill()
			said := d.jobs(store.QueueMatrix)
			if len(said) != want {
				d.t.Errorf("exact %v: %d messages to staff", exact, len(said))
			}
			for _, j := range said {
				if !strings.Contains(string(j.payload), "lane customer of p1") || !strings.Contains(string(j.payload), "may leave some out") {
					d.t.Errorf("staff read %s", j.payload)
				}
			}
			if got := d.taken()["project:p1"]; len(got) < 12 {
				d.t.Errorf("%d of 12 came in", len(got))
			}
			if _, err := d.s.DB.Exec(d.t.Context(), "DELETE FROM job"); err != nil {
				d.t.Fatal(err)
			}
		}
	})
}

// M1: what was decided in two rooms of a project while nobody was there is taken in the order in which it happened, with
// gaps and without.
func TestRoomsOfAProjectInTheOrderOfTime(t *testing.T) {
	for name, before := range map[string]int{"without a gap": 0, "a gap in each": 6} {
		t.Run(name, func(t *testing.T) {
			eachDesk(t, func(d *desk) {
				for i := range before {
					d.hs.say([]string{lane1, lane2}[i%2], d.now)
				}
				approve := d.hs.say(lane1, d.now)
				revoke := d.hs.say(lane2, d.now.Add(time.Minute))
				again := d.hs.say(lane1, d.now.Add(2*time.Minute))
				d.now = d.now.Add(5 * time.Minute)
				d.once()
				d.fill()
				got := d.taken()["project:p1"]
				if len(got) != before+3 || !slices.Equal(got[before:], []string{approve, revoke, again}) {
					d.t.Errorf("taken in the order %v, not %v", got, []string{approve, revoke, again})
				}
			})
		})
	}
}

// M1: who dates events as they like moves nobody else's.
func TestClock(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	at := func(minutes int, local bool) arrival {
		return arrival{at: now.Add(time.Duration(minutes) * time.Minute), local: local}
	}
	got := clock([]arrival{at(-9, true), at(600, false), at(-8, true), {}, at(-60, false), at(700, false)}, now)
	for i, want := range []int{-9, -8, -8, -8, -60, 0} {
		if got[i] != now.Add(time.Duration(want)*time.Minute) {
			t.Errorf("%d: %s", i, got[i].Sub(now))
		}
	}
}

// D9: what was said before the bot was put out comes in, too.
func TestGapOfALeftRoom(t *testing.T) {
	eachDesk(t, func(d *desk) {
		var want []string
		for range 8 {
			want = append(want, d.hs.say(lane1, d.now))
		}
		d.hs.left = lane1
		d.once()
		d.fill()
		if got := d.taken()["project:p1"]; !slices.Equal(got, want) {
			d.t.Errorf("%v", got)
		}
	})
}

// C3, C4, M1: whatever is left out, wherever reading breaks off, whenever the process ends: every event is handed on once, each
// room in its order.
func TestGapsProperty(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		d := newDesk(t, db)
		for seed := range rounds {
			r := rand.New(rand.NewPCG(uint64(seed), 1))
			begin := len(d.hs.log)
			d.hs.limit, d.hs.page, d.hs.cuts = 1+r.IntN(4), 1+r.IntN(4), r.IntN(2) == 0
			d.hs.fail = func() bool { return r.IntN(4) == 0 }
			rooms := []string{lane1, lane2, other}
			for range 60 {
				switch r.IntN(6) {
				case 0, 1, 2:
					d.now = d.now.Add(time.Second)
					d.hs.say(rooms[r.IntN(len(rooms))], d.now)
				case 3:
					d.once()
				case 4:
					if jobs := d.jobs(store.QueueGap); len(jobs) > 0 {
						// The first of its key.
						j := jobs[r.IntN(len(jobs))]
						d.step(jobs[slices.IndexFunc(jobs, func(other row) bool { return other.key == j.key })])
					}
				case 5:
					d.restart()
				}
			}
			d.hs.fail = nil
			d.once()
			d.fill()
			got := d.taken()
			want := map[string][]string{}
			for _, e := range d.hs.log[begin:] {
				key := "project:p1"
				if e.room == other {
					key = "project:p2"
				}
				want[key] = append(want[key], e.id)
			}
			d.check(seed, got, want)
			if any, err := d.s.AnyGap(t.Context()); any || err != nil {
				t.Fatalf("seed %d: a gap stays, %v", seed, err)
			}
		}
	})
}

// check compares what was handed on: complete, once, each room in its order.
func (d *desk) check(seed int, got, want map[string][]string) {
	d.t.Helper()
	for key, all := range want {
		if have := slices.Sorted(slices.Values(got[key])); !slices.Equal(have, slices.Sorted(slices.Values(all))) {
			d.t.Fatalf("seed %d, %s: %v instead of %v", seed, key, got[key], all)
		}
		last := map[string]int{}
		for _, id := range got[key] {
			i, _ := strconv.Atoi(id[1:])
			room := d.hs.log[i].room
			if before, ok := last[room]; ok && before > i {
				d.t.Fatalf("seed %d, %s: %s out of place: %v", seed, key, id, got[key])
			}
			last[room] = i
		}
	}
}

// C3: a step that fails so often that it is set aside does not hold its key back for ever: a gap is given up, and what
// could not be handed on is tried again.
func TestGapSetAside(t *testing.T) {
	eachDesk(t, func(d *desk) {
		all := []string{d.hs.say(lane1, d.now), d.hs.say(lane1, d.now), d.hs.say(lane1, d.now), d.hs.say(lane1, d.now)}
		d.once()
		aside := func() {
			t := d.jobs(store.QueueGap)
			if len(t) != 1 {
				d.t.Fatalf("%d steps", len(t))
			}
			d.tx(func(ctx context.Context) error {
				if _, err := d.s.DB.Exec(ctx, "DELETE FROM job WHERE id=$1", t[0].id); err != nil {
					return err
				}
				return d.gaps.Parked(ctx, queue.Job{Queue: store.QueueGap, Key: t[0].key, Payload: t[0].payload})
			})
		}
		aside() // of reading
		if n := len(d.jobs(store.QueueMatrix)); n != 1 {
			d.t.Errorf("%d messages to staff", n)
		}
		aside() // of handing on
		d.fill()
		if got := d.taken()["project:p1"]; len(got) < 3 || !slices.Equal(got[len(got)-3:], all[1:]) {
			d.t.Errorf("handed on: %v of %v", got, all)
		}
		if any, err := d.s.AnyGap(d.t.Context()); any || err != nil {
			d.t.Errorf("a gap is left: %v %v", any, err)
		}
	})
}
