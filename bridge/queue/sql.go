package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// States of a row of table job.
const (
	stateReady = 0 // due since it was put
	stateTimer = 1 // due at its time, blocks nothing before
	stateHead  = 2 // tried; due at its time, blocks its key
)

// row is a job as it stands in the database.
type row struct {
	Job
	state    int
	behind   bool   // it stands behind a head
	snapshot string // see sweep
}

// place is where a timer or head stands.
type place struct{ at, id int64 }

// sweep is one reading of the jobs that are ready, page by page.
//
// SQLite has one writer, so its ids are in commit order: the cursor only moves on
// and one sweep is enough for ever.
//
// PostgreSQL hands out ids before the commit: a row can appear below ids that
// were read. A sweep there starts from the first id and reads what was committed
// since the sweep before, that is rows of transactions that the snapshot of that
// one does not show. All its pages are as of its first query: else a later page
// could show a job, and not the one before it that was committed in between.
type sweep struct {
	cursor int64  // id of the last row that was read
	seen   string // snapshot of the sweep before
	asOf   string // snapshot of this sweep, "" before its first page
}

// nothing is a snapshot of PostgreSQL that shows no transaction's rows.
const nothing = "1:1:"

// source is what the loader reads from: the jobs of one queue. Times are Unix ms.
type source interface {
	// start prepares the table for sweeps.
	start(ctx context.Context) error
	// ready gives jobs that were due when they were put: those of the sweep with ids
	// above its cursor, by id.
	ready(ctx context.Context, s sweep, limit int) ([]row, error)
	// ordered reports that ids are in commit order: see sweep.
	ordered() bool
	// timed gives timers and heads that are due, by time and id, after a place.
	timed(ctx context.Context, now int64, after place, limit int) ([]row, error)
	// next gives the first jobs of each key that are due, by id.
	next(ctx context.Context, now int64, keys []string, limit int) ([]row, error)
	// due says when the next timer or head after now is due.
	due(ctx context.Context, now int64) (int64, error)
	// wake makes the heads of some keys, or of all, due now.
	wake(ctx context.Context, now int64, keys []string, all bool) error
}

// tables is the source in the database.
type tables struct {
	*Queue
	queue string
}

const (
	columns = "SELECT j.id, j.queue, j.key, j.state, j.at, j.attempts, j.failures, j.created, j.payload, "

	// behind tells of each row of a page, not of each row on the way to it: so the
	// work for a page is bounded, however much stands behind heads.
	behind = "EXISTS (SELECT 1 FROM job h WHERE h.queue=j.queue AND h.key=j.key AND h.state=2), "

	readySQLite = columns + behind + "'' FROM (SELECT * FROM job WHERE queue=$1 AND state=0 AND id>$2 " +
		"ORDER BY id LIMIT $3) j ORDER BY j.id"
	readyPostgres = columns + behind + "pg_current_snapshot()::text FROM (SELECT * FROM job " +
		"WHERE queue=$1 AND state=0 AND id>$2 AND tx>=pg_snapshot_xmin($4::pg_snapshot) " +
		"AND NOT pg_visible_in_snapshot(tx, $4::pg_snapshot) " +
		"AND ($5='' OR pg_visible_in_snapshot(tx, NULLIF($5, '')::pg_snapshot)) " +
		"ORDER BY id LIMIT $3) j ORDER BY j.id"
	timedQuery = columns + "j.state<>2 AND " + behind + "'' FROM (SELECT * FROM job " +
		"WHERE queue=$1 AND state>0 AND at<=$2 AND (at, id)>($3, $4) ORDER BY at, id LIMIT $5) j ORDER BY j.at, j.id"
	nextQuery = columns + "FALSE, '' FROM job j WHERE j.queue=$1 AND j.key=%s AND (j.state=0 OR j.at<=$2) ORDER BY j.id LIMIT $3"
	dueQuery  = "SELECT MIN(at) FROM job WHERE queue=$1 AND state>0 AND at>$2"
	wakeQuery = "UPDATE job SET at=$1 WHERE queue=$2 AND state=2 AND at>$1"

	// A dump that was restored brings transaction ids from another server, which no
	// snapshot here shows.
	adoptPostgres = "UPDATE job SET tx=pg_current_xact_id() WHERE queue=$1 AND state=0 AND tx>pg_current_xact_id()"
)

func (t *tables) ordered() bool { return t.db.Dialect == dbutil.SQLite }

func (t *tables) start(ctx context.Context) error {
	if t.ordered() {
		return nil
	}
	_, err := t.db.Exec(ctx, adoptPostgres, t.queue)
	return err
}

func (t *tables) ready(ctx context.Context, s sweep, limit int) ([]row, error) {
	if t.ordered() {
		return t.query(ctx, readySQLite, t.queue, s.cursor, limit)
	}
	return t.query(ctx, readyPostgres, t.queue, s.cursor, limit, s.seen, s.asOf)
}

func (t *tables) timed(ctx context.Context, now int64, after place, limit int) ([]row, error) {
	return t.query(ctx, timedQuery, t.queue, now, after.at, after.id, limit)
}

func (t *tables) next(ctx context.Context, now int64, keys []string, limit int) (rows []row, err error) {
	if t.db.Dialect == dbutil.Postgres {
		marks, args := placeholders([]any{t.queue, now, limit}, keys)
		query := fmt.Sprintf(nextQuery, "k.key")
		return t.query(ctx, "SELECT n.* FROM unnest(ARRAY["+marks+"]::text[]) k(key) CROSS JOIN LATERAL ("+query+") n", args...)
	}
	// SQLite has no LATERAL, and no network between its queries.
	for _, key := range keys {
		more, err := t.query(ctx, fmt.Sprintf(nextQuery, "$4"), t.queue, now, limit, key)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (t *tables) due(ctx context.Context, now int64) (int64, error) {
	var at sql.NullInt64
	err := t.db.QueryRow(ctx, dueQuery, t.queue, now).Scan(&at)
	if err != nil || !at.Valid {
		return never, err
	}
	return at.Int64, nil
}

func (t *tables) wake(ctx context.Context, now int64, keys []string, all bool) error {
	query, args := wakeQuery, []any{now, t.queue}
	if !all {
		var marks string
		marks, args = placeholders(args, keys)
		query += " AND key IN (" + marks + ")"
	}
	return t.Tx(ctx, func(ctx context.Context) error {
		_, err := t.db.Exec(ctx, query, args...)
		return err
	})
}

func (t *tables) query(ctx context.Context, query string, args ...any) ([]row, error) {
	rows, err := t.db.Query(ctx, query, args...)
	return dbutil.NewRowIterWithError(rows, scanRow, err).AsList()
}

func scanRow(rows dbutil.Scannable) (r row, err error) {
	var at, created int64
	err = rows.Scan(&r.ID, &r.Queue, &r.Key, &r.state, &at, &r.Attempts, &r.failures, &created, &r.Payload, &r.behind, &r.snapshot)
	r.At, r.Created = time.UnixMilli(at), time.UnixMilli(created)
	return r, err
}

// placeholders adds values to args and gives "$n,$n+1,…" for them.
func placeholders[T any](args []any, values []T) (string, []any) {
	var marks strings.Builder
	for i, v := range values {
		if i > 0 {
			marks.WriteByte(',')
		}
		args = append(args, v)
		fmt.Fprintf(&marks, "$%d", len(args))
	}
	return marks.String(), args
}
