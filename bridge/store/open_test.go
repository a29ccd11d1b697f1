package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/store"
	"lanekeeper/bridge/store/storetest"
)

// TestSQLiteSettings: the promise that a committed row survives a power cut hangs
// on them.
func TestSQLiteSettings(t *testing.T) {
	const bad = "?_txlock=deferred&_synchronous=OFF"
	dir := t.TempDir()
	for uri, file := range map[string]string{
		filepath.Join(dir, "a 100% #.db"):            "a 100% #.db",
		"file:" + filepath.Join(dir, "b%20b.db"):     "b b.db",
		"file://" + filepath.Join(dir, "c.db") + bad: "c.db",
	} {
		db := storetest.Open(t, store.SQLite, uri)
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000",
		} {
			var got string
			if err := db.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %s is %q (%v), want %q", file, pragma, got, err, want)
			}
		}
	}
}

func TestOpenAgain(t *testing.T) {
	storetest.EachURI(t, func(t *testing.T, kind, uri string) {
		for range 2 {
			db, err := store.Open(t.Context(), kind, uri, zerolog.Nop())
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestOpenForeignDatabase(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *dbutil.Database) {
		if _, err := db.Exec(t.Context(), "UPDATE database_owner SET owner='mautrix-whatsapp'"); err != nil {
			t.Fatal(err)
		}
		if err := db.Upgrade(t.Context()); err == nil {
			t.Error("another program's database was taken")
		}
	})
}

func TestOpenFails(t *testing.T) {
	for kind, uri := range map[string]string{
		"mysql":        "x",
		store.SQLite:   filepath.Join(t.TempDir(), "no", "such", "directory.db"),
		store.Postgres: "postgres://127.0.0.1:1/none?sslmode=disable",
	} {
		if _, err := store.Open(t.Context(), kind, uri, zerolog.Nop()); err == nil || !strings.HasPrefix(err.Error(), "database: ") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
