package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store/storetest"
)

// patience is how long a test waits for what must happen.
const patience = 2 * time.Minute

func newQueue(t testing.TB, db *dbutil.Database, clock queue.Clock) *queue.Queue {
	q := queue.New(db, clock, zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.ErrorLevel))
	q.SetPoll(time.Hour) // everything must be announced
	return q
}

// run works on queue "q" until the test ends or stop is called.
func run(t testing.TB, q *queue.Queue, workers int, do func(context.Context, queue.Job) queue.Result) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx, "q", workers, do) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func put(t testing.TB, q *queue.Queue, items ...queue.Item) []int64 {
	t.Helper()
	for i := range items {
		items[i].Queue = "q"
	}
	ids, err := q.Put(t.Context(), items...)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func item(key, payload string) queue.Item {
	return queue.Item{Key: key, Payload: []byte(payload)}
}

func want(t testing.TB, got <-chan string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		select {
		case g := <-got:
			if g != line {
				t.Fatalf("got %q, want %q", g, line)
			}
		case <-time.After(patience):
			t.Fatalf("nothing came, want %q", line)
		}
	}
}

func count(t testing.TB, db *dbutil.Database, table string) (n int) {
	t.Helper()
	if err := db.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// committed makes a Commit that tells when it is called.
func telling(got chan<- string, line string) func(context.Context) error {
	return func(context.Context) error { got <- line; return nil }
}

// TestOrderOfAKey: what one puts for a key is committed in that order, whoever
// else puts for the key at the same time.
func TestOrderOfAKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		q := newQueue(t, db, queue.System{})
		committed := make(chan queue.Job, 2000)
		run(t, q, 8, func(_ context.Context, j queue.Job) queue.Result {
			return queue.Result{Commit: func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { committed <- j })
				return nil
			}}
		})
		var wg sync.WaitGroup
		for who := range 4 {
			wg.Go(func() {
				for range 10 {
					items := make([]queue.Item, 50)
					for i := range items {
						items[i] = queue.Item{Queue: "q", Key: fmt.Sprint("k", i%7), Payload: fmt.Append(nil, who)}
					}
					if ids, err := q.Put(t.Context(), items...); err != nil || len(ids) != 50 {
						t.Error(ids, err)
					}
				}
			})
		}
		wg.Wait()
		last, all := make(map[string]int64), make(map[int64]bool)
		for range 2000 {
			select {
			case j := <-committed:
				line := j.Key + " of " + string(j.Payload)
				if all[j.ID] || j.ID < last[line] {
					t.Errorf("%s: job %d came after %d", line, j.ID, last[line])
				}
				last[line], all[j.ID] = j.ID, true
			case <-time.After(patience):
				t.Fatal("jobs are missing")
			}
		}
	})
}

func TestPutInTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		q := newQueue(t, db, newClock()) // which stands still: only the commit can start the job
		got := make(chan string, 10)
		run(t, q, 2, func(_ context.Context, j queue.Job) queue.Result {
			got <- string(j.Payload)
			return queue.Result{}
		})
		wrong := errors.New("wrong")
		err := queue.Tx(t.Context(), db, func(ctx context.Context) error {
			if _, err := q.Put(ctx, queue.Item{Queue: "q", Key: "k", Payload: []byte("rolled back")}); err != nil {
				return err
			}
			return wrong
		})
		if !errors.Is(err, wrong) {
			t.Fatal(err)
		}
		err = queue.Tx(t.Context(), db, func(ctx context.Context) error {
			_, err := q.Put(ctx, queue.Item{Queue: "q", Key: "k", Payload: []byte("kept")})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, "kept")
	})
}

// TestAnyKey: what others chose as a key cannot make Put fail.
func TestAnyKey(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		q := newQueue(t, db, newClock())
		got := make(chan string, 10)
		var open atomic.Bool
		run(t, q, 1, func(_ context.Context, j queue.Job) queue.Result {
			opened := open.Load() // before the test hears of the job
			got <- j.Key
			if !opened {
				return queue.Result{Retry: time.Hour}
			}
			return queue.Result{}
		})
		put(t, q, queue.Item{Key: "a\x00b\xff", Payload: []byte("\x00\xff")})
		want(t, got, "a\ufffdb\ufffd")
		open.Store(true)
		q.Wake("q", "a\x00b\xff")
		want(t, got, "a\ufffdb\ufffd")
	})
}
