package queue_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

func many(key string, n int) []queue.Item {
	items := make([]queue.Item, n)
	for i := range items {
		items[i] = item(key, fmt.Sprint(key, " ", i))
	}
	return items
}

// TestLongBacklog: a key with more work than fits into memory holds up nobody and
// keeps its order, also when it was blocked meanwhile.
func TestLongBacklog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		const n = 1500
		clock := newClock()
		got, others := make(chan string, n), make(chan string, 10)
		q := newQueue(t, db, clock)
		put(t, q, many("long", n)...)
		put(t, q, item("other", "other"))
		run(t, q, 4, func(ctx context.Context, j queue.Job) queue.Result {
			if j.Key == "other" {
				return queue.Result{Commit: telling(others, j.Key)}
			}
			if string(j.Payload) == "long 0" && j.Attempts == 0 {
				return queue.Result{Retry: time.Hour}
			}
			return queue.Result{Commit: func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { got <- string(j.Payload) })
				return nil
			}}
		})
		want(t, others, "other")
		put(t, q, item("other", "other"))
		want(t, others, "other")
		clock.move(time.Hour)
		for i := range n {
			want(t, got, fmt.Sprint("long ", i))
		}
	})
}

// TestManyBlockedKeys: neither goroutines nor memory grow with the keys that wait.
func TestManyBlockedKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		const n = 3000
		clock := newClock()
		got := make(chan string, 2*n)
		q := newQueue(t, db, clock)
		run(t, q, 4, func(_ context.Context, j queue.Job) queue.Result {
			if j.Attempts == 0 && j.Key != "probe" {
				got <- "blocked"
				return queue.Result{Retry: time.Hour}
			}
			got <- string(j.Payload)
			return queue.Result{}
		})
		quiet(t, q, got)
		before := runtime.NumGoroutine()
		items := make([]queue.Item, n)
		for i := range items {
			items[i] = item(fmt.Sprint("key", i), "done")
		}
		put(t, q, items...)
		for range n {
			want(t, got, "blocked")
		}
		// Some end a moment after the transaction that they watched.
		if after := runtime.NumGoroutine(); after > before+n/10 {
			t.Errorf("%d goroutines, then %d", before, after)
		}
		clock.move(time.Hour)
		again := time.NewTicker(time.Second) // the last ones may be put off after the clock has moved
		defer again.Stop()
		for done, end := 0, time.After(patience); done < n; {
			select {
			case line := <-got:
				if done++; line != "done" {
					t.Fatalf("got %q, want done", line)
				}
			case <-again.C:
				clock.move(time.Hour)
			case <-end:
				t.Fatalf("only %d are done", done)
			}
		}
	})
}

// TestLateCommit: on PostgreSQL ids are not in commit order; a job whose
// transaction commits after later ones were done is not overlooked.
func TestLateCommit(t *testing.T) {
	db := storetest.Open(t, store.Postgres, storetest.Postgres(t))
	got := make(chan string, 2000)
	q := newQueue(t, db, queue.System{})
	run(t, q, 4, func(_ context.Context, j queue.Job) queue.Result {
		got <- string(j.Payload)
		return queue.Result{}
	})
	quiet(t, q, got)
	for range 3 {
		// Many at once make several pages of a sweep.
		err := queue.Tx(t.Context(), db, func(ctx context.Context) error {
			if _, err := q.Put(ctx, queue.Item{Queue: "q", Key: "late", Payload: []byte("late")}); err != nil {
				return err
			}
			put(t, q, many("early", 1500)...) // not in this transaction
			for i := range 1500 {
				want(t, got, fmt.Sprint("early ", i))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, "late")
	}
}

// TestRestoredDump: rows that come from another PostgreSQL server carry its
// transaction ids.
func TestRestoredDump(t *testing.T) {
	db := storetest.Open(t, store.Postgres, storetest.Postgres(t))
	got := make(chan string, 2000)
	q := newQueue(t, db, queue.System{})
	put(t, q, many("a", 1500)...)
	if _, err := db.Exec(t.Context(), "UPDATE job SET tx='99999999999'"); err != nil {
		t.Fatal(err)
	}
	run(t, q, 4, func(_ context.Context, j queue.Job) queue.Result {
		got <- string(j.Payload)
		return queue.Result{}
	})
	for i := range 1500 {
		want(t, got, fmt.Sprint("a ", i))
	}
}

// TestNoDeadlock: transactions that put for many keys in any order, and the
// outcomes of those keys, never wait for each other in a circle (defect 1 of the
// measured queues).
func TestNoDeadlock(t *testing.T) {
	db := storetest.Open(t, store.Postgres, storetest.Postgres(t))
	done := make(chan struct{}, 4000)
	q := newQueue(t, db, queue.System{})
	run(t, q, 8, func(_ context.Context, j queue.Job) queue.Result {
		return queue.Result{Commit: func(ctx context.Context) error {
			queue.AfterCommit(ctx, db, func() { done <- struct{}{} })
			return nil
		}}
	})
	var wg sync.WaitGroup
	for who := range 4 {
		wg.Go(func() {
			for range 10 {
				items := make([]queue.Item, 50)
				for i := range items {
					items[i] = queue.Item{Queue: "q", Key: fmt.Sprint("key", i)}
				}
				if who%2 == 0 {
					slices.Reverse(items)
				}
				err := queue.Tx(t.Context(), db, func(ctx context.Context) error {
					for part := range slices.Chunk(items, 10) {
						if _, err := q.Put(ctx, part...); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for range 2000 {
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("jobs are missing")
		}
	}
	var deadlocks int
	err := db.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname=current_database()").Scan(&deadlocks)
	if err != nil || deadlocks > 0 {
		t.Errorf("%d deadlocks, %v", deadlocks, err)
	}
}

// TestStop: what runs when the context ends is waited for and its outcome stored.
func TestStop(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		got := make(chan string, 10)
		q := newQueue(t, db, queue.System{})
		ctx, cancel := context.WithCancel(t.Context())
		put(t, q, item("a", "runs"), item("a", "waits"), item("b", "cut off"))
		ended := make(chan error, 1)
		go func() {
			ended <- q.Run(ctx, "q", 2, func(ctx context.Context, j queue.Job) queue.Result {
				got <- string(j.Payload)
				<-ctx.Done()
				if j.Key == "b" {
					return queue.Result{Retry: time.Hour, Err: ctx.Err()}
				}
				return queue.Result{Commit: telling(got, "committed")}
			})
		}()
		<-got
		<-got
		if err := q.Run(ctx, "q", 1, nil); err == nil || !strings.Contains(err.Error(), "already") {
			t.Errorf("second Run: %v", err)
		}
		cancel()
		want(t, got, "committed")
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		run(t, q, 1, func(_ context.Context, j queue.Job) queue.Result {
			got <- string(j.Payload)
			return queue.Result{}
		})
		want(t, got, "waits", "cut off")
	})
}

func TestDepth(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		clock := newClock()
		q := newQueue(t, db, clock)
		put(t, q, item("a", "first"))
		first := clock.Now()
		clock.move(time.Minute)
		put(t, q, item("a", "a2"), item("b", "b1"), queue.Item{Key: "c", At: clock.Now().Add(time.Hour)})
		stats, err := q.Depth(t.Context())
		if err != nil || stats["q"].Count != 3 || !stats["q"].Oldest.Equal(first) {
			t.Errorf("%+v, %v", stats, err)
		}
		got := make(chan string, 10)
		run(t, q, 1, func(_ context.Context, j queue.Job) queue.Result {
			if string(j.Payload) == "first" {
				return queue.Result{Retry: time.Hour}
			}
			return queue.Result{Commit: func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { got <- string(j.Payload) })
				return nil
			}}
		})
		want(t, got, "b1")
		stats, err = q.Depth(t.Context())
		if err != nil || stats["q"].Count != 2 || !stats["q"].Oldest.Equal(first) {
			t.Errorf("%+v, %v", stats, err)
		}
		// More than one statement takes.
		if ids := put(t, q, many("d", 5000)...); !slices.IsSorted(ids) || len(slices.Compact(ids)) != 5000 {
			t.Error("ids are not in the order of the items")
		}
	})
}
