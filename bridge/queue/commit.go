package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxBatch is how many outcomes share a transaction, and with it a disk sync.
const maxBatch = 100

// errGone: a job of the batch is not in the table any more. Its outcome was
// committed before, or another process owns the database now.
var errGone = errors.New("job is gone")

// outcome is what shall be stored about a job that was tried.
type outcome struct {
	job    *Job
	commit func(context.Context) error
	park   string // reason; "": not parked
	quiet  bool   // parked without OnPark, which failed
	again  bool   // tried again at a time
	at     int64
}

func (r *runner) retry(job *Job, after time.Duration, count bool) *outcome {
	next := *job
	if count {
		next.Attempts++
	}
	at := ceilMillis(r.clock.Now().Add(after))
	return &outcome{job: &next, again: true, at: at}
}

// failure is the outcome of a panic or a failed Commit.
func (r *runner) failure(job *Job, err error) *outcome {
	o := r.retry(job, failureDelay(job.failures), true)
	o.job.failures++
	log := r.log.Warn()
	switch {
	case isHopeless(err) && job.failures > 0:
		o = &outcome{job: o.job, park: "the database refuses what it would store"}
		log = r.log.Error()
	case o.job.failures >= MaxFailures:
		o = &outcome{job: o.job, park: fmt.Sprintf("failed %d times", MaxFailures)}
		log = r.log.Error()
	}
	log.Err(err).Int64("job", job.ID).Int("failures", o.job.failures).Bool("parked", o.park != "").Msg("Job failed")
	return o
}

// failureDelay is 0.25 s, doubled for each failure before, at most a minute.
func failureDelay(failures int) time.Duration {
	return min(time.Minute, 250*time.Millisecond<<min(failures, 10))
}

// commit stores outcomes, several in one transaction if they wait.
func (r *runner) commit(ctx context.Context) {
	commitCtx, cancel := Finish(ctx)
	defer cancel()
	for first := range r.outcomes {
		r.settle(commitCtx, r.batch(first))
	}
}

// batch adds to an outcome those that wait.
func (r *runner) batch(first *outcome) []*outcome {
	batch := []*outcome{first}
	for len(batch) < maxBatch {
		select {
		case o, open := <-r.outcomes:
			if !open {
				return batch
			}
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// settle stores a batch. If that fails it is halved until the job is found that
// does not let the others through.
func (r *runner) settle(ctx context.Context, batch []*outcome) {
	if ctx.Err() != nil {
		return
	}
	err := r.store(ctx, batch)
	switch {
	case err == nil:
		r.finish(batch)
	case errors.Is(err, ErrFenced): // the next owner does all of it again
	case len(batch) > 1:
		r.settle(ctx, batch[:len(batch)/2])
		r.settle(ctx, batch[len(batch)/2:])
	default:
		r.settleOne(ctx, batch[0], err)
	}
}

// settleOne stores the outcome of a job whose commit failed. It gives up only
// when ctx ends: without the database there is nothing else to do.
func (r *runner) settleOne(ctx context.Context, o *outcome, err error) {
	for try := 1; ctx.Err() == nil; try++ {
		if err == nil {
			r.finish([]*outcome{o})
			return
		}
		if errors.Is(err, ErrFenced) {
			return
		}
		if errors.Is(err, errGone) {
			// An earlier try was committed though its answer got lost. What it put was
			// not announced: the poll finds it.
			r.log.Warn().Int64("job", o.job.ID).Msg("Outcome was stored before")
			o.again, err = false, nil
			continue
		}
		if away := Outage(err); away && try%4 != 0 {
			if try == 1 {
				r.log.Error().Err(err).Int64("job", o.job.ID).Msg("Outcome cannot be stored, trying on")
			}
			_ = wait(ctx, min(5*time.Second, 20*time.Millisecond<<min(try, 8)))
		} else if blamed := r.blame(o, err); !away {
			o = blamed
		} else if err = r.store(ctx, []*outcome{blamed}); err == nil {
			// The database is there for everything but this job's Commit.
			o = blamed
			continue
		}
		err = r.store(ctx, []*outcome{o})
	}
}

// blame gives the outcome of a job whose own outcome cannot be stored.
func (r *runner) blame(o *outcome, err error) *outcome {
	switch {
	case o.commit != nil:
		return r.failure(o.job, err)
	case o.park != "" && !o.quiet:
		r.log.Error().Err(err).Int64("job", o.job.ID).Msg("Parking without a notice")
		quiet := *o
		quiet.quiet = true
		return &quiet
	default:
		return o
	}
}

// store writes outcomes in one transaction.
func (r *runner) store(ctx context.Context, batch []*outcome) error {
	return r.Tx(ctx, func(ctx context.Context) error {
		// Delete first: who finds a job gone must not commit its outcome again.
		if err := r.delete(ctx, batch); err != nil {
			return err
		}
		for _, o := range batch {
			if err := r.storeOne(ctx, o); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *runner) delete(ctx context.Context, batch []*outcome) error {
	ids := make([]int64, 0, len(batch))
	for _, o := range batch {
		if !o.again {
			ids = append(ids, o.job.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	marks, args := placeholders(nil, ids)
	res, err := r.db.Exec(ctx, "DELETE FROM job WHERE id IN ("+marks+")", args...)
	if err != nil {
		return fmt.Errorf("delete jobs: %w", err)
	}
	return allThere(res, len(ids))
}

// allThere gives errGone if a statement changed fewer rows than it should.
func allThere(res interface{ RowsAffected() (int64, error) }, want int) error {
	n, err := res.RowsAffected()
	if err == nil && n != int64(want) {
		err = errGone
	}
	return err
}

func (r *runner) storeOne(ctx context.Context, o *outcome) (err error) {
	defer recoverTo(&err)
	if o.again {
		res, err := r.db.Exec(ctx, "UPDATE job SET state=2, at=$1, attempts=$2, failures=$3 WHERE id=$4",
			o.at, o.job.Attempts, o.job.failures, o.job.ID)
		if err != nil {
			return fmt.Errorf("store retry: %w", err)
		}
		return allThere(res, 1)
	}
	if o.park != "" {
		if err := r.storeParked(ctx, o); err != nil {
			return err
		}
	}
	if o.commit != nil {
		return o.commit(ctx)
	}
	return nil
}

func (r *runner) storeParked(ctx context.Context, o *outcome) error {
	j := o.job
	_, err := r.db.Exec(ctx, `INSERT INTO parked (id, queue, key, attempts, created, parked, reason, payload)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`, j.ID, j.Queue, j.Key, j.Attempts, j.Created.UnixMilli(), r.now(), storable(o.park), j.Payload)
	if err != nil {
		return fmt.Errorf("park job: %w", err)
	}
	if r.onPark == nil || o.quiet {
		return nil
	}
	return r.onPark(ctx, *j, o.park)
}

// finish tells the lanes what was stored.
func (r *runner) finish(batch []*outcome) {
	r.mu.Lock()
	var woken []string
	for _, o := range batch {
		if !o.again {
			r.lanes.done(o.job)
			continue
		}
		r.signals.dueAt(o.at)
		if r.lanes.block(o.job) {
			woken = append(woken, o.job.Key)
		}
	}
	poke := len(r.lanes.refill) > 0 || len(r.lanes.waits) > 0
	if r.starved && r.lanes.roomy() {
		r.starved, poke = false, true
	}
	r.changed.Broadcast()
	r.mu.Unlock()
	for _, key := range woken {
		r.signals.wake(key)
	}
	if poke {
		r.signals.poke()
	}
}
