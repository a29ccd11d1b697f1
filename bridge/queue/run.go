package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// grace is how long what was begun may go on after Run's ctx ended: the process ends
// within ten seconds, and a database that hangs takes two of them.
const grace = 6 * time.Second

// Finish gives a context for what shall not be cut off when ctx ends: it ends a while
// after that, or with cancel. If ctx ends because of ErrFenced it ends at once: nothing
// can be stored any more.
func Finish(ctx context.Context) (finish context.Context, cancel context.CancelFunc) {
	finish, cancel = context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrFenced) {
			cancel()
			return
		}
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(finish, func() { timer.Stop() })
	})
	context.AfterFunc(finish, func() { stop() })
	return finish, cancel
}

// runner is one queue that runs: a loader, workers and a committer.
type runner struct {
	*Queue
	name     string
	do       func(context.Context, Job) Result
	signals  *signals
	log      zerolog.Logger
	outcomes chan *outcome
	source   source
	reading  // of the loader alone

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // a job may start
	lanes   *lanes
	starved bool // the loader left rows because memory was full
}

func newRunner(q *Queue, name string, from source, b bounds) *runner {
	r := &runner{
		Queue: q, name: name, source: from, signals: q.signal(name), lanes: newLanes(b),
		log:      q.log.With().Str("queue", name).Logger(),
		outcomes: make(chan *outcome, maxBatch),
	}
	r.changed = sync.NewCond(&r.mu)
	return r
}

// Run works on one queue until ctx ends: do is called for each job, up to workers
// at a time, in the order of its key. When ctx ends, the jobs that run are waited
// for and their outcomes committed; what was cut off runs again after the next
// start. Run returns ctx's error, or an error if the queue runs already.
func (q *Queue) Run(ctx context.Context, name string, workers int, do func(ctx context.Context, job Job) Result) error {
	r := newRunner(q, name, &tables{Queue: q, queue: name}, defaultBounds)
	r.do = do
	if !r.signals.start() {
		return fmt.Errorf("queue: %s runs already", name)
	}
	defer r.signals.stop()

	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changed.Broadcast()
	})
	defer stop()

	var working, committing sync.WaitGroup
	working.Go(func() { r.load(ctx) })
	for range max(workers, 1) {
		working.Go(func() { r.work(ctx) })
	}
	// One committer: its transactions never conflict with each other, and batches
	// grow by themselves when there is much to do.
	committing.Go(func() { r.commit(ctx) })
	working.Wait()
	close(r.outcomes)
	committing.Wait()
	return ctx.Err()
}

// work does one job after the other.
func (r *runner) work(ctx context.Context) {
	for {
		job := r.take(ctx)
		if job == nil {
			return
		}
		if o := r.try(ctx, job); o != nil {
			r.outcomes <- o
		}
	}
}

// take waits for a job that may start; nil when ctx ended.
func (r *runner) take(ctx context.Context) *Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil {
		if job := r.lanes.next(); job != nil {
			return job
		}
		r.changed.Wait()
	}
	return nil
}

// try does one job. nil: it was cut off and stays as it is.
func (r *runner) try(ctx context.Context, job *Job) *outcome {
	result, err := r.call(ctx, *job)
	log := r.log.With().Int64("job", job.ID).Int("attempts", job.Attempts).Logger()
	switch {
	case ctx.Err() != nil && (err != nil || result.Retry > 0):
		return nil
	case err != nil:
		return r.failure(job, err)
	case result.Park != "":
		log.Error().Err(result.Err).Str("reason", result.Park).Msg("Job parked")
		return &outcome{job: job, commit: result.Commit, park: result.Park}
	case result.Retry > 0:
		if result.Err != nil {
			log.WithLevel(retryLevel(job.Attempts)).Err(result.Err).Dur("retry", result.Retry).Msg("Job will be tried again")
		}
		return r.retry(job, result.Retry, !result.Keep)
	case result.Err != nil:
		log.Warn().Err(result.Err).Msg("Job done with an error")
	}
	return &outcome{job: job, commit: result.Commit}
}

// retryLevel keeps a failure that lasts from filling the log: it is a warning at
// the attempts 0, 1, 2, 4, 8 and so on.
func retryLevel(attempts int) zerolog.Level {
	if attempts&(attempts-1) == 0 {
		return zerolog.WarnLevel
	}
	return zerolog.DebugLevel
}

// call runs do; a panic is an error, not the end of the process.
func (r *runner) call(ctx context.Context, job Job) (result Result, err error) {
	defer recoverTo(&err)
	return r.do(ctx, job), nil
}

// recoverTo makes a panic an error; defer it.
func recoverTo(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}
