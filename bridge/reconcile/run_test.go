package reconcile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// From the record to the answer: the worker makes the rooms, and lets the answer go
// that waited for them.
func TestRun(t *testing.T) { storetest.Each(t, testRun) }

func testRun(t *testing.T, db *dbutil.Database) {
	b := newBenchOn(t, "12", db)
	s := b.r.Store
	s.Now, s.Queue = time.Now, queue.New(s.DB, queue.System{}, zerolog.Nop())
	p := b.acme()
	err := s.Tx(t.Context(), func(ctx context.Context) error {
		a := &store.Answer{Command: "$c", To: effect.Place{Room: "!x"}, Words: text.Say("made"), Result: map[string]any{"ok": true}, Rooms: true}
		if err := s.AnswerWhen(ctx, a, p.ID, p.Revision); err != nil {
			return err
		}
		return s.Do(ctx, effect.Effect{Reconcile: &effect.Reconcile{Project: p.ID}})
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 2)
	answers := make(chan []byte, 1)
	go func() { ended <- b.r.Run(ctx, 2) }()
	go func() {
		ended <- s.Queue.Run(ctx, store.QueueMatrix, 1, func(_ context.Context, job queue.Job) queue.Result {
			if !bytes.Contains(job.Payload, []byte("Questions arrive here")) {
				answers <- job.Payload
			}
			return queue.Result{}
		})
	}()
	select {
	case raw := <-answers:
		var e effect.Effect
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		result, _ := e.Message.Content["lanekeeper.result"].(map[string]any)
		if rooms, _ := result["rooms"].(map[string]any); len(rooms) != 4 || rooms["space"] == "" {
			t.Errorf("result %v", result)
		}
	case err := <-ended:
		t.Fatal(err)
	}
	waitSuperAdmin(t, ctx, s)
	cancel()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// waitSuperAdmin waits until the super-admin room is in the store. Another worker makes it, at its own time, and nothing tells of it:
// the store is asked many times.
func waitSuperAdmin(t *testing.T, ctx context.Context, s *store.Store) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		row, err := s.SuperAdminRoom(ctx)
		if err == nil && row != nil && row.ID != "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("no super-admin room: %v", err)
		}
	}
}

// M6: every project is looked at once in a turn, whose place is stored: restarts do
// not begin it anew.
func TestSweep(t *testing.T) {
	b := newBench(t, "12")
	const n = 730
	for i := range n {
		b.save(&project.Project{ID: fmt.Sprintf("p%03d", i), Slug: fmt.Sprintf("s%d", i), Name: "P", Profile: "agency", Status: project.Active, Created: b.hs.now})
	}
	if err := b.r.Store.SetMeta(t.Context(), metaSweep, fmt.Sprintf(`{"policy":%q}`, b.r.fingerprint())); err != nil {
		t.Fatal(err)
	}
	step := func() {
		t.Helper()
		b.restart()
		if err := b.r.Store.Tx(t.Context(), func(ctx context.Context) error { _, err := b.r.sweepSome(ctx); return err }); err != nil {
			t.Fatal(err)
		}
	}
	looks := func(want int) {
		t.Helper()
		for _, key := range []string{"p000", "p365", "p729", store.KeySuperAdmin} {
			if got := b.waiting(key); got != want {
				t.Errorf("%d looks at %s, not %d", got, key, want)
			}
		}
	}
	for range 8 {
		step()
	}
	looks(1)
	steps := 0 // of a turn of 6 hours, 3 projects a minute
	for b.waiting("p729") < 2 {
		step()
		steps++
	}
	looks(2)
	if steps < 200 || steps > 360 {
		t.Errorf("a turn takes %d minutes", steps)
	}
}

// D6: under another configuration all projects are looked at at once, in portions
// that leave place for others, and from where it stood after a restart.
func TestSweepOfAnotherConfiguration(t *testing.T) {
	b := newBench(t, "12")
	p := b.acme()
	for n := range 3 * hurryPortion {
		p.ID, p.Slug, p.Revision = fmt.Sprintf("q%03d", n), fmt.Sprintf("s%d", n), 0
		b.save(p)
	}
	some := func() (hurry bool) {
		t.Helper()
		if err := b.r.Store.Tx(t.Context(), func(ctx context.Context) (err error) { hurry, err = b.r.sweepSome(ctx); return err }); err != nil {
			t.Fatal(err)
		}
		return hurry
	}
	done := func() (n int) {
		t.Helper()
		if err := b.r.Store.DB.QueryRow(t.Context(), "SELECT COUNT(*) FROM job WHERE queue=$1", store.QueueReconcile).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if _, err := b.r.Store.DB.Exec(t.Context(), "DELETE FROM job"); err != nil {
			t.Fatal(err)
		}
		return n
	}
	turns := func() (steps, looks int) {
		for some() {
			if steps++; steps > 10 {
				t.Fatal("no end")
			}
			looks += done()
			b.restart()
		}
		return steps, looks + done()
	}
	turns() // a new database
	if some() {
		t.Error("a hurry without a reason")
	}
	done()
	b.r.Policy.Permissions["@new:lanes.test"] = "ops"
	b.restart()
	if steps, looks := turns(); steps != 3 || looks != 3*hurryPortion+2 {
		t.Errorf("%d looks in %d steps", looks, steps)
	}
}
