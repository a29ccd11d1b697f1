package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

// putChunk keeps one insert well below SQLite's 32,766 parameters.
const putChunk = 1000

// Put stores work, in the transaction that ctx carries if there is one, and
// gives the ids in the order of the items. Jobs of one key that are put one after
// the other run in that order. They start within milliseconds after the commit;
// after the commit of a transaction that Tx did not open, within a second. Keys
// are text: NUL and invalid UTF-8 are replaced.
func (q *Queue) Put(ctx context.Context, items ...Item) ([]int64, error) {
	var ids []int64
	now := q.now()
	err := q.Tx(ctx, func(ctx context.Context) error {
		ids = make([]int64, 0, len(items))
		for chunk := range slices.Chunk(items, putChunk) {
			part, err := q.insert(ctx, now, chunk)
			if err != nil {
				return fmt.Errorf("queue: put: %w", err)
			}
			ids = append(ids, part...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	AfterCommit(ctx, q.db, func() { q.announce(now, items) })
	return ids, nil
}

// Last is the highest number of the jobs that there are; 0: there are none.
func (q *Queue) Last(ctx context.Context) (id int64, err error) {
	if err := q.db.QueryRow(ctx, "SELECT COALESCE(MAX(id), 0) FROM job").Scan(&id); err != nil {
		return 0, fmt.Errorf("queue: last: %w", err)
	}
	return id, nil
}

// Cancel takes back the timers of a key that are not due yet.
func (q *Queue) Cancel(ctx context.Context, queue, key string) error {
	if _, err := q.db.Exec(ctx, "DELETE FROM job WHERE queue=$1 AND key=$2 AND state=1", queue, storable(key)); err != nil {
		return fmt.Errorf("queue: cancel: %w", err)
	}
	return nil
}

func (q *Queue) insert(ctx context.Context, now int64, items []Item) ([]int64, error) {
	args := make([]any, 0, len(items)*7)
	for _, item := range items {
		state, at := stateOf(item, now)
		payload := item.Payload
		if payload == nil {
			payload = []byte{} // nil would be NULL
		}
		key := storable(item.Key)
		args = append(args, item.Queue, part(key), key, state, at, now, payload)
	}
	rows, err := q.db.Query(ctx, "INSERT INTO job (queue, part, key, state, at, created, payload) VALUES "+
		q.marks(len(items), 7)+" RETURNING id", args...)
	ids, err := dbutil.NewRowIterWithError(rows, dbutil.ScanSingleColumn[int64], err).AsList()
	// Ids grow in the order of VALUES; only the order of the answer is not promised.
	slices.Sort(ids)
	return ids, err
}

// marks gives the parameters of some rows: "($1,$2),($3,$4)", or, on SQLite,
// "(?,?),(?,?)", as its driver takes time with the square of the number of named
// parameters.
func (q *Queue) marks(rows, columns int) string {
	var out strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			out.WriteByte('(')
		case i%columns == 0:
			out.WriteString("),(")
		default:
			out.WriteByte(',')
		}
		if q.db.Dialect == dbutil.SQLite {
			out.WriteByte('?')
		} else {
			fmt.Fprintf(&out, "$%d", i+1)
		}
	}
	out.WriteByte(')')
	return out.String()
}

// storable replaces what a text in PostgreSQL cannot hold. A key that somebody
// else chose must not make storing fail for ever.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "\ufffd")
}

// stateOf tells a timer from work that is due.
func stateOf(item Item, now int64) (state int, at int64) {
	if at := ceilMillis(item.At); at > now && !item.At.IsZero() {
		return stateTimer, at
	}
	return stateReady, now
}

// announce wakes the loaders of the queues that got items.
func (q *Queue) announce(now int64, items []Item) {
	due := make(map[string]int64)
	for _, item := range items {
		at, ok := due[item.Queue]
		if !ok {
			at = never
		}
		if state, t := stateOf(item, now); state == stateTimer {
			at = min(at, t)
		}
		due[item.Queue] = at
	}
	for name, at := range due {
		s := q.signal(name)
		s.dueAt(at)
		s.poke()
	}
}

// ceilMillis rounds up: a timer is never early.
func ceilMillis(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}
