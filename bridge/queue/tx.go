package queue

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// maxConflicts is how often a transaction is tried that others conflict with.
// PostgreSQL lets one of the conflicting ones through each time.
const maxConflicts = 20

type hooksKey struct{}

// hooks runs when the transaction that ctx carries is committed.
type hooks struct{ after []func() }

// ErrFenced says that another process has taken the database over: nothing was
// written, and nothing may be.
var ErrFenced = errors.New("another process may own the database now")

// Fence sets what every transaction begins with; if it fails (with
// ErrFenced), nothing is written. Call it before Run.
func (q *Queue) Fence(fn func(ctx context.Context) error) { q.fence = fn }

// Tx is the function Tx on the database of the queue, behind its fence.
func (q *Queue) Tx(ctx context.Context, fn func(ctx context.Context) error) error {
	if q.fence == nil || inTx(ctx, q.db) {
		return Tx(ctx, q.db, fn)
	}
	return Tx(ctx, q.db, func(ctx context.Context) error {
		if err := q.fence(ctx); err != nil {
			return err
		}
		return fn(ctx)
	})
}

// Tx runs fn in one serialisable transaction and tries again when it conflicts
// with another (PostgreSQL errors 40001 and 40P01, SQLite busy), so fn may run
// more than once. All calls with fn's ctx use the transaction. Inside another
// transaction of the same database fn just joins it.
func Tx(ctx context.Context, db *dbutil.Database, fn func(ctx context.Context) error) error {
	if inTx(ctx, db) {
		return fn(ctx)
	}
	for try := 1; ; try++ {
		h := &hooks{}
		err := once(context.WithValue(ctx, hooksKey{}, h), db, fn)
		if err == nil {
			for _, after := range h.after {
				after()
			}
			return nil
		}
		if !isConflict(err) || try == maxConflicts {
			return err
		}
		if wait(ctx, min(time.Duration(try*try)*time.Millisecond, 100*time.Millisecond)) != nil {
			return err
		}
	}
}

// once runs fn in one transaction. dbutil does not roll back when fn panics,
// which would leave SQLite's only connection taken for ever.
func once(ctx context.Context, db *dbutil.Database, fn func(ctx context.Context) error) error {
	opts := &dbutil.TxnOptions{}
	if db.Dialect == dbutil.Postgres {
		opts.Isolation = sql.LevelSerializable
	}
	var panicked any
	err := db.DoTxn(ctx, opts, func(ctx context.Context) (err error) {
		defer func() {
			if panicked = recover(); panicked != nil {
				err = fmt.Errorf("panic: %v", panicked)
			}
		}()
		return fn(ctx)
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// AfterCommit runs fn when the transaction that ctx carries is committed. Without
// one, or in one that Tx did not open, it runs fn at once.
func AfterCommit(ctx context.Context, db *dbutil.Database, fn func()) {
	if h, ok := ctx.Value(hooksKey{}).(*hooks); ok && inTx(ctx, db) {
		h.after = append(h.after, fn)
		return
	}
	fn()
}

func inTx(ctx context.Context, db *dbutil.Database) bool {
	_, ok := db.Execable(ctx).(dbutil.Transaction)
	return ok
}

// sqlState gives the code of a PostgreSQL error, else "".
// https://www.postgresql.org/docs/current/errcodes-appendix.html
func sqlState(err error) string {
	var pg interface{ SQLState() string }
	if errors.As(err, &pg) {
		return pg.SQLState()
	}
	return ""
}

// sqliteCode gives the primary code of an SQLite error, else 0.
// https://www.sqlite.org/rescode.html
func sqliteCode(err error) int {
	var lite interface{ Code() int }
	if errors.As(err, &lite) {
		return lite.Code() & 0xff
	}
	return 0
}

// isConflict reports that the same transaction may succeed when tried again now.
func isConflict(err error) bool {
	switch sqlState(err) {
	case "40001", "40P01":
		return true
	}
	code := sqliteCode(err)
	return code == 5 || code == 6 // SQLITE_BUSY, SQLITE_LOCKED
}

// Outage reports that the database, not the statement, is to blame: the same
// transaction may succeed later.
func Outage(err error) bool {
	if isConflict(err) || errors.Is(err, ErrFenced) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var network net.Error
	if errors.As(err, &network) {
		return true
	}
	switch state := sqlState(err); {
	case strings.HasPrefix(state, "08"), // connection
		strings.HasPrefix(state, "53"), // resources: disk, memory, connections
		strings.HasPrefix(state, "57"), // operator: shutdown, cancel
		strings.HasPrefix(state, "58"), // system: input, output
		state == "25006":               // read-only: a fail-over
		return true
	}
	switch sqliteCode(err) {
	case 8, 10, 13, 14: // SQLITE_READONLY, IOERR, FULL, CANTOPEN
		return true
	}
	return false
}

// isHopeless reports that the database refuses the statement for what is in it: a
// broken constraint, a value that its type does not hold, a row or an index entry
// that is too large. One repeat is worth while, as PostgreSQL may say so, too, when
// two transactions insert the same key at the same time.
func isHopeless(err error) bool {
	switch state := sqlState(err); {
	case strings.HasPrefix(state, "22"), // data: too long, out of range, not of the encoding
		strings.HasPrefix(state, "23"), // constraints
		strings.HasPrefix(state, "54"): // limits of the program
		return true
	}
	switch sqliteCode(err) {
	case 18, 19, 20: // SQLITE_TOOBIG, CONSTRAINT, MISMATCH
		return true
	}
	return false
}

// wait waits or gives ctx's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
