package queue

import (
	"context"
	"fmt"
	"time"
)

// fullSweep is a slow look at everything, for what should not happen: rows that
// somebody changed by hand.
const fullSweep = 5 * time.Minute

// stepBack is by how much the clock has to be set back to be noticed.
const stepBack = time.Second

// reading is where the loader stands.
type reading struct {
	sweep   sweep
	started bool
	full    time.Time // when the last sweep over everything began
	looked  int64     // when the last look was, Unix ms
}

// load reads jobs into memory until ctx ends.
func (r *runner) load(ctx context.Context) {
	ticker := time.NewTicker(r.poll)
	defer ticker.Stop()
	r.reading = r.fromScratch()
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
	if !r.started {
		if err = r.source.start(ctx); err != nil {
			return false, fmt.Errorf("start: %w", err)
		}
		r.started = true
	}
	r.checkClock()
	if err = r.wakeHeads(ctx); err != nil {
		return false, fmt.Errorf("wake: %w", err)
	}
	if err = r.readKeys(ctx); err != nil {
		return false, fmt.Errorf("read keys: %w", err)
	}
	now := r.now()
	if r.refillsFirst() {
		if ticked {
			r.signals.dueAt(now)
		}
		return true, nil
	}
	if due := r.signals.takeDue(now); due <= now || ticked {
		if err = r.readTimed(ctx, now); err != nil {
			r.signals.dueAt(now)
			return false, fmt.Errorf("read timers: %w", err)
		}
	}
	if more, err = r.readReady(ctx); err != nil {
		return false, fmt.Errorf("read jobs: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return more || len(r.lanes.refill) > 0 && !r.lanes.full(), nil
}

// refillsFirst: what is read would not be taken in until more lanes have their refill.
func (r *runner) refillsFirst() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lanes.crowd() && !r.lanes.full()
}

// checkClock wakes all heads when the clock was set back: each of them waited for a
// moment of the clock as it was, which may be hours away now. Timers keep their time.
func (r *runner) checkClock() {
	now := r.now()
	if now < r.looked-stepBack.Milliseconds() {
		r.log.Warn().Msg("The clock was set back; what waits is tried again")
		r.signals.wakeEach()
	}
	r.looked = now
}

// wakeHeads makes heads due for which Wake was called.
func (r *runner) wakeHeads(ctx context.Context) error {
	keys, all := r.signals.takeWakes()
	if len(keys) == 0 && !all {
		return nil
	}
	r.mu.Lock()
	if all {
		r.lanes.wakeRunning()
	}
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
	err := r.source.wake(ctx, now, waiting, all)
	if err != nil {
		for _, key := range keys {
			r.signals.wake(key)
		}
		if all {
			r.signals.wakeEach()
		}
		return err
	}
	r.signals.dueAt(now)
	return nil
}

// readKeys gives empty lanes their next jobs. It does not wait until all have
// some: others want to be read, too.
func (r *runner) readKeys(ctx context.Context) error {
	r.mu.Lock()
	lanes := r.lanes.takeRefill()
	r.starved = r.starved || len(lanes) == 0 && len(r.lanes.refill) > 0
	r.lanes.begin()
	r.mu.Unlock()
	if len(lanes) == 0 {
		return nil
	}
	keys := make([]string, len(lanes))
	for i, n := range lanes {
		keys[i] = n.key
	}
	rows, err := r.source.next(ctx, r.now(), keys, r.lanes.bounds.lane)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.lanes.refill = append(r.lanes.refill, lanes...)
		return err
	}
	r.lanes.refilled(lanes, rows)
	r.lanes.end()
	r.changed.Broadcast()
	return nil
}

// readTimed reads timers and heads that are due, and when the next one will be.
// They come due in any order, so each look starts from the first.
func (r *runner) readTimed(ctx context.Context, now int64) error {
	var after place
	for limit := r.lanes.bounds.page; ; {
		r.begin()
		rows, err := r.source.timed(ctx, now, after, limit)
		if err != nil {
			return err
		}
		if taken := r.offer(rows); taken < len(rows) {
			r.signals.dueAt(now)
			return nil
		}
		if len(rows) < limit {
			break
		}
		last := rows[len(rows)-1]
		after = place{last.At.UnixMilli(), last.ID}
	}
	next, err := r.source.due(ctx, now)
	r.signals.dueAt(next)
	return err
}

// readReady reads the next page of the sweep over ready jobs. more: there are
// further pages and there is room for them.
func (r *runner) readReady(ctx context.Context) (more bool, err error) {
	limit := r.lanes.bounds.page
	r.begin()
	rows, err := r.source.ready(ctx, r.sweep, limit)
	if err != nil {
		return false, err
	}
	if r.sweep.asOf == "" && len(rows) > 0 {
		r.sweep.asOf = rows[0].snapshot
	}
	taken := r.offer(rows)
	if taken > 0 {
		r.sweep.cursor = rows[taken-1].ID
	}
	if taken < len(rows) {
		return false, nil
	}
	if len(rows) == limit {
		return true, nil
	}
	r.endSweep()
	return false, nil
}

// endSweep decides where the next sweep begins.
func (r *runner) endSweep() {
	if r.clock.Now().Sub(r.full) >= fullSweep {
		r.reading = r.fromScratch()
		return
	}
	if r.source.ordered() {
		return
	}
	if r.sweep.asOf != "" { // else it read nothing: as far as the one before
		r.sweep.seen = r.sweep.asOf
	}
	r.sweep.cursor, r.sweep.asOf = 0, ""
}

func (r *runner) fromScratch() reading {
	return reading{sweep: sweep{seen: nothing}, started: r.started, full: r.clock.Now(), looked: r.looked}
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
		// What stands behind a head comes with the refill after it.
		if !rows[i].behind && !r.lanes.offer(&rows[i].Job, rows[i].state) {
			r.starved = r.starved || r.lanes.full() // else the refills go on, and make room
			break
		}
		taken++
	}
	r.lanes.end()
	r.changed.Broadcast()
	return taken
}
