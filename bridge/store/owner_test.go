package store_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// owner takes a database over.
func owner(t *testing.T, db *dbutil.Database) *store.Store {
	t.Helper()
	epoch, err := store.TakeOver(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	q := queue.New(db, queue.System{}, zerolog.Nop())
	q.Fence(store.Fence(db, epoch))
	return &store.Store{DB: db, Queue: q, Domain: "lanes.test", Now: time.Now, NewID: func() string { return "id" }}
}

// D2: whoever lost the database writes nothing more, however it tries.
func TestFence(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		old := owner(t, storetest.Open(t, kind, uri))
		if err := old.SetMeta(t.Context(), "who", "old"); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Queue.Put(t.Context(), queue.Item{Queue: "q", Key: "k"}); err != nil {
			t.Fatal(err)
		}
		if kind == store.SQLite {
			_ = old.DB.Close() // the file has one connection
			old.DB = storetest.Open(t, kind, uri)
			old = owner(t, old.DB)
		}
		db := old.DB
		if kind == store.Postgres {
			db = storetest.Open(t, kind, uri)
		}
		next := owner(t, db)
		for what, write := range map[string]func() error{
			"one statement": func() error { return old.SetMeta(t.Context(), "who", "old again") },
			"a transaction": func() error {
				return old.Tx(t.Context(), func(ctx context.Context) error { return old.SetMeta(ctx, "who", "old again") })
			},
			"work": func() error {
				_, err := old.Queue.Put(t.Context(), queue.Item{Queue: "q", Key: "k"})
				return err
			},
		} {
			if err := write(); !errors.Is(err, queue.ErrFenced) {
				t.Errorf("%s of the old owner: %v", what, err)
			}
		}
		if err := next.SetMeta(t.Context(), "who", "next"); err != nil {
			t.Error(err)
		}
		if who, err := next.Meta(t.Context(), "who"); who != "next" || err != nil {
			t.Errorf("%q, %v", who, err)
		}
	})
}

// D2: a job that the old owner has done is not completed by it.
func TestFencedQueue(t *testing.T) {
	uri := storetest.Postgres(t)
	old := owner(t, storetest.Open(t, store.Postgres, uri))
	if _, err := old.Queue.Put(t.Context(), queue.Item{Queue: "q", Key: "k"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var next *store.Store
	committed := false
	old.Queue.Fence(func(inner func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			err := inner(ctx)
			if errors.Is(err, queue.ErrFenced) {
				cancel()
			}
			return err
		}
	}(store.Fence(old.DB, 1)))
	err := old.Queue.Run(ctx, "q", 1, func(context.Context, queue.Job) queue.Result {
		next = owner(t, storetest.Open(t, store.Postgres, uri)) // while the job runs
		return queue.Result{Commit: func(context.Context) error { committed = true; return nil }}
	})
	if !errors.Is(err, context.Canceled) || committed {
		t.Errorf("%v, committed: %v", err, committed)
	}
	done, stop := context.WithCancel(t.Context())
	defer stop()
	again := false
	_ = next.Queue.Run(done, "q", 1, func(context.Context, queue.Job) queue.Result {
		return queue.Result{Commit: func(ctx context.Context) error {
			again = true
			queue.AfterCommit(ctx, next.DB, stop)
			return nil
		}}
	})
	if !again {
		t.Error("the next owner did not do it")
	}
}

// D2: the next owner waits for a transaction that is under way.
func TestTakeOverWaits(t *testing.T) {
	uri := storetest.Postgres(t)
	old := owner(t, storetest.Open(t, store.Postgres, uri))
	other := storetest.Open(t, store.Postgres, uri)
	taken := make(chan error, 1)
	err := old.Tx(t.Context(), func(ctx context.Context) error {
		go func() {
			_, err := store.TakeOver(t.Context(), other)
			taken <- err
		}()
		for waiting := 0; waiting == 0; {
			if err := other.QueryRow(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE datname=current_database() AND wait_event_type='Lock'").Scan(&waiting); err != nil {
				return err
			}
		}
		select {
		case err := <-taken:
			t.Errorf("taken over behind a transaction: %v", err)
		default:
		}
		return old.SetMeta(ctx, "last", "word")
	})
	if err != nil {
		t.Error(err)
	}
	if err := within(t, taken, "the take-over"); err != nil {
		t.Error(err)
	}
	if word, err := old.Meta(t.Context(), "last"); word != "word" || err != nil {
		t.Errorf("%q, %v", word, err)
	}
}

// D2: nothing in this package writes but through exec, which is behind the fence.
func TestEveryWriteIsFenced(t *testing.T) {
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, name := range names {
		if !strings.HasSuffix(name.Name(), ".go") || strings.HasSuffix(name.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncDecl); ok && fn.Name.Name == "exec" {
				return false
			}
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Exec" {
				t.Errorf("%s: write with s.exec", fset.Position(sel.Pos()))
			}
			return true
		})
	}
}
