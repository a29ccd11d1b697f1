package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	_ "modernc.org/sqlite" // driver "sqlite", without cgo
)

// Kinds of database, as the configuration names them.
const (
	SQLite   = "sqlite3"
	Postgres = "postgres"
)

// minPostgres is the first version with xid8, which the queue reads by.
const minPostgres = 13_00_00

// postgresConns leaves room for other users of a small server (100 connections).
const postgresConns = 16

// Open opens the database and brings its schema up to date. The uri is a file
// name, with or without "file:", for sqlite3 and a connection URI for postgres.
// Only one process may work on a database: take Lock first.
func Open(ctx context.Context, kind, uri string, log zerolog.Logger) (*dbutil.Database, error) {
	raw, err := openPool(kind, uri)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db, err := dbutil.NewWithDB(raw, kind)
	if err == nil {
		db.Owner = "lanekeeper"
		db.IgnoreForeignTables = false
		db.UpgradeTable = upgrades
		db.Log = dbutil.ZeroLogger(log)
		err = upgrade(ctx, db)
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

var (
	// ErrSchema says that the tables are of another version of Lanekeeper.
	ErrSchema = errors.New("the database is of another version of Lanekeeper")
	// ErrEmpty says that there are no tables yet.
	ErrEmpty = errors.New("the database has no tables yet: start Lanekeeper once")
)

// Look opens a database beside its owner, to read: it must have the schema of this
// version, and it makes or changes no table.
func Look(ctx context.Context, kind, uri string, log zerolog.Logger) (*dbutil.Database, error) {
	if kind == SQLite {
		if _, err := os.Stat(sqliteFile(uri)); errors.Is(err, fs.ErrNotExist) { // opening would make it
			return nil, fmt.Errorf("database: %w", ErrEmpty)
		}
	}
	raw, err := openPool(kind, uri)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	db, err := dbutil.NewWithDB(raw, kind)
	if err == nil {
		db.Log = dbutil.ZeroLogger(log)
		err = sameSchema(ctx, db)
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("database: %w", err)
	}
	return db, nil
}

func sameSchema(ctx context.Context, db *dbutil.Database) error {
	has, err := db.TableExists(ctx, "version")
	if err != nil {
		return err
	}
	if !has {
		return ErrEmpty
	}
	var version int
	if err := db.QueryRow(ctx, "SELECT version FROM version").Scan(&version); err != nil {
		return err
	}
	switch want := len(upgrades); {
	case version < want:
		return fmt.Errorf("%w: it is older (%d, this program needs %d): start this version once, or use the program that runs", ErrSchema, version, want)
	case version > want:
		return fmt.Errorf("%w: it is newer (%d, this program knows %d): use the program that runs", ErrSchema, version, want)
	}
	return nil
}

// upgrade brings the schema up to date, on servers that can hold it.
func upgrade(ctx context.Context, db *dbutil.Database) error {
	if db.Dialect == dbutil.Postgres {
		var version int
		err := db.QueryRow(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version)
		if err != nil {
			return err
		}
		if version < minPostgres {
			return fmt.Errorf("PostgreSQL %d is too old, 13 or newer is needed", version/10000)
		}
	}
	return db.Upgrade(ctx)
}

func openPool(kind, uri string) (*sql.DB, error) {
	switch kind {
	case SQLite:
		dsn, err := sqliteDSN(uri)
		if err != nil {
			return nil, err
		}
		if err := touch(sqliteFile(uri)); err != nil {
			return nil, err
		}
		pool, err := sql.Open("sqlite", dsn)
		if err != nil {
			return nil, err
		}
		// SQLite has one writer; a second connection would only wait for it.
		pool.SetMaxOpenConns(1)
		return pool, nil
	case Postgres:
		pool, err := openPostgres(uri)
		if err != nil {
			return nil, err
		}
		pool.SetMaxOpenConns(postgresConns)
		pool.SetMaxIdleConns(postgresConns)
		pool.SetConnMaxIdleTime(5 * time.Minute)
		return pool, nil
	default:
		return nil, fmt.Errorf("type %q is neither %s nor %s", kind, SQLite, Postgres)
	}
}

// sqliteDSN adds what keeps the promise that a committed row survives a power
// cut: WAL with synchronous=FULL. (NORMAL, the common choice with WAL, loses the
// last commits: https://www.sqlite.org/pragma.html#pragma_synchronous.)
func sqliteDSN(uri string) (string, error) {
	_, query, _ := strings.Cut(uri, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", fmt.Errorf("options after the file name: %w", err)
	}
	values.Set("_txlock", "immediate")
	values.Set("_busy_timeout", "10000") // ms; a backup tool may hold the lock
	values.Set("_journal_mode", "WAL")
	values.Set("_synchronous", "FULL")
	values.Set("_foreign_keys", "on")
	name := url.URL{Path: sqliteFile(uri)}
	return "file:" + name.EscapedPath() + "?" + values.Encode(), nil
}

// sqliteFile gives the path of a database file from its uri
// (https://www.sqlite.org/uri.html) or name.
func sqliteFile(uri string) string {
	name, _, _ := strings.Cut(uri, "?")
	path, isURI := strings.CutPrefix(name, "file:")
	if !isURI {
		return name
	}
	if strings.HasPrefix(path, "//") {
		path = "/" + strings.TrimLeft(path, "/")
	}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	return path
}

// touch makes a new database file that only its owner may read: phone numbers and
// messages are in it. SQLite gives the files beside it the same permissions.
func touch(name string) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return file.Close() // before SQLite opens it: closing later would drop SQLite's locks
}
