package queue_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store/storetest"
)

func counter(t *testing.T, db *dbutil.Database) {
	t.Helper()
	for _, statement := range []string{"CREATE TABLE test_counter (id BIGINT PRIMARY KEY, n BIGINT)",
		"INSERT INTO test_counter VALUES (1, 0), (2, 0)"} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

func add(ctx context.Context, db *dbutil.Database, id int) error {
	var n int
	if err := db.QueryRow(ctx, "SELECT SUM(n) FROM test_counter").Scan(&n); err != nil {
		return err
	}
	_, err := db.Exec(ctx, "UPDATE test_counter SET n=$1 WHERE id=$2", n+1, id)
	return err
}

// TestTxIsSerialisable: transactions that read what others write are as if they
// ran one after the other, and what is to run after the commit runs once for each.
func TestTxIsSerialisable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		counter(t, db)
		var mu sync.Mutex
		after := 0
		var wg sync.WaitGroup
		for who := range 4 {
			wg.Go(func() {
				for range 10 {
					err := queue.Tx(t.Context(), db, func(ctx context.Context) error {
						queue.AfterCommit(ctx, db, func() { mu.Lock(); after++; mu.Unlock() })
						if _, err := db.Exec(ctx, "UPDATE test_counter SET n=n WHERE id=2"); err != nil {
							return err
						}
						return add(ctx, db, 1)
					})
					if err != nil {
						t.Errorf("%d: %v", who, err)
					}
				}
			})
		}
		wg.Wait()
		var n int
		if err := db.QueryRow(t.Context(), "SELECT n FROM test_counter WHERE id=1").Scan(&n); err != nil || n != 40 || after != 40 {
			t.Errorf("counted %d, %d after a commit, %v", n, after, err)
		}
	})
}

func TestTxFails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		counter(t, db)
		wrong := errors.New("wrong")
		failing := func(ctx context.Context) error {
			queue.AfterCommit(ctx, db, func() { t.Error("there was no commit") })
			return errors.Join(add(ctx, db, 1), wrong)
		}
		if err := queue.Tx(t.Context(), db, failing); !errors.Is(err, wrong) {
			t.Error(err)
		}
		// A panic gives the connection back.
		func() {
			defer func() {
				if p := recover(); p != "oh" {
					t.Errorf("panic %v", p)
				}
			}()
			_ = queue.Tx(t.Context(), db, func(ctx context.Context) error {
				if err := add(ctx, db, 1); err != nil {
					return err
				}
				panic("oh")
			})
		}()
		// An inner transaction is part of the outer one.
		err := queue.Tx(t.Context(), db, func(ctx context.Context) error {
			return errors.Join(queue.Tx(ctx, db, func(ctx context.Context) error {
				queue.AfterCommit(ctx, db, func() { t.Error("the outer transaction failed") })
				return add(ctx, db, 1)
			}), wrong)
		})
		if !errors.Is(err, wrong) {
			t.Error(err)
		}
		ran := false
		queue.AfterCommit(t.Context(), db, func() { ran = true })
		var n int
		if err := db.QueryRow(t.Context(), "SELECT SUM(n) FROM test_counter").Scan(&n); err != nil || n != 0 || !ran {
			t.Errorf("%d was added, ran %v, %v", n, ran, err)
		}
	})
}
