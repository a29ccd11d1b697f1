// Package store is the SQL of the domain: one file for each table or small group
// of tables. Its methods join the transaction that the context carries; whoever
// decides something opens one with Tx.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"

	"lanekeeper/bridge/queue"
)

// Store reads and writes the domain's rows.
type Store struct {
	DB     *dbutil.Database
	Queue  *queue.Queue
	Domain string // server name of our homeserver
	Keeper string // the user of ours that keeps new projects

	// Aliases is what the aliases of our rooms begin with; empty: lanekeeper_. It
	// has to lie in the registration's namespace.
	Aliases string

	// NewID gives opaque random identifiers: lower-case letters and digits, at
	// least 128 bits.
	NewID func() string
	Now   func() time.Time
}

// Tx runs fn in one serialisable transaction; see queue.Tx.
func (s *Store) Tx(ctx context.Context, fn func(context.Context) error) error {
	return s.Queue.Tx(ctx, fn)
}

// exec writes: in the transaction that ctx carries, else in one of its own, so that
// nothing is written that is not behind the fence of the owner.
func (s *Store) exec(ctx context.Context, query string, args ...any) (r sql.Result, err error) {
	err = s.Tx(ctx, func(ctx context.Context) error {
		r, err = s.DB.Exec(ctx, query, args...)
		return err
	})
	return r, err
}

// Meta reads a value that stands alone, "" if there is none.
func (s *Store) Meta(ctx context.Context, name string) (value string, err error) {
	err = s.DB.QueryRow(ctx, "SELECT value FROM meta WHERE name=$1", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, wrap("meta "+name, err)
}

// SetMeta writes a value that stands alone.
func (s *Store) SetMeta(ctx context.Context, name, value string) error {
	_, err := s.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value=excluded.value", name, value)
	return wrap("meta "+name, err)
}

// Lately reports whether a name was marked within a time, and marks it if not.
func (s *Store) Lately(ctx context.Context, name string, within time.Duration) (bool, error) {
	name = "lately:" + name
	last, err := s.Meta(ctx, name)
	if err != nil {
		return false, err
	}
	now := s.Now()
	if t, err := time.Parse(time.RFC3339, last); err == nil && !t.After(now) && now.Sub(t) < within {
		return true, nil
	}
	return false, s.SetMeta(ctx, name, now.UTC().Format(time.RFC3339))
}

// DeleteMeta forgets a value that stands alone, and that a name was marked.
func (s *Store) DeleteMeta(ctx context.Context, name string) error {
	_, err := s.exec(ctx, "DELETE FROM meta WHERE name=$1", name)
	return wrap("meta "+name, err)
}

// NextNumber counts requests and handoffs together, from 1.
func (s *Store) NextNumber(ctx context.Context) (n int64, err error) {
	err = s.DB.QueryRow(ctx, `INSERT INTO meta (name, value) VALUES ('number', '1')
		ON CONFLICT (name) DO UPDATE SET value=CAST(CAST(meta.value AS BIGINT)+1 AS TEXT) RETURNING CAST(value AS BIGINT)`).Scan(&n)
	return n, wrap("next number", err)
}

// Once reports whether a name is marked for the first time.
func (s *Store) Once(ctx context.Context, name string) (first bool, err error) {
	r, err := s.exec(ctx, "INSERT INTO meta (name, value) VALUES ($1, '1') ON CONFLICT (name) DO NOTHING", name)
	if err != nil {
		return false, wrap("meta "+name, err)
	}
	n, err := r.RowsAffected()
	return n == 1, wrap("meta "+name, err)
}

func wrap(noun string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", noun, err)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// none turns "no rows" into nothing found.
func none[T any](v *T, err error) (*T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// all scans every row.
func all[T any](rows dbutil.Rows, err error, scan func(dbutil.Scannable) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
