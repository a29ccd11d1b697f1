// Package storetest gives tests fresh databases of both kinds.
package storetest

import (
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/lab/postgres"
	"lanekeeper/bridge/store"
)

// Each runs fn as a subtest on a fresh SQLite file and on a fresh PostgreSQL
// database, both with the bridge's schema.
func Each(t *testing.T, fn func(t *testing.T, db *dbutil.Database)) {
	EachURI(t, func(t *testing.T, kind, uri string) { fn(t, Open(t, kind, uri)) })
}

// EachURI is Each for tests that open the database themselves, or several times.
func EachURI(t *testing.T, fn func(t *testing.T, kind, uri string)) {
	t.Run("sqlite", func(t *testing.T) { fn(t, store.SQLite, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { fn(t, store.Postgres, Postgres(t)) })
}

// Postgres gives the URI of a fresh PostgreSQL database that goes with the test.
func Postgres(t testing.TB) string {
	t.Helper()
	return postgres.Database(t)
}

// SQLite gives the name of a database file that does not exist yet.
func SQLite(t testing.TB) string {
	return filepath.Join(t.TempDir(), "lanekeeper.db")
}

// Open opens a database until the test ends.
func Open(t testing.TB, kind, uri string) *dbutil.Database {
	t.Helper()
	db, err := store.Open(t.Context(), kind, uri, zerolog.Nop())
	if err != nil {
		t.Fatalf("open %s database: %v", kind, err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
