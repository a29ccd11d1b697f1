package queue_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// Jobs of the benchmarks carry 1 kB and spread over 1,000 keys.
const benchKeys = 1000

func benchBoth(b *testing.B, fn func(b *testing.B, db *dbutil.Database)) {
	b.Run("sqlite", func(b *testing.B) { fn(b, storetest.Open(b, store.SQLite, storetest.SQLite(b))) })
	b.Run("postgres", func(b *testing.B) { fn(b, storetest.Open(b, store.Postgres, storetest.Postgres(b))) })
}

// feed puts b.N jobs, size in a transaction, and waits for each to give ends
// signals. At most lag signals are waited for before the next are put.
func feed(b *testing.B, q *queue.Queue, size, ends, lag int, done <-chan struct{}) {
	payload := make([]byte, 1000)
	items := make([]queue.Item, size)
	waiting := 0
	b.ResetTimer()
	for n := 0; n < b.N; n += size {
		for i := range items {
			items[i] = queue.Item{Key: fmt.Sprint("key", (n+i)*7%benchKeys), Payload: payload}
		}
		put(b, q, items...)
		for waiting += size * ends; waiting > lag; waiting-- {
			<-done
		}
	}
	for ; waiting > 0; waiting-- {
		<-done
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

// BenchmarkQueue: 100 jobs in a transaction, each completed durably.
func BenchmarkQueue(b *testing.B) { benchThrough(b, 100, 2000) }

// BenchmarkQueueSingle: one job in a transaction, its outcome waited for.
func BenchmarkQueueSingle(b *testing.B) { benchThrough(b, 1, 0) }

func benchThrough(b *testing.B, size, lag int) {
	benchBoth(b, func(b *testing.B, db *dbutil.Database) {
		q := newQueue(b, db, queue.System{})
		done := make(chan struct{}, 4000)
		stop := run(b, q, 16, func(context.Context, queue.Job) queue.Result {
			return queue.Result{Commit: func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { done <- struct{}{} })
				return nil
			}}
		})
		feed(b, q, size, 1, lag, done)
		stop()
	})
}

// BenchmarkQueueDecide: each job reads and writes a row and puts two jobs into
// other queues, whose outcome is one row each.
func BenchmarkQueueDecide(b *testing.B) {
	benchBoth(b, func(b *testing.B, db *dbutil.Database) {
		for _, table := range []string{"test_thing (id BIGINT PRIMARY KEY, n BIGINT)", "test_sent (id BIGINT PRIMARY KEY)"} {
			if _, err := db.Exec(b.Context(), "CREATE TABLE IF NOT EXISTS "+table); err != nil {
				b.Fatal(err)
			}
		}
		q := newQueue(b, db, queue.System{})
		done := make(chan struct{}, 4000)
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		for _, name := range []string{"one", "two"} {
			go func() {
				_ = q.Run(ctx, name, 8, func(_ context.Context, j queue.Job) queue.Result {
					return queue.Result{Commit: func(ctx context.Context) error {
						queue.AfterCommit(ctx, db, func() { done <- struct{}{} })
						_, err := db.Exec(ctx, "INSERT INTO test_sent VALUES ($1)", j.ID)
						return err
					}}
				})
			}()
		}
		stop := run(b, q, 8, func(_ context.Context, j queue.Job) queue.Result {
			return queue.Result{Commit: func(ctx context.Context) error { return decide(ctx, db, q, j) }}
		})
		feed(b, q, 50, 2, 2000, done)
		stop()
	})
}

func decide(ctx context.Context, db *dbutil.Database, q *queue.Queue, j queue.Job) error {
	var n int64
	err := db.QueryRow(ctx, "SELECT n FROM test_thing WHERE id=$1", j.ID%benchKeys).Scan(&n)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	_, err = db.Exec(ctx, "INSERT INTO test_thing VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n=excluded.n", j.ID%benchKeys, n+1)
	if err != nil {
		return err
	}
	_, err = q.Put(ctx, queue.Item{Queue: "one", Key: j.Key, Payload: j.Payload}, queue.Item{Queue: "two", Key: j.Key, Payload: j.Payload})
	return err
}

// BenchmarkQueueWoken: one job for each of b.N keys that all wait at the head of their keys, until all are woken.
func BenchmarkQueueWoken(b *testing.B) {
	benchBoth(b, func(b *testing.B, db *dbutil.Database) {
		q := newQueue(b, db, queue.System{})
		done := make(chan struct{}, b.N)
		stop := run(b, q, 16, func(_ context.Context, j queue.Job) queue.Result {
			if j.Attempts == 0 {
				return queue.Result{Retry: time.Hour}
			}
			return queue.Result{Commit: func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { done <- struct{}{} })
				return nil
			}}
		})
		for n := 0; n < b.N; n += 100 {
			var items []queue.Item
			for i := n; i < min(n+100, b.N); i++ {
				items = append(items, queue.Item{Key: fmt.Sprint("key", i), Payload: make([]byte, 1000)})
			}
			put(b, q, items...)
		}
		for waiting := -1; waiting != b.N; {
			if err := db.QueryRow(b.Context(), "SELECT COUNT(*) FROM job WHERE state=2").Scan(&waiting); err != nil {
				b.Fatal(err)
			}
		}
		b.ResetTimer()
		q.WakeAll("q")
		for range b.N {
			<-done
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
		stop()
	})
}
