package queue_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
)

// ledger feeds a queue with numbered jobs that go wrong in all ways, writes down
// in the database what was put and what was done, and compares.
type ledger struct {
	db *dbutil.Database
	q  *queue.Queue
}

const ledgerKeys = 20

var nop = zerolog.Nop()

func newLedger(ctx context.Context, db *dbutil.Database) (*ledger, error) {
	seq := "seq BIGSERIAL PRIMARY KEY"
	if db.Dialect == dbutil.SQLite {
		seq = "seq INTEGER PRIMARY KEY AUTOINCREMENT"
	}
	for _, table := range []string{
		"test_put (n BIGINT PRIMARY KEY)",
		"test_done (" + seq + ", n BIGINT UNIQUE, key TEXT)",
		"test_parked (n BIGINT PRIMARY KEY)",
		"test_then (n BIGINT PRIMARY KEY)",
	} {
		if _, err := db.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table); err != nil {
			return nil, err
		}
	}
	q := queue.New(db, queue.System{}, nop)
	q.SetPoll(20 * time.Millisecond)
	l := &ledger{db, q}
	q.OnPark(func(ctx context.Context, j queue.Job, _ string) error {
		_, err := db.Exec(ctx, "INSERT INTO test_parked VALUES ($1)", number(j))
		return err
	})
	return l, nil
}

func number(j queue.Job) int {
	n, _ := strconv.Atoi(string(j.Payload))
	return n
}

func isTimer(n int) bool { return n%17 == 0 }
func isBad(n int) bool   { return n%29 == 0 }

// put puts jobs from..to-1 in one transaction, exactly once.
func (l *ledger) put(ctx context.Context, from, to int) error {
	var items []queue.Item
	for n := from; n < to; n++ {
		item := queue.Item{Queue: "q", Key: fmt.Sprint("key", n%ledgerKeys), Payload: fmt.Append(nil, n)}
		if isTimer(n) {
			item.At = time.Now().Add(20 * time.Millisecond)
		}
		items = append(items, item)
	}
	for {
		var known int
		err := queue.Tx(ctx, l.db, func(ctx context.Context) error {
			if err := l.db.QueryRow(ctx, "SELECT COUNT(*) FROM test_put WHERE n>=$1 AND n<$2", from, to).Scan(&known); err != nil || known > 0 {
				return err // known: committed, but the answer was lost
			}
			for n := from; n < to; n++ {
				if _, err := l.db.Exec(ctx, "INSERT INTO test_put VALUES ($1)", n); err != nil {
					return err
				}
			}
			_, err := l.q.Put(ctx, items...)
			return err
		})
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// do goes wrong at first where the number says so.
func (l *ledger) do(_ context.Context, j queue.Job) queue.Result {
	n := number(j)
	switch {
	case isBad(n):
		return queue.Result{Park: "bad"}
	case n%11 == 0 && j.Attempts == 0:
		return queue.Result{Retry: 5 * time.Millisecond}
	case n%23 == 0 && j.Attempts == 0:
		panic("first try")
	}
	return queue.Result{Commit: func(ctx context.Context) error {
		if n%13 == 0 && j.Attempts == 0 {
			return errors.New("first try")
		}
		if _, err := l.db.Exec(ctx, "INSERT INTO test_done (n, key) VALUES ($1, $2)", n, j.Key); err != nil {
			return err
		}
		_, err := l.q.Put(ctx, queue.Item{Queue: "then", Key: j.Key, Payload: j.Payload})
		return err
	}}
}

func (l *ledger) then(_ context.Context, j queue.Job) queue.Result {
	return queue.Result{Commit: func(ctx context.Context) error {
		_, err := l.db.Exec(ctx, "INSERT INTO test_then VALUES ($1)", number(j))
		return err
	}}
}

// work runs both queues until ctx ends.
func (l *ledger) work(ctx context.Context) (wait func()) {
	done := make(chan error, 2)
	go func() { done <- l.q.Run(ctx, "q", 8, l.do) }()
	go func() { done <- l.q.Run(ctx, "then", 4, l.then) }()
	return func() { <-done; <-done }
}

// settled waits until no job is left.
func (l *ledger) settled(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var n int
		err := l.db.QueryRow(ctx, "SELECT COUNT(*) FROM job").Scan(&n)
		if err == nil && n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d jobs are left (%w)", n, errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
	}
}

// check compares what was put with what was done.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	var left []string
	for _, n := range l.numbers(t, "SELECT n FROM test_put") {
		if isBad(n) {
			left = append(left, "parked "+strconv.Itoa(n))
		} else {
			left = append(left, strconv.Itoa(n), "then "+strconv.Itoa(n))
		}
	}
	var ends []string
	last := make(map[int]int)
	for _, n := range l.numbers(t, "SELECT n FROM test_done ORDER BY seq") {
		ends = append(ends, strconv.Itoa(n))
		if isTimer(n) {
			continue
		}
		if key := n % ledgerKeys; last[key] > n {
			t.Errorf("%d was done after %d", n, last[key])
		} else {
			last[key] = n
		}
	}
	for _, n := range l.numbers(t, "SELECT n FROM test_then") {
		ends = append(ends, "then "+strconv.Itoa(n))
	}
	for _, n := range l.numbers(t, "SELECT n FROM test_parked") {
		ends = append(ends, "parked "+strconv.Itoa(n))
	}
	slices.Sort(left)
	slices.Sort(ends)
	if !slices.Equal(left, ends) {
		t.Errorf("%d ends should have come, %d came", len(left), len(ends))
	}
	t.Logf("%d jobs were put, %d ends came", count(t, l.db, "test_put"), len(ends))
}

func (l *ledger) numbers(t *testing.T, query string) []int {
	t.Helper()
	rows, err := l.db.Query(t.Context(), query)
	list, err := dbutil.NewRowIterWithError(rows, dbutil.ScanSingleColumn[int], err).AsList()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestMain is also the child process of tests that kill or trace it:
//
//   - LEDGER_CHILD is the kind of database, LEDGER_URI where it is, LEDGER_FROM the
//     first number to put;
//   - DURABLE_CHILD is an SQLite file, DURABLE_BATCHES how often to commit to it.
func TestMain(m *testing.M) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	var err error
	if kind := os.Getenv("LEDGER_CHILD"); kind != "" {
		err = child(ctx, kind, os.Getenv("LEDGER_URI"), os.Getenv("LEDGER_FROM"))
	} else if file := os.Getenv("DURABLE_CHILD"); file != "" {
		err = durableChild(ctx, file, os.Getenv("DURABLE_BATCHES"))
	} else {
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func durableChild(ctx context.Context, file, batches string) error {
	db, err := store.Open(ctx, store.SQLite, file, nop)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(batches)
	q := queue.New(db, queue.System{}, nop)
	for range n {
		err = errors.Join(err, queue.Tx(ctx, db, func(ctx context.Context) error {
			_, err := q.Put(ctx, item("a", "1"), item("b", "2"))
			return err
		}))
	}
	return err
}

// child puts and does jobs until it is killed; without a number to put it ends
// when all are done.
func child(ctx context.Context, kind, uri, from string) error {
	db, err := store.Open(ctx, kind, uri, nop)
	if err != nil {
		return err
	}
	l, err := newLedger(ctx, db)
	if err != nil {
		return err
	}
	l.work(ctx)
	if from == "" {
		return l.settled(ctx)
	}
	n, err := strconv.Atoi(from)
	for ; err == nil; n += 20 {
		err = l.put(ctx, n, n+20)
		if err == nil {
			fmt.Println(n + 20)
		}
	}
	return err
}
