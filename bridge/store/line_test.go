package store_test

import (
	"bytes"
	"context"
	"testing"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/lab/postgres"
	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// A database that hangs holds up nobody whose context ended, and the pool works again as soon as the database does.
func TestDatabaseThatHangs(t *testing.T) {
	for name, begin := range map[string]func(context.Context, *dbutil.Database) (then func() error, err error){
		"query": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			return func() error { _, err := db.Exec(ctx, "SELECT 1"); return err }, nil
		},
		"more than the network takes": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			return func() error {
				_, err := db.Exec(ctx, "SELECT length($1)", bytes.Repeat([]byte("x"), 64<<20))
				return err
			}, nil
		},
		"begin": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			return func() error { _, err := db.RawDB.BeginTx(ctx, nil); return err }, nil
		},
		"statement of a transaction": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			tx, err := db.RawDB.BeginTx(ctx, nil)
			return func() error {
				_, err := tx.ExecContext(ctx, "SELECT 1")
				_ = tx.Rollback()
				return err
			}, err
		},
		"commit": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			tx, err := db.RawDB.BeginTx(ctx, nil)
			return func() error { return tx.Commit() }, err
		},
		"rows": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			rows, err := db.RawDB.QueryContext(ctx, "SELECT repeat('x', 1000) FROM generate_series(1, 100000)")
			return func() error {
				for rows.Next() {
				}
				_ = rows.Close()
				return rows.Err()
			}, err
		},
		"a new connection": func(ctx context.Context, db *dbutil.Database) (func() error, error) {
			for db.RawDB.Stats().Idle > 0 {
				if _, err := db.RawDB.Conn(ctx); err != nil {
					return nil, err
				}
			}
			return func() error { return db.RawDB.PingContext(ctx) }, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := postgres.NewProxy(t, storetest.Postgres(t))
			db := storetest.Open(t, store.Postgres, proxy.URI)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			then, err := begin(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			proxy.Freeze()
			done := make(chan error, 1)
			go func() { done <- then() }()
			within(t, proxy.Swallowed(), "something to be lost")
			cancel()
			if err := within(t, done, "the end"); err == nil {
				t.Error("no error")
			}
			proxy.Thaw()
			if err := db.QueryRow(t.Context(), "SELECT 1").Scan(new(int)); err != nil {
				t.Errorf("after it was back: %v", err)
			}
		})
	}
}
