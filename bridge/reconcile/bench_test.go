package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/effect"
	"lanekeeper/bridge/project"
	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
	"lanekeeper/bridge/text"
)

// bench is a reconciler on a real database and a simulated homeserver, whose clock
// is everybody's.
type bench struct {
	*testing.T
	hs    *sim
	r     *Reconciler
	drift int
}

type simClock struct{ s *sim }

func (c simClock) Now() time.Time                         { return c.s.now }
func (c simClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func newBench(t *testing.T, version string) *bench {
	return newBenchOn(t, version, storetest.Open(t, store.SQLite, storetest.SQLite(t)))
}

func newBenchOn(t *testing.T, version string, db *dbutil.Database) *bench {
	hs := newSim(version)
	var n atomic.Int64 // several workers ask for ids
	s := &store.Store{
		DB: db, Queue: queue.New(db, simClock{hs}, zerolog.Nop()), Domain: simDomain, Now: func() time.Time { return hs.now },
		NewID: func() string { return fmt.Sprintf("id%d", n.Add(1)) },
	}
	b := &bench{T: t, hs: hs}
	b.r = &Reconciler{Store: s, HS: hs, Policy: testPolicy(), Log: zerolog.Nop()}
	b.restart()
	return b
}

// restart forgets everything that a process remembers, and takes some time.
func (b *bench) restart() {
	b.hs.now = b.hs.now.Add(2 * aliasYoung)
	b.r = &Reconciler{Store: b.r.Store, HS: b.hs, Policy: b.r.Policy, Log: b.r.Log, Drift: func(n int) { b.drift += n }}
}

func (b *bench) save(p *project.Project) {
	b.Helper()
	if err := b.r.Store.Tx(b.Context(), func(ctx context.Context) error { return b.r.Store.SaveProject(ctx, p) }); err != nil {
		b.Fatal(err)
	}
}

// acme is an agency project with a customer, a manager and an expert.
func (b *bench) acme() *project.Project {
	p := &project.Project{ID: "p1", Slug: "acme", Name: "Acme", Profile: "agency", Status: project.Active, Created: b.hs.now}
	for user, role := range map[string]project.Role{"@carl:lanes.test": "customer", "@mia:lanes.test": "manager", "@xena:lanes.test": "expert"} {
		p.People = append(p.People, project.Person{User: user, Role: role, Since: b.hs.now})
	}
	b.save(p)
	return p
}

// try is one job of the queue; its outcome is committed as the queue does.
func (b *bench) try(key string) queue.Result {
	b.Helper()
	b.hs.now = b.hs.now.Add(time.Second)
	result := b.r.do(b.Context(), queue.Job{Queue: store.QueueReconcile, Key: key, Created: b.hs.now, At: b.hs.now})
	if result.Retry == 0 && result.Commit != nil {
		if err := b.r.Store.Tx(b.Context(), result.Commit); err != nil {
			b.Fatal(err)
		}
	}
	return result
}

// look is a job that must succeed; it gives what was written.
func (b *bench) look(key string) []string {
	b.Helper()
	before := len(b.hs.writes)
	if result := b.try(key); result.Retry > 0 || result.Err != nil {
		b.Fatalf("retry %s: %v", result.Retry, result.Err)
	}
	return b.hs.writes[before:]
}

func (b *bench) room(kind string) string {
	b.Helper()
	row, err := b.r.Store.LaneRoom(b.Context(), "p1", kind)
	if err != nil || row == nil || row.ID == "" {
		b.Fatalf("no room %s: %v", kind, err)
	}
	return row.ID
}

func (b *bench) membership(kind, user string) string {
	b.Helper()
	return b.hs.actual(b.room(kind)).member(user).is
}

func (b *bench) join(kind string, users ...string) {
	b.Helper()
	for _, user := range users {
		if err := b.hs.join(user, b.room(kind)); err != nil {
			b.Fatalf("%s joins %s: %v", user, kind, err)
		}
	}
}

// said gives the words that wait to be sent, by where they go, without the welcome.
func (b *bench) said() map[string][]string {
	b.Helper()
	out := b.saidFirst()
	said := out[store.KeySuperAdmin]
	if len(said) > 0 && said[0] == text.WelcomeForSuperAdmins().Plain {
		said = said[1:]
	}
	if out[store.KeySuperAdmin] = said; len(said) == 0 {
		delete(out, store.KeySuperAdmin)
	}
	return out
}

// saidFirst is said with the welcome.
func (b *bench) saidFirst() map[string][]string {
	b.Helper()
	rows, err := b.r.Store.DB.Query(b.Context(), "SELECT key, payload FROM job WHERE queue=$1 ORDER BY id", store.QueueMatrix)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var key string
		var raw []byte
		if err := rows.Scan(&key, &raw); err != nil {
			b.Fatal(err)
		}
		var e effect.Effect
		if err := json.Unmarshal(raw, &e); err != nil {
			b.Fatal(err)
		}
		out[key] = append(out[key], fmt.Sprint(e.Message.Content["body"]))
	}
	return out
}

// laneCount counts rooms by kind, whether the store knows them or not.
func (b *bench) laneCount() map[string]int {
	count := map[string]int{}
	for _, id := range b.hs.order {
		count[b.hs.actual(id).text(typeLane, "kind")]++
	}
	return count
}

var oneOfEach = map[string]int{"customer": 1, "internal": 1, "notes": 1, "space": 1}

func (b *bench) answer(command string, revision int64, about ...string) {
	b.Helper()
	a := &store.Answer{Command: command, To: effect.Place{Room: "!x"}, Words: text.Say("done"), Result: map[string]any{"ok": true}, About: about}
	err := b.r.Store.Tx(b.Context(), func(ctx context.Context) error { return b.r.Store.AnswerWhen(ctx, a, "p1", revision) })
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bench) answered(command string) bool {
	b.Helper()
	var n int
	if err := b.r.Store.DB.QueryRow(b.Context(), "SELECT COUNT(*) FROM answer WHERE command=$1", command).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n == 0
}

func (b *bench) waiting(key string) (n int) {
	b.Helper()
	if err := b.r.Store.DB.QueryRow(b.Context(), "SELECT COUNT(*) FROM job WHERE queue=$1 AND key=$2", store.QueueReconcile, key).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// know stores the state of a room as the sync does.
func (b *bench) know(room string) {
	b.Helper()
	for _, e := range b.hs.rooms[room].state {
		if err := b.r.Store.PutState(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
}
