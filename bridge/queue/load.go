package queue

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
)

const (
	pageSize = 512
	// poll finds what nobody announced: jobs that another process put, or a
	// transaction that Tx did not open.
	poll = time.Second
	// fullSweep is a slow look at everything, for what should not happen: rows that
	// somebody changed by hand.
	fullSweep = 5 * time.Minute
)

// reading is where the loader stands.
type reading struct {
	cursor  int64     // id of the last ready row that was read
	horizon string    // this sweep reads transactions from here
	next    string    // the next sweep does
	swept   time.Time // when the last full sweep began
}

// load reads jobs into memory until ctx ends.
func (r *runner) load(ctx context.Context) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	r.reading = reading{horizon: "0", next: "0", swept: r.clock.Now()}
	away, ticked := false, true
	for ctx.Err() == nil {
		more, err := r.round(ctx, ticked)
		ticked = false
		if err != nil && ctx.Err() == nil && !away {
			r.log.Error().Err(err).Msg("Jobs cannot be read, trying on")
		}
		away = err != nil
		if more && !away {
			continue
		}
		ticked = r.rest(ctx, ticker.C, away)
	}
}

// rest waits for a reason to look again; true: it was the time for the slow look.
func (r *runner) rest(ctx context.Context, tick <-chan time.Time, away bool) bool {
	poked, due := r.signals.poked, r.dueIn()
	if away {
		poked, due = nil, nil
	}
	select {
	case <-ctx.Done():
	case <-poked:
	case <-due:
	case <-tick:
		return true
	}
	return false
}

// dueIn waits for the next timer or head.
func (r *runner) dueIn() <-chan time.Time {
	r.mu.Lock()
	starved := r.starved
	r.mu.Unlock()
	due := r.signals.nextDue()
	if due == never || starved { // a poke tells when there is room again
		return nil
	}
	return r.clock.After(time.Duration(max(0, due-r.now())) * time.Millisecond)
}

// round looks once for everything that may start. more: there are further pages.
func (r *runner) round(ctx context.Context, ticked bool) (more bool, err error) {
	if err = r.wakeHeads(ctx); err != nil {
		return false, fmt.Errorf("wake: %w", err)
	}
	if err = r.readKeys(ctx); err != nil {
		return false, fmt.Errorf("read keys: %w", err)
	}
	now := r.now()
	if due := r.signals.takeDue(now); due <= now || ticked {
		if err = r.readTimed(ctx, now); err != nil {
			r.signals.dueAt(now)
			return false, fmt.Errorf("read timers: %w", err)
		}
	}
	if more, err = r.readReady(ctx); err != nil {
		return false, fmt.Errorf("read jobs: %w", err)
	}
	return more, nil
}

// wakeHeads makes heads due for which Wake was called.
func (r *runner) wakeHeads(ctx context.Context) error {
	keys, all := r.signals.takeWakes()
	if len(keys) == 0 {
		return nil
	}
	r.mu.Lock()
	waiting := keys[:0:0]
	for _, key := range keys {
		if !r.lanes.wake(key) {
			waiting = append(waiting, key)
		}
	}
	r.mu.Unlock()
	if len(waiting) == 0 && !all {
		return nil
	}
	now := r.now()
	query, args := "UPDATE job SET at=$1 WHERE queue=$2 AND state=2 AND at>$1", []any{now, r.name}
	if !all {
		var marks string
		marks, args = placeholders(args, waiting)
		query += " AND key IN (" + marks + ")"
	}
	err := Tx(ctx, r.db, func(ctx context.Context) error {
		_, err := r.db.Exec(ctx, query, args...)
		return err
	})
	if err != nil {
		for _, key := range keys {
			r.signals.wake(key)
		}
		return err
	}
	r.signals.dueAt(now)
	return nil
}

// readKeys gives empty lanes their next jobs.
func (r *runner) readKeys(ctx context.Context) error {
	r.mu.Lock()
	count := len(r.lanes.refill)
	r.mu.Unlock()
	for range count {
		r.mu.Lock()
		n := r.lanes.takeRefill()
		r.starved = r.starved || n == nil
		r.lanes.begin()
		r.mu.Unlock()
		if n == nil {
			return nil
		}
		rows, err := r.query(ctx, keyQuery, r.name, r.now(), n.key, maxPerLane)
		r.mu.Lock()
		if err != nil {
			r.lanes.refill = append(r.lanes.refill, n)
			r.mu.Unlock()
			return err
		}
		jobs := make([]*Job, len(rows))
		for i := range rows {
			jobs[i] = &rows[i].Job
		}
		r.lanes.refilled(n, jobs, len(rows) == maxPerLane)
		r.lanes.end()
		r.changed.Broadcast()
		r.mu.Unlock()
	}
	return nil
}

// readTimed reads timers and heads that are due, and when the next one will be.
func (r *runner) readTimed(ctx context.Context, now int64) error {
	var at, id int64 = -1 << 62, 0
	for {
		r.begin()
		rows, err := r.query(ctx, timedQuery, r.name, now, at, id, pageSize)
		if err != nil {
			return err
		}
		if taken := r.offer(rows); taken < len(rows) {
			r.signals.dueAt(now)
			return nil
		}
		if len(rows) < pageSize {
			break
		}
		last := rows[len(rows)-1]
		at, id = last.At.UnixMilli(), last.ID
	}
	var next sql.NullInt64
	if err := r.db.QueryRow(ctx, nextQuery, r.name, now).Scan(&next); err != nil {
		return err
	}
	if next.Valid {
		r.signals.dueAt(next.Int64)
	}
	return nil
}

// readReady reads the next page of the sweep over ready jobs. more: there are
// further pages and there is room for them.
func (r *runner) readReady(ctx context.Context) (more bool, err error) {
	args := []any{r.name, r.cursor, pageSize}
	if r.sql.horizons {
		args = append(args, r.horizon)
	}
	first := r.cursor == 0
	r.begin()
	rows, err := r.query(ctx, r.sql.ready, args...)
	if err != nil {
		return false, err
	}
	if first && len(rows) > 0 {
		r.next = rows[0].horizon
	}
	taken := r.offer(rows)
	if taken > 0 {
		r.cursor = rows[taken-1].ID
	}
	if taken < len(rows) {
		return false, nil
	}
	if len(rows) == pageSize {
		return true, nil
	}
	r.endSweep()
	return false, nil
}

// endSweep decides where the next sweep begins.
func (r *runner) endSweep() {
	if r.sql.horizons {
		r.cursor, r.horizon = 0, r.next
	}
	if now := r.clock.Now(); now.Sub(r.swept) >= fullSweep {
		r.cursor, r.horizon, r.next, r.swept = 0, "0", "0", now
	}
}

func (r *runner) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lanes.begin()
}

// offer takes rows into memory until it is full and says how many.
func (r *runner) offer(rows []row) (taken int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range rows {
		if !r.lanes.offer(&rows[i].Job, rows[i].state) {
			r.starved = true
			break
		}
		taken++
	}
	r.lanes.end()
	r.changed.Broadcast()
	return taken
}

// row is a job as it stands in the database.
type row struct {
	Job
	state   int
	horizon string
}

func (r *runner) query(ctx context.Context, query string, args ...any) ([]row, error) {
	rows, err := r.db.Query(ctx, query, args...)
	return dbutil.NewRowIterWithError(rows, scanRow, err).AsList()
}

func scanRow(rows dbutil.Scannable) (r row, err error) {
	var at, created int64
	err = rows.Scan(&r.ID, &r.Queue, &r.Key, &r.state, &at, &r.Attempts, &r.failures, &created, &r.Payload, &r.horizon)
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
